"""What sessions logged without a worker is taken in once and whole, whatever happened to it."""

from __future__ import annotations

import fcntl
import json
import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_mlops.app.session_spool import SessionSpool
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import SESSION, Attempt, Run, Status, Sweep, SweepKind
from jupyter_mlops.sessions import SessionLink
from jupyter_mlops.store import Store
from tests.support.records import a_sweep
from tests.support.tracked import a_run, an_attempt

Session = tuple[Sweep, Run, Attempt]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store("p", url=None, state=tmp_path)
    yield made
    made.close()


@pytest.fixture
def session(store: Store) -> Session:
    """An open session."""
    sweep = a_sweep(kind=SweepKind.SESSION, executor=SESSION, total=1)
    run = a_run(sweep)
    attempt = replace(an_attempt(run), executor=SESSION)
    store.attempts.open_session(sweep, run, attempt)
    return sweep, run, attempt


@pytest.fixture
def spool(tmp_path: Path, store: Store) -> SessionSpool:
    """The spool of the store's project."""
    return SessionSpool(tmp_path / "spool", store)


def link(tmp_path: Path, run: Run) -> SessionLink:
    """How the session's process logs while no worker listens."""
    path = tmp_path / "spool" / f"{run.id}.jsonl"
    return SessionLink(run_id=run.id, socket=str(tmp_path / "none"), spool=str(path))


def a_point(value: object, step: int = 0) -> dict[str, object]:
    """A point as it is written."""
    return {"key": "loss", "value": value, "step": step, "time": 1000.0 + step}


def logged(store: Store, session: Session) -> list[tuple[int, float]]:
    """Steps and values that the store has."""
    return [(each.step, each.value) for each in store.history.logged(session[2].id)]


def test_what_waits_is_taken_in(
    tmp_path: Path, store: Store, session: Session, spool: SessionSpool
) -> None:
    """Values come in order, NaN and infinity too, and the run has the last ones."""
    run, attempt = session[1:]
    client = link(tmp_path, run)
    client.log([a_point(1.0), a_point({"$float": "nan"}, 1)])
    client.log([a_point({"$float": "-inf"}, 2)])
    assert spool.take_all() == [attempt]
    (_, first), (_, second), (_, third) = logged(store, session)
    assert (first, math.isnan(second), third) == (1.0, True, -math.inf)
    assert store.history.run(run.id).metrics == {"loss": -math.inf}
    assert spool.take_all() == []
    client.log([a_point(4.0, 3)])
    assert spool.take_all() == [attempt]
    assert logged(store, session)[-1] == (3, 4.0)


def test_a_worker_that_was_killed_meanwhile_changes_nothing(
    tmp_path: Path, store: Store, session: Session, spool: SessionSpool
) -> None:
    """The same lines taken in again add only what was missing."""
    client = link(tmp_path, session[1])
    client.log([a_point(1.0), a_point({"$float": "nan"}, 1)])
    path = Path(client.spool)
    before = path.read_bytes()
    spool.take_all()
    path.write_bytes(before)
    client.log([a_point(3.0, 2)])
    spool.take_all()
    assert [step for step, _ in logged(store, session)] == [0, 1, 2]


@pytest.mark.parametrize(
    "bad",
    [
        b'{"run_id": "a", "points": [{"key": "lo',
        b"\xff\xfe\n",
        b'{"points": [{"key": "loss", "value": "high", "step": 0, "time": 1.0}]}\n',
        b'{"points": [{"key": "loss", "value": 1, "step": 9223372036854775808, "time": 1.0}]}\n',
        b"[]\n",
    ],
    ids=["torn", "bytes", "text", "huge step", "list"],
)
def test_a_bad_line_is_kept_aside(
    tmp_path: Path, store: Store, session: Session, spool: SessionSpool, bad: bytes
) -> None:
    """The others are taken in; it is neither lost nor read again."""
    client = link(tmp_path, session[1])
    client.log([a_point(1.0)])
    with Path(client.spool).open("ab") as file:
        file.write(bad)
    spool.take_all()
    assert logged(store, session) == [(0, 1.0)]
    (refused,) = (tmp_path / "spool").glob("*.refused")
    assert refused.read_bytes() == bad
    spool.take_all()
    assert refused.read_bytes() == bad


def test_a_session_that_has_ended_takes_no_more(
    tmp_path: Path, store: Store, session: Session, spool: SessionSpool
) -> None:
    """What comes too late is kept aside, whole."""
    _, run, attempt = session
    outcome = Outcome(status=Status.SUCCEEDED, has_output=False)
    store.attempts.finish(attempt, outcome, output=None, synced=True)
    client = link(tmp_path, run)
    client.log([a_point(1.0)])
    assert spool.take_all() == []
    (refused,) = (tmp_path / "spool").glob("*.refused")
    assert json.loads(refused.read_text("utf-8"))["points"] == [a_point(1.0)]


def test_who_writes_waits_for_who_takes_in(tmp_path: Path, session: Session) -> None:
    """A line that is written while others are taken in is not lost with them."""
    client = link(tmp_path, session[1])
    client.log([a_point(1.0)])
    with Path(client.spool).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        writing = threading.Thread(target=client.log, args=([a_point(2.0, 1)],))
        writing.start()
        file.read()
        file.truncate(0)
        fcntl.flock(file, fcntl.LOCK_UN)
    writing.join()
    (line,) = Path(client.spool).read_text("utf-8").splitlines()
    assert json.loads(line)["points"] == [a_point(2.0, 1)]
