"""Readers of features online see whole fills, whoever fills and is killed meanwhile."""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.online_filler import FEATURES, KEYS, fill, opened, seen
from tests.support.redis_server import redis_server

ROOT = Path(__file__).parents[2]
KILLS = 4


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty store of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/online.db"
        return
    with redis_server(tmp_path) as address:
        yield address


@contextlib.contextmanager
def started(what: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that fills or looks, and kill it in the end."""
    command = [sys.executable, "-m", "tests.support.online_filler", what, url]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def look_for(looker: subprocess.Popen[str], seconds: float) -> list[str]:
    """Return what a process saw in a while, at least once."""
    assert looker.stdout is not None
    lines = [looker.stdout.readline()]
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as ready:
        ready.register(looker.stdout, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0 and ready.select(left):
            lines.append(looker.stdout.readline())
    return lines


def test_fillers_are_killed_while_others_look(url: str) -> None:
    """Two processes look while fillers die at any moment: each look shows one whole fill."""
    chance = random.Random(20)  # noqa: S311  # when to kill
    store = opened(url)
    fill(store, -1)
    shown: list[str] = []
    with started("look", url) as one, started("look", url) as other:
        for _ in range(KILLS):
            with started("fill", url) as filler:
                assert filler.stdout is not None
                assert filler.stdout.readline() == "0\n"
                shown += look_for(one, chance.uniform(0, 0.7))
                shown += look_for(other, 0)
                assert len(seen(store)) == 1
        assert one.poll() is None
        assert other.poll() is None
    assert shown
    assert all(each.strip().lstrip("-").isdigit() for each in shown), set(shown)
    assert len(set(shown)) > 1
    fill(store, 1000)
    assert seen(store) == {1000}
    assert {name: each.rows for name, each in store.fills().items()} == dict.fromkeys(
        FEATURES, KEYS
    )
    store.close()


def test_nothing_is_left_of_a_killed_filler_in_a_file(tmp_path: Path) -> None:
    """The next fill removes the tables that nobody will look at."""
    url = f"sqlite:///{tmp_path}/online.db"
    for _ in range(3):
        with started("fill", url) as filler:
            assert filler.stdout is not None
            filler.stdout.readline()
    store = opened(url)
    fill(store, 7)
    with contextlib.closing(sqlite3.connect(tmp_path / "online.db")) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
        assert len([each for each in tables if each.startswith("values_")]) == len(FEATURES)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()


def test_a_killed_filler_leaves_redis_what_expires(tmp_path: Path) -> None:
    """A fill that is not finished vanishes by itself; the current one stays."""
    import redis

    with redis_server(tmp_path) as url:
        store = opened(url)
        fill(store, 1)
        with store.filling() as filling:
            filling.add(FEATURES[0], [(b"key", b"entry")])  # and it is never published
        with redis.Redis.from_url(url) as client:
            lasting = sorted(client.ttl(each) for each in client.scan_iter("*"))
        assert lasting[:3] == [-1, -1, -1]
        assert 3000 < lasting[3] <= 3600
        assert seen(store) == {1}


def test_fillers_of_one_feature_do_not_disturb_each_other(url: str) -> None:
    """Two processes fill the same at once: all of it is of one of them."""
    with started("fill", url) as one, started("fill", url) as other:
        for each in (one, other):
            assert each.stdout is not None
            for _ in range(3):
                assert each.stdout.readline()
        store = opened(url)
        assert all(len(seen(store)) == 1 for _ in range(20))
    store.close()
