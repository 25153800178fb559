"""A check finds each value that is not the same offline and online, and nothing else."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import polars as pl
import pytest

from jupyter_mlops.catalog.checking import check
from jupyter_mlops.catalog.online import fill_online
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import Catalog
from jupyter_mlops.core.exceptions import InvalidInput, NotFound
from tests.support.redis_server import redis_server
from tests.support.stored import declared, project, store

KEYS = 300
HEAD = "from jupyter_mlops.catalog.define import feature\n"
REQUESTED = '''
@feature(entity="key")
def per_item(spent: pd.Series, items: pd.Series) -> pd.Series:
    return spent / items

@feature(entity="key")
def relative(items: pd.Series) -> pd.Series:
    """Not what it seems: it looks at other requests, too."""
    return items / items.max()
'''
CODE = declared("spent") + declared("city", timestamp=None) + REQUESTED


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Redis for all tests."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Catalog]:
    """Return a project with features online in a store of each kind."""
    place, catalog = project(tmp_path, shop=CODE)
    if request.param == "redis":
        url = f"{request.getfixturevalue('redis_url')}?prefix={tmp_path.name}"
        place = replace(place, online=url)
    times = pd.to_datetime(["2020-01-01", "2020-02-01"] * KEYS, utc=True)
    keys = [f"k{each // 2}" for each in range(2 * KEYS)]
    values = [None if each % 7 == 0 else each / 3 for each in range(2 * KEYS)]
    store(place, catalog, "spent", pd.DataFrame({"key": keys, "at": times, "spent": values}))
    store(place, catalog, "city", pd.DataFrame({"key": keys[::2], "city": keys[::2]}))
    fill_online(place, catalog, ["spent", "city"])
    return place, catalog


def alter(place: Place, feature: str, key: str, value: Any) -> None:
    """Change a value online by hand."""
    name = msgspec.msgpack.encode([key])
    if place.online.startswith("sqlite"):
        path = place.online.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            query = "SELECT id FROM fills WHERE feature = ?"
            (number,) = connection.execute(query, [feature]).fetchone()
            query = f"SELECT entry FROM values_{number} WHERE key = ?"  # noqa: S608
            (entry,) = connection.execute(query, [name]).fetchone()
            query = f"UPDATE values_{number} SET entry = ? WHERE key = ?"  # noqa: S608
            connection.execute(query, [entry[:8] + msgspec.msgpack.encode(value), name])
        return
    import redis

    url, _, prefix = place.online.partition("?prefix=")
    with redis.Redis.from_url(url) as client:
        pointer = client.hget(f"{{{prefix}}}:fills", feature)
        fill = f"{{{prefix}}}:fill:{pointer[:32].decode()}"
        entry = client.hget(fill, name)
        client.hset(fill, name, entry[:8] + msgspec.msgpack.encode(value))


def test_what_is_the_same(shop: tuple[Place, Catalog]) -> None:
    """Nothing differs, missing values included; as many entities are compared as asked for."""
    report = check(*shop, ["spent", "shop.city"])
    assert report.good
    assert (report.rows, report.skipped) == ({"shop.spent": KEYS, "shop.city": KEYS}, {})
    assert check(*shop, ["city"], rows=11).rows == {"shop.city": 11}


def test_values_altered_online_are_found(shop: tuple[Place, Catalog]) -> None:
    """Each is told with its row, and what it is both ways; missing values too."""
    alter(shop[0], "shop.spent", "k3", -1.0)
    alter(shop[0], "shop.spent", "k5", None)
    alter(shop[0], "shop.city", "k9", "elsewhere")
    report = check(*shop, ["spent", "city"])
    found = {(each.feature, each.row["key"]): each for each in report.differences}
    assert sorted(found) == [("shop.city", "k9"), ("shop.spent", "k3"), ("shop.spent", "k5")]
    assert found["shop.spent", "k3"].online == -1.0
    assert found["shop.spent", "k5"].online is None
    assert found["shop.city", "k9"].offline == "k9"
    assert not report.good


def test_a_tolerance(shop: tuple[Place, Catalog]) -> None:
    """Numbers may differ by the tolerance that is stated, and by no more."""
    value = 9 / 3
    alter(shop[0], "shop.spent", "k4", value * (1 + 1e-9))
    assert len(check(*shop, ["spent"]).differences) == 1
    assert check(*shop, ["spent"], tolerance=1e-8).good
    assert len(check(*shop, ["spent"], tolerance=1e-10).differences) == 1
    for wrong in ({"rows": 0}, {"tolerance": -1.0}, {"tolerance": float("nan")}):
        with pytest.raises(InvalidInput, match="at least one row"):
            check(*shop, ["spent"], **wrong)  # type: ignore[arg-type]


def test_features_of_the_request(shop: tuple[Place, Catalog]) -> None:
    """They are compared by rows that are given; one that looks at other requests is found."""
    rows = pl.DataFrame(
        {"key": [f"k{each}" for each in range(50)], "items": range(1, 51), "more": 0}
    )
    assert check(*shop, ["per_item"], entities=rows).good
    report = check(*shop, ["per_item", "relative"], entities=rows, rows=20)
    assert {each.feature for each in report.differences} == {"shop.relative"}
    assert report.rows == {"shop.per_item": 20, "shop.relative": 20}
    first = report.differences[0]
    assert (set(first.row), first.online) == ({"items"}, 1.0)
    with pytest.raises(InvalidInput, match="The entities lack items"):
        check(*shop, ["per_item"], entities=rows.drop("items"))


def test_rows_of_requests_come_from_a_source(shop: tuple[Place, Catalog]) -> None:
    """A source that has the request's columns and the keys gives the rows."""
    place, catalog = shop
    report = check(place, catalog, ["spent"], entities=None)
    assert report.good
    with pytest.raises(InvalidInput, match=r"events\.csv"):
        check(place, catalog, ["per_item"])
    file = place.root / "events.csv"
    file.write_text("key,other\nk1,2\n", "utf-8")
    with pytest.raises(NotFound, match=r"shop\.per_item needs rows .* columns items, key"):
        check(place, catalog, ["per_item"])
    file.write_text("key,items,at\nk1,2,2020-01-01\nk2,,2020-01-01\nnobody,1,2020-01-01\n", "utf-8")
    report = check(place, catalog, ["per_item", "spent"])
    assert report.good
    assert report.rows == {"shop.per_item": 3, "shop.spent": KEYS}


def test_what_cannot_be_compared(shop: tuple[Place, Catalog]) -> None:
    """What is not online, or online from another version, is told."""
    place, catalog = shop
    values = pd.DataFrame({"key": ["k1"], "at": pd.to_datetime(["2020-03-01"], utc=True)})
    store(place, catalog, "spent", values.assign(spent=5.0), version="b" * 12)
    report = check(place, catalog, ["spent", "city"])
    assert report.behind == ("shop.spent",)
    found = {each.row["key"]: each.offline for each in report.differences}
    assert found.pop("k1") == 5.0
    assert found
    assert set(found.values()) == {None}
    other = replace(place, online=f"sqlite:///{place.root}/empty.db")
    with pytest.raises(NotFound, match=r"Nothing could be compared\. shop\.spent is not online"):
        check(other, catalog, ["spent"])
    fill_online(other, catalog, ["city"])
    report = check(other, catalog, ["spent", "city"])
    assert report.skipped == {"shop.spent": "shop.spent is not online."}
    assert report.rows == {"shop.city": KEYS}
