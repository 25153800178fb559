"""Features online: the newest values, in a file and in Redis, the same as offline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_mlops.catalog.online import fill_online, online, open_online
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import Catalog
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.exceptions import InvalidInput, NotFound
from jupyter_mlops.core.features import FeatureFailed, OnlineUnavailable
from tests.support.redis_server import redis_server
from tests.support.stored import SPENT, declared, project, store

NOW = dt.datetime(2020, 1, 8, tzinfo=dt.UTC)
ON_DEMAND = '''
@feature(entity="key")
def per_item(spent: pd.Series, items: pd.Series) -> pd.Series:
    """What was spent for each item of the request."""
    return spent / items

@feature(entity="key")
def dear(per_item: pd.Series, limit: pd.Series) -> pd.Series:
    return per_item > limit
'''


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Redis for all tests."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/online.db"
    return f"{request.getfixturevalue('redis_url')}?prefix={tmp_path.name}"


def made(
    root: Path, url: str, code: str, **stored: pd.DataFrame | pa.Table
) -> tuple[Place, Catalog]:
    """Make a project with these features, all of them online."""
    place, catalog = project(root, shop=code)
    place = replace(place, online=url)
    for name, values in stored.items():
        store(place, catalog, f"shop.{name}", values)
    fill_online(place, catalog, stored)
    return place, catalog


def test_the_newest_value_of_each_entity(tmp_path: Path, url: str) -> None:
    """One request gives a dict, several a list in their order; an unknown entity has None."""
    place, catalog = made(tmp_path, url, declared("spent"), spent=SPENT)
    assert online(place, catalog, {"key": 1}, ["spent"]) == {"spent": 2.5}
    asked = [{"key": key} for key in (2, 3, 1, None, float("nan"), 2)]
    found = online(place, catalog, asked, ["shop.spent"])
    assert [each["spent"] for each in found] == [3.5, None, 2.5, None, None, 3.5]
    assert online(place, catalog, [], ["spent"]) == []
    with pytest.raises(InvalidInput, match="Ask by a dict of columns"):
        online(place, catalog, [1], ["spent"])  # type: ignore[list-item]


def test_the_newest_value_counts_though_it_is_missing(tmp_path: Path, url: str) -> None:
    """A missing value that is newer than another one is the answer."""
    stored = SPENT.assign(spent=[1.5, None, 3.5])
    place, catalog = made(tmp_path, url, declared("spent"), spent=stored)
    assert online(place, catalog, {"key": 1}, ["spent"]) == {"spent": None}


def test_what_is_too_old_is_not_told(tmp_path: Path, url: str) -> None:
    """A value holds for exactly its ttl."""
    place, catalog = made(tmp_path, url, declared("spent", ttl="3d"), spent=SPENT)
    for late, expected in ((0, 2.5), (1, None)):
        now = NOW + dt.timedelta(microseconds=late)
        assert online(place, catalog, {"key": 1}, ["spent"], now=now) == {"spent": expected}
        assert online(place, catalog, {"key": 2}, ["spent"], now=now) == {"spent": None}
    assert online(place, catalog, {"key": 1}, ["spent"]) == {"spent": None}


def test_features_of_the_request(tmp_path: Path, url: str) -> None:
    """They are computed by their functions, from the request and from what is online."""
    place, catalog = made(tmp_path, url, declared("spent") + ON_DEMAND, spent=SPENT)
    found = online(place, catalog, {"key": 1, "items": 2, "limit": 1}, ["dear", "per_item"])
    assert found == {"dear": True, "per_item": 1.25}
    rows = [{"key": 1, "items": 5.0, "limit": 1}, {"key": 9, "items": None, "limit": 1}]
    assert online(place, catalog, rows, ["per_item", "spent"]) == [
        {"per_item": 0.5, "spent": 2.5},
        {"per_item": None, "spent": None},
    ]
    assert online(place, catalog, [], ["per_item"]) == []
    missing = {"key": 1, "items": None}
    assert online(place, catalog, missing, ["per_item"]) == {"per_item": None}
    with pytest.raises(InvalidInput, match=r"shop\.dear is computed from limit"):
        online(place, catalog, {"key": 1, "items": 2}, ["dear"])
    fill_online(place, catalog, ["dear"])
    assert set(open_online(place).fills()) == {"shop.spent"}


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_keys_are_equal_as_in_joins(tmp_path: Path, url: str, unit: str) -> None:
    """Whole numbers, times and text are found however a request writes them."""
    day = dt.date(2020, 1, 2)
    stored = pd.DataFrame(
        {
            "number": np.array([7, 8], dtype="int16"),
            "text": ["ä", "b"],
            "day": [day, day],
            "moment": pd.to_datetime(["2020-01-02 03:00"] * 2, utc=True).as_unit(unit),
            "flag": [True, False],
            "value": [1, 2],
        }
    )
    entity = ("number", "text", "day", "moment", "flag")
    code = declared("value", entity=entity, timestamp=None)
    place, catalog = made(tmp_path, url, code, value=stored)
    plain = dt.datetime(2020, 1, 2, 3)  # noqa: DTZ001  # such a time is UTC
    zone = dt.timezone(dt.timedelta(hours=1))
    first: dict[str, Any] = {"number": 7, "text": "ä", "day": day, "moment": plain}
    first["flag"] = True
    for change in (
        {},
        {"number": 7.0},
        {"number": np.int8(7)},
        {"number": np.float32(7)},
        {"number": Decimal(7)},
        {"text": np.str_("ä")},
        {"moment": dt.datetime(2020, 1, 2, 4, tzinfo=zone)},
        {"moment": pd.Timestamp("2020-01-02 03:00")},
        {"moment": np.datetime64("2020-01-02T03:00:00.000000000")},
        {"day": pd.Timestamp(day)},
        {"flag": np.True_},
    ):
        assert online(place, catalog, {**first, **change}, ["value"]) == {"value": 1}, change
    for change in ({"number": 7.5}, {"text": "a"}, {"flag": False}, {"moment": pd.NaT}):
        assert online(place, catalog, {**first, **change}, ["value"]) == {"value": None}, change
    for change in ({"number": "7"}, {"number": True}, {"text": 7}, {"day": "2020"}, {"moment": 5}):
        (name,) = change
        with pytest.raises(InvalidInput, match=rf"shop\.value: {name} is .* in the request"):
            online(place, catalog, {**first, **change}, ["value"])
    with pytest.raises(InvalidInput, match=r"shop\.value is found by flag, which the request"):
        online(place, catalog, {k: v for k, v in first.items() if k != "flag"}, ["value"])


def test_values_of_many_types(tmp_path: Path, url: str) -> None:
    """Values come back as they are stored, or are refused before anything is written."""
    moment = dt.datetime(2020, 1, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    kinds = {
        "text": pa.array(["ä", None]),
        "large": pa.array(["", None], pa.large_string()),
        "kind": pa.array(["x", None]).dictionary_encode(),
        "small": pa.array([-7, None], pa.int8()),
        "big": pa.array([2**64 - 1, None], pa.uint64()),
        "single": pa.array([0.1, None], pa.float32()),
        "infinite": pa.array([float("-inf"), None]),
        "exact": pa.array([Decimal("1.25"), None], pa.decimal128(9, 2)),
        "span": pa.array([dt.timedelta(seconds=3), None], pa.duration("ms")),
        "moment": pa.array([moment, None], pa.timestamp("us", "UTC")),
        "day": pa.array([moment.date(), None]),
        "vector": pa.array([[1.0, None], None], pa.list_(pa.float32())),
        "raw": pa.array([b"\0\xff", None]),
        "flag": pa.array([False, None]),
    }
    tables = {name: pa.table({"key": [1, 2], name: each}) for name, each in kinds.items()}
    code = "".join(declared(each, timestamp=None) for each in [*kinds, "parts"])
    place, catalog = made(tmp_path, url, code, **tables)
    asked = [{"key": 1}, {"key": 2}]
    assert online(place, catalog, asked, kinds) == [
        {name: each.to_pylist()[row] for name, each in kinds.items()} for row in (0, 1)
    ]
    store(place, catalog, "parts", pa.table({"key": [1], "parts": [{"a": 1}]}))
    with pytest.raises(FeatureFailed, match=r"shop\.parts: values of type struct<a: int64>"):
        fill_online(place, catalog, ["text", "parts"], force=True)
    assert online(place, catalog, {"key": 1}, ["text"]) == {"text": "ä"}


def test_only_what_is_new_is_written(tmp_path: Path, url: str) -> None:
    """What is online in its current version stays; a new version replaces it whole."""
    place, catalog = made(tmp_path, url, declared("spent"), spent=SPENT)
    lines: list[str] = []
    (record,) = fill_online(place, catalog, ["spent"], told=lines.append)
    assert lines == ["shop.spent is online already."]
    assert (record.online_rows, Offline(place).latest("shop.spent")) == (2, record)
    assert record.online_at == open_online(place).fills()["shop.spent"].filled_at
    store(place, catalog, "spent", SPENT.tail(1).assign(spent=9.0), version="b" * 12)
    (record,) = fill_online(place, catalog, ["spent"], told=lines.append)
    assert lines[1:] == ["shop.spent is online: 1 entities."]
    assert online(place, catalog, [{"key": 1}, {"key": 2}], ["spent"]) == [
        {"spent": None},
        {"spent": 9.0},
    ]
    fill_online(place, catalog, ["spent"], force=True, told=lines.append)
    assert lines[2:] == ["shop.spent is online: 1 entities."]
    store(place, catalog, "spent", SPENT.head(0), version="c" * 12)
    fill_online(place, catalog, ["spent"])
    assert online(place, catalog, {"key": 2}, ["spent"]) == {"spent": None}


def test_what_is_not_online(tmp_path: Path, url: str) -> None:
    """What was never filled is told with its name, also where there is no store yet."""
    place, catalog = project(tmp_path, shop=declared("spent") + declared("city", timestamp=None))
    place = replace(place, online=url)
    for _ in range(2):
        with pytest.raises(NotFound, match=r"shop\.city is not online\. Run: .* --online"):
            online(place, catalog, {"key": 1}, ["city"])
        store(place, catalog, "spent", SPENT)
        fill_online(place, catalog, ["spent"])
    with pytest.raises(NotFound, match=r"features compute shop\.city"):
        fill_online(place, catalog, ["city"])
    with open_online(place).filling() as filling:
        filling.remove(["shop.spent"])
    with pytest.raises(NotFound, match=r"shop\.spent is not online"):
        online(place, catalog, {"key": 1}, ["spent"])


def test_projects_share_a_redis_by_names(tmp_path: Path, redis_url: str) -> None:
    """Two prefixes of one database know nothing of each other, and nothing is left behind."""
    import redis

    one, catalog = made(tmp_path, f"{redis_url}?prefix=one", declared("spent"), spent=SPENT)
    other = replace(one, online=f"{redis_url}?prefix=other")
    with pytest.raises(NotFound):
        online(other, catalog, {"key": 1}, ["spent"])
    fill_online(one, catalog, ["spent"], force=True)
    with redis.Redis.from_url(redis_url) as client:
        names = list(client.scan_iter("{one}:*"))
        assert len(names) == 2
        assert {client.ttl(each) for each in names} == {-1}
        client.delete(*(each for each in names if b":fill:" in each))
    with pytest.raises(OnlineUnavailable, match=r"given up the values of shop\.spent"):
        online(one, catalog, {"key": 1}, ["spent"])


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    """A store that cannot be reached, read or understood is told in a line."""
    place, catalog = project(tmp_path, shop=declared("spent"))
    with pytest.raises(OnlineUnavailable, match=r"at 127\.0\.0\.1 does not answer"):
        online(replace(place, online="redis://127.0.0.1:1/0"), catalog, {"key": 1}, ["spent"])
    with pytest.raises(InvalidInput, match="must be a file or redis://"):
        online(replace(place, online="mongodb://here"), catalog, {"key": 1}, ["spent"])
    with pytest.raises(InvalidInput, match="URL of the online store cannot be read"):
        online(replace(place, online="redis://here:port/0"), catalog, {"key": 1}, ["spent"])
    (tmp_path / "bad.db").write_bytes(b"no database " * 100)
    bad = replace(place, online=f"sqlite:///{tmp_path}/bad.db")
    with pytest.raises(OnlineUnavailable, match=r"bad\.db cannot be used"):
        online(bad, catalog, {"key": 1}, ["spent"])
    store(place, catalog, "spent", SPENT)
    with pytest.raises(OnlineUnavailable, match=r"bad\.db cannot be used"):
        fill_online(bad, catalog, ["spent"])


def test_an_address_that_a_variable_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's address may lie in a variable, or in the project's .env."""
    place, catalog = made(tmp_path, "sqlite:///some.db", declared("spent"), spent=SPENT)
    hidden = replace(place, online="env:SHOP_ONLINE")
    with pytest.raises(InvalidInput, match="The variable SHOP_ONLINE is not set"):
        online(hidden, catalog, {"key": 1}, ["spent"])
    (tmp_path / ".env").write_text("SHOP_ONLINE=sqlite:///some.db\n", "utf-8")
    assert online(hidden, catalog, {"key": 1}, ["spent"]) == {"spent": 2.5}
    monkeypatch.setenv("SHOP_ONLINE", "sqlite:///other.db")
    with pytest.raises(NotFound):
        online(hidden, catalog, {"key": 1}, ["spent"])


def test_a_file_that_was_removed_is_noticed(tmp_path: Path) -> None:
    """A reader sees the file that has the name now."""
    url = f"sqlite:///{tmp_path}/online.db"
    place, catalog = made(tmp_path, url, declared("spent"), spent=SPENT)
    assert online(place, catalog, {"key": 1}, ["spent"]) == {"spent": 2.5}
    for each in tmp_path.glob("online.db*"):
        each.unlink()
    with pytest.raises(NotFound, match="not online"):
        online(place, catalog, {"key": 1}, ["spent"])
    fill_online(place, catalog, ["spent"])
    assert online(place, catalog, {"key": 1}, ["spent"]) == {"spent": 2.5}
