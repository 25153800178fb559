"""Point-in-time joins: no row is lost, and none knows what was not known at its time."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from jupyter_mlops.catalog import asof
from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.core.exceptions import InvalidInput
from tests.support.stored import ENTITIES, EXPECTED, SPENT, Shop, declared, project, store, values


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a project with one feature that changes with time."""
    return Shop(tmp_path, declared("spent"), spent=SPENT)


def test_rows_stay_as_they_are(shop: Shop) -> None:
    """Order, duplicates, index and columns stay; what lies later, or nowhere, is null."""
    before = ENTITIES.copy()
    found = shop.join(ENTITIES)
    pd.testing.assert_frame_equal(ENTITIES, before)
    pd.testing.assert_frame_equal(found[list(ENTITIES)], ENTITIES)
    assert list(found) == [*ENTITIES, "spent"]
    assert values(found["spent"]) == EXPECTED


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "batch", "lazy", "stream"])
@pytest.mark.parametrize("as_", [None, "pandas", "polars", "arrow"])
def test_tables_of_every_kind(shop: Shop, kind: str, as_: str | None) -> None:
    """A table comes back as what it was, or as what was asked for."""
    frame = ENTITIES.reset_index(drop=True)
    table = pa.Table.from_pandas(frame)
    given, own = {
        "pandas": (frame, pd.DataFrame),
        "polars": (pl.from_pandas(frame), pl.DataFrame),
        "lazy": (pl.from_pandas(frame).lazy(), pl.DataFrame),
        "arrow": (table, pa.Table),
        "batch": (table.to_batches()[0], pa.Table),
        "stream": (pa.RecordBatchReader.from_batches(table.schema, table.to_batches()), pa.Table),
    }[kind]
    found = shop.join(given, as_=as_)
    wanted = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "arrow": pa.Table}.get(as_ or "", own)
    assert isinstance(found, wanted)
    columns = (
        found.to_pydict()
        if isinstance(found, pa.Table)
        else found.to_dict(orient="list")
        if isinstance(found, pd.DataFrame)
        else found.to_dict(as_series=False)
    )
    assert values(pd.Series(columns["spent"])) == EXPECTED
    assert list(columns["label"]) == list(frame["label"])


def test_ttl_holds_up_to_its_very_end(tmp_path: Path) -> None:
    """A value counts until it is exactly as old as its ttl, also where a newer one is later."""
    shop = Shop(tmp_path, declared("spent", ttl="2d"), spent=SPENT)
    times = ["2020-01-04 00:00:00", "2020-01-04 00:00:00.000001", "2020-01-04 23:59", "2020-01-05"]
    entities = pd.DataFrame({"key": 1, "at": pd.to_datetime(times, format="ISO8601")})
    assert values(shop.join(entities)["spent"]) == [1.5, None, None, 2.5]


def test_a_missing_value_hides_the_one_before(tmp_path: Path) -> None:
    """The newest value counts, also where it is that there is none."""
    stored = SPENT.assign(spent=[1.5, None, 3.5])
    shop = Shop(tmp_path, declared("spent"), spent=stored)
    assert values(shop.join(ENTITIES)["spent"]) == [3.5, 1.5, 1.5, None, None, None]


def test_several_keys_of_several_types(tmp_path: Path) -> None:
    """A feature of several keys is found by all of them, whatever their types."""
    stored = pd.DataFrame(
        {
            "carrier": ["AA", "AA", "UA"],
            "number": np.array([7, 8, 7], dtype="int32"),
            "day": [dt.date(2020, 1, 1), dt.date(2020, 1, 1), dt.date(2020, 1, 2)],
            "at": pd.to_datetime(["2020-01-01"] * 3, utc=True),
            "delay": [1, 2, 3],
        }
    )
    code = declared("delay", entity=("carrier", "number", "day"))
    shop = Shop(tmp_path, code, delay=stored)
    entities = pd.DataFrame(
        {
            "carrier": pd.Categorical(["UA", "AA", "AA", "UA"]),
            "number": [7.0, 8.0, None, 8.0],
            "day": pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-01", "2020-01-02"]),
            "at": pd.to_datetime(["2020-01-03"] * 4),
        }
    )
    assert values(shop.join(entities)["delay"]) == [3, 2, None, None]


def test_what_never_changes_needs_no_time(tmp_path: Path) -> None:
    """A feature without time is found by its key alone, and needs no column of times."""
    shop = Shop(
        tmp_path,
        declared("city", timestamp=None),
        city=pd.DataFrame({"key": ["b", "a", None], "city": ["Bonn", "Aachen", "Nowhere"]}),
    )
    entities = pd.DataFrame({"key": ["a", None, "x", "b", "a"]})
    assert values(shop.join(entities)["city"]) == ["Aachen", None, None, "Bonn", "Aachen"]


def test_rows_without_key_or_time_know_nothing(tmp_path: Path) -> None:
    """Missing keys equal nothing, not even missing keys; without a time nothing is known yet."""
    stored = pd.concat([SPENT, SPENT.iloc[:1].assign(key=None)])
    shop = Shop(tmp_path, declared("spent"), spent=stored)
    entities = pd.DataFrame(
        {"key": [None, 1.0, 1.0], "at": pd.to_datetime(["2020-01-09", None, "2020-01-09"])}
    )
    assert values(shop.join(entities)["spent"]) == [None, None, 2.5]
    nothing = pl.DataFrame({"key": [float("nan"), 1.0]}).with_columns(at=dt.date(2020, 1, 9))
    assert shop.join(nothing)["spent"].to_list() == [None, 2.5]
    assert values(shop.join(entities.assign(key=None))["spent"]) == [None] * 3
    assert values(shop.join(entities.assign(at=pd.NaT))["spent"]) == [None] * 3


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(shop: Shop, rows: int) -> None:
    """A table without rows stays one, with a column more."""
    found = shop.join(ENTITIES.head(rows))
    assert len(found) == rows
    assert found["spent"].dtype == "float64"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "Asia/Kolkata"])
def test_units_and_zones(shop: Shop, unit: str, zone: str | None) -> None:
    """Times mean the same moment in every unit and zone; without a zone they are UTC."""
    times = pd.DatetimeIndex(["2020-01-04 23:59:59", "2020-01-05 00:00:00"], tz="UTC")
    times = times.as_unit(unit).tz_convert(zone)
    entities = pd.DataFrame({"key": [1, 1], "at": times})
    assert values(shop.join(entities)["spent"]) == [1.5, 2.5]
    assert shop.join(pl.from_pandas(entities))["spent"].to_list() == [1.5, 2.5]
    assert shop.join(entities)["at"].dtype == entities["at"].dtype


def test_a_nanosecond_before_is_before(tmp_path: Path) -> None:
    """Nanoseconds are rounded to the past, also before 1970."""
    times = pd.to_datetime(["1969-12-31 23:59:59.999998", "2020-01-05"], utc=True, format="ISO8601")
    stored = pd.DataFrame({"key": 1, "at": times, "spent": [1.0, 2.0]})
    shop = Shop(tmp_path, declared("spent"), spent=stored)
    asked = [
        "1969-12-31 23:59:59.999997999",
        "1969-12-31 23:59:59.999998",
        "2020-01-04 23:59:59.999999999",
    ]
    entities = pd.DataFrame({"key": 1, "at": pd.to_datetime(asked, format="ISO8601")})
    assert values(shop.join(entities)["spent"]) == [None, 1.0, 1.0]


def test_times_as_python_has_them(shop: Shop) -> None:
    """Objects of Python are times too: of one zone, with summer and winter, and dates."""
    zone = ZoneInfo("Europe/Berlin")
    times = [dt.datetime(2020, 1, 5, 0, 59, tzinfo=zone), dt.datetime(2020, 7, 1, tzinfo=zone)]
    entities = pd.DataFrame({"key": 1, "at": pd.Series(times, dtype=object)})
    assert values(shop.join(entities)["spent"]) == [1.5, 2.5]
    dates = pd.DataFrame({"key": 1, "at": [dt.date(2020, 1, 4), dt.date(2020, 1, 5)]})
    assert values(shop.join(dates)["spent"]) == [1.5, 2.5]


def test_values_of_many_types(tmp_path: Path) -> None:
    """Values come back in the type in which they are stored."""
    base = {"key": [1], "at": [dt.datetime(2020, 1, 1, tzinfo=dt.UTC)]}
    stored = {
        "text": pa.array(["ä"], pa.large_string()),
        "kind": pa.array(["x"]).dictionary_encode(),
        "small": pa.array([7], pa.int8()),
        "exact": pa.array(["1.25"]).cast(pa.decimal128(9, 2)),
        "span": pa.array([dt.timedelta(seconds=3)], pa.duration("us")),
        "moment": pa.array([dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], pa.timestamp("ns")),
        "day": pa.array([dt.date(2020, 1, 1)]),
        "vector": pa.array([[1.0, 2.0]], pa.list_(pa.float32())),
        "raw": pa.array([b"\0"]),
        "flag": pa.array([True]),
    }
    tables = {name: pa.table({**base, name: each}) for name, each in stored.items()}
    shop = Shop(tmp_path, "".join(declared(each) for each in stored), **tables)
    entities = pa.table({"key": [1, 2], "at": pa.array([dt.date(2020, 1, 2)] * 2)})
    found = shop.join(entities)
    for name, each in stored.items():
        kind = each.type.value_type if name == "kind" else each.type
        assert found.schema.field(name).type == kind
        assert found.column(name).to_pylist() == [each.to_pylist()[0], None]


def test_names_that_need_quoting(tmp_path: Path) -> None:
    """Columns are taken by their very names."""
    stored = SPENT.rename(columns={"key": "a \"key\" of 'mine'", "at": "the time"})
    code = declared("spent", entity=("a \"key\" of 'mine'",), timestamp="the time")
    shop = Shop(tmp_path, code, spent=stored)
    entities = ENTITIES.rename(columns={"key": "a \"key\" of 'mine'", "at": "the time"})
    assert values(shop.join(entities)["spent"]) == EXPECTED


def test_pieces_give_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is joined piece by piece, over many files, gives the same as at once."""
    random = np.random.default_rng(6)
    stored = pd.DataFrame(
        {
            "key": random.integers(0, 9, 200),
            "at": pd.to_datetime(random.permutation(200), unit="D", utc=True),
            "spent": random.normal(size=200),
        }
    )
    place, catalog = project(tmp_path, shop=declared("spent", ttl="60d"))
    store(place, catalog, "spent", stored, pieces=7)
    entities = pd.DataFrame(
        {
            "key": random.integers(0, 9, 999),
            "at": pd.to_datetime(random.integers(0, 220, 999), unit="D"),
        }
    )
    whole = training_set(place, catalog, entities, ["spent"]).table
    monkeypatch.setattr(asof, "_PIECE", 100)
    monkeypatch.setattr(asof, "BATCH", 30)
    pd.testing.assert_frame_equal(training_set(place, catalog, entities, ["spent"]).table, whole)


def test_the_newest_version_counts_and_is_told(tmp_path: Path) -> None:
    """What was joined is told with its version; code that was changed since is named."""
    place, catalog = project(tmp_path, shop=declared("spent"))
    store(place, catalog, "spent", SPENT.assign(spent=0.0), version="a" * 12)
    record = store(place, catalog, "spent", SPENT, version="b" * 12)
    found = training_set(place, catalog, ENTITIES, ["spent"])
    assert values(found.table["spent"]) == EXPECTED
    (told,) = found.ingredients
    assert (told.feature, told.version, told.column) == ("shop.spent", "b" * 12, "spent")
    assert (told.code_hash, told.statistics) == (record.code_hash, record.statistics)
    assert found.stale == ()
    _, changed = project(
        tmp_path, shop=declared("spent").replace("return events", "return 2 * events")
    )
    assert training_set(place, changed, ENTITIES, ["spent"]).stale == ("shop.spent",)


def test_features_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Two features of one name come in columns of their full names."""
    place, catalog = project(tmp_path, shop=declared("spent"), web=declared("spent"))
    store(place, catalog, "shop.spent", SPENT)
    store(place, catalog, "web.spent", SPENT.assign(spent=0.5))
    found = training_set(place, catalog, ENTITIES, ["shop.spent", "web.spent"]).table
    assert list(found)[-2:] == ["shop.spent", "web.spent"]
    assert values(found["shop.spent"]) == EXPECTED
    assert list(training_set(place, catalog, ENTITIES, ["web.spent"]).table)[-1] == "spent"


def test_the_column_of_times_is_found(tmp_path: Path) -> None:
    """It is the one named like the features', or the only one; else it is to be named."""
    shop = Shop(tmp_path, declared("spent"), spent=SPENT)
    other = ENTITIES.rename(columns={"at": "ordered"})
    assert values(shop.join(other)["spent"]) == EXPECTED
    assert values(shop.join(ENTITIES.assign(later=pd.Timestamp(0)))["spent"]) == EXPECTED
    two = other.assign(shipped=other["ordered"])
    with pytest.raises(InvalidInput, match=r"shop\.spent.*Several could be it: ordered, shipped"):
        shop.join(two)
    assert values(shop.join(two, timestamp="shipped")["spent"]) == EXPECTED
    with pytest.raises(InvalidInput, match=r"shop\.spent.*No column holds times"):
        shop.join(ENTITIES[["key", "label"]])


def test_nothing_is_left_on_disk(shop: Shop) -> None:
    """What a join writes aside is gone after it, also after one that was killed long ago."""
    spill = shop.place.data / ".spill"
    old = spill / "old"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    shop.join(ENTITIES)
    assert list(spill.iterdir()) == []
    assert shop.catalog
