"""From what functions return to what is stored: keys, times and types."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.catalog.shapes import Shaped, shaped
from jupyter_mlops.core.features import Definition, FeatureFailed

_EAST = timezone(timedelta(hours=2))
NOW = datetime(2020, 1, 1, tzinfo=UTC)


def definition(**changes: Any) -> Definition:
    """Return a feature called price, of cities and their shops."""
    facts: dict[str, Any] = {
        "name": "price",
        "group": "shops",
        "path": "features/shops.py",
        "line": 1,
        "description": "",
        "code": "",
        "entity": ("city", "shop"),
        "timestamp": "known",
    }
    return Definition(**{**facts, **changes})


def table(rows: int = 4) -> pd.DataFrame:
    """Return prices, the last first."""
    return pd.DataFrame(
        {
            "city": ["Bern", "Graz"] * (rows // 2),
            "shop": np.arange(rows),
            "known": pd.date_range("2013-01-01", periods=rows)[::-1],
            "cents": np.arange(rows) * 100,
        }
    )


def shape(result: Any, **frames: pd.DataFrame) -> Shaped:
    """Return what is stored of a result."""
    return shaped(definition(), result, frames, NOW)


def check(made: Shaped) -> None:
    """Find the prices, sorted by time, under the feature's name."""
    assert made.table.column_names == ["city", "shop", "known", "price"]
    assert made.table["shop"].to_pylist() == [3, 2, 1, 0]
    assert made.table["price"].to_pylist() == [300, 200, 100, 0]
    assert made.table["known"].type == pa.timestamp("us", "UTC")
    assert made.table["known"][0].as_py() == datetime(2013, 1, 1, tzinfo=UTC)
    assert made.dropped == 0


@pytest.mark.parametrize(
    "result",
    [
        table,
        lambda: table().rename(columns={"cents": "price"}).assign(other=1),
        lambda: table().set_index(["known", "city"]),
        lambda: table().set_index(["shop", "known", "city"])["cents"],
        lambda: table().assign(more=1).set_index(["shop", "more", "known", "city"])["cents"],
        lambda: pl.from_pandas(table()),
        lambda: pa.Table.from_pandas(table(), preserve_index=False),
        lambda: table().convert_dtypes(dtype_backend="pyarrow"),
        lambda: table().astype({"city": "category", "cents": "Int64"}),
    ],
)
def test_tables(result: Any) -> None:
    """Keys and time are columns or levels of the index; the value has the name, or is alone."""
    check(shape(result()))


def test_column_of_a_table() -> None:
    """A column is joined with keys and time of the table that it has the index of."""
    frame = table()
    check(shape(frame["cents"] * 1, flights=frame))
    other = pd.DataFrame({"x": range(9)})
    check(shape(frame["cents"], other=other, flights=frame))


def test_nearest_table() -> None:
    """Of several tables with that index, the nearest that has keys and time is taken."""
    frame = table()
    without = frame[["cents"]]
    later = frame.assign(known=frame["known"] + pd.Timedelta(days=9))
    made = shape(frame["cents"], without=without, near=frame, far=later)
    check(made)


def test_part_of_a_table() -> None:
    """Rows that were left out, or sorted, are found by their labels."""
    frame = table()
    part = frame["cents"][frame["shop"] != 2]
    assert shape(part, flights=frame).table["shop"].to_pylist() == [3, 1, 0]
    turned = frame.sort_values("city")["cents"]
    check(shape(turned, flights=frame))


def test_index_that_counts() -> None:
    """A shorter index that merely counts says nothing of which rows are meant."""
    frame = table()
    part = frame["cents"][frame["shop"] != 2].reset_index(drop=True)
    with pytest.raises(FeatureFailed, match=r"^shops\.price has no city and shop and known"):
        shape(part, flights=frame)


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (pd.to_datetime(["2013-01-01 12:00+02:00"] * 4), "2013-01-01T10:00:00+00:00"),
        (
            pd.Series(pd.date_range("2013-07-01 12:00", periods=4, tz="Europe/Berlin")),
            "2013-07-01T10:00:00+00:00",
        ),
        (pd.Series([date(2013, 5, 6)] * 4, dtype=object), "2013-05-06T00:00:00+00:00"),
        (
            pd.Series(
                [datetime(2013, 5, 6, tzinfo=timezone(timedelta(hours=2)))] * 4, dtype=object
            ),
            "2013-05-05T22:00:00+00:00",
        ),
        (pd.Series([np.datetime64("2013-05-06", "s")] * 4), "2013-05-06T00:00:00+00:00"),
        (
            pd.Series(
                [datetime(2013, 5, 6, tzinfo=UTC)] * 4,
                dtype=pd.ArrowDtype(pa.timestamp("ns", "UTC")),
            ),
            "2013-05-06T00:00:00+00:00",
        ),
        (
            pd.Series([datetime(2013, 5, 6)] * 4, dtype=pd.ArrowDtype(pa.timestamp("ms"))),  # noqa: DTZ001
            "2013-05-06T00:00:00+00:00",
        ),
        (
            pd.Series([date(2013, 5, 6)] * 4, dtype=pd.ArrowDtype(pa.date32())),
            "2013-05-06T00:00:00+00:00",
        ),
    ],
)
def test_times(times: Any, first: str) -> None:
    """Times of all kinds become UTC's."""
    made = shape(table().assign(known=times))
    assert made.table["known"].type == pa.timestamp("us", "UTC")
    assert made.table["known"][0].as_py().isoformat() == first


def test_never_changing() -> None:
    """What has no time has one row for each key."""
    still = definition(timestamp=None, entity=("city",))
    frame = pd.DataFrame({"city": ["Graz", "Bern"], "price": [1, 2]})
    made = shaped(still, frame, {}, NOW)
    assert made.table.to_pydict() == {"city": ["Bern", "Graz"], "price": [2, 1]}
    with pytest.raises(FeatureFailed, match=r"2 values for city='Bern', .* name its timestamp\.$"):
        shaped(still, frame.assign(city="Bern"), {}, NOW)


def test_name_of_a_key() -> None:
    """A feature cannot be called like one of its keys."""
    with pytest.raises(FeatureFailed, match=r"^shops\.city has the name of one of its keys"):
        shaped(definition(name="city"), table(), {}, NOW)


def test_unsortable_keys() -> None:
    """Lists are no keys."""
    with pytest.raises(FeatureFailed, match=r"^shops\.price: known and city and shop cannot be ke"):
        shape(table().assign(city=[[1], [2], [3], [4]]))


def test_values_of_any_type() -> None:
    """Lists, texts, truths, times and bytes are stored as such."""
    for values, kind in [
        ([[1.0], [2.0, 3.0], [], None], pa.list_(pa.float64())),
        (["a", None, "b", "c"], pa.string()),
        ([True, False, True, False], pa.bool_()),
        ([b"a", b"b", b"c", b"d"], pa.binary()),
        (pd.date_range("2013", periods=4), pa.timestamp("us")),
        ([{"a": 1}] * 4, pa.struct([("a", pa.int64())])),
    ]:
        frame = table().drop(columns="cents").assign(price=values)
        assert shape(frame).table["price"].type == kind


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.integers(0, 3),
        st.one_of(st.none(), st.datetimes(datetime(2013, 1, 1), datetime(2013, 1, 3))),  # noqa: DTZ001
        st.floats(allow_nan=True, allow_infinity=False),
    ),
    max_size=30,
    unique_by=lambda row: row[:3],
)


@settings(deadline=None)
@given(_ROWS)
def test_any_rows(rows: list[tuple[Any, ...]]) -> None:
    """Whatever is returned: rows with keys and time are stored, each once, in order."""
    frame = pd.DataFrame(rows, columns=["city", "shop", "known", "price"])
    frame["known"] = pd.to_datetime(frame["known"])
    made = shape(frame)
    whole = frame.dropna(subset=["city", "shop", "known"])
    assert made.table.num_rows == len(whole)
    assert made.dropped == len(frame) - len(whole)
    stored = list(
        zip(*(made.table[each].to_pylist() for each in ("known", "city", "shop")), strict=True)
    )
    assert stored == sorted(stored)
    by_key = {
        (known.replace(tzinfo=UTC), city, shop): price
        for city, shop, known, price in whole.itertuples(index=False)
    }
    for key, price in zip(stored, made.table["price"].to_pylist(), strict=True):
        wanted = by_key[key]
        assert price == wanted or (price is None and np.isnan(wanted))
