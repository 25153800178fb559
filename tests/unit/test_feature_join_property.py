"""The join by DuckDB gives what pandas' merge_asof gives, whatever the tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.catalog import asof
from jupyter_mlops.catalog.joining import training_set
from tests.support.stored import declared, project, store

#: Times lie close together, so that they often are the same, or exactly a ttl apart.
MOMENTS = st.integers(-40, 40)
KEYS = st.integers(0, 3)
VALUES = st.one_of(st.none(), st.integers(-5, 5))
UNITS = st.sampled_from(["s", "ms", "us", "ns"])
ZONES = st.sampled_from([None, "UTC", "America/New_York"])


@st.composite
def stored_values(draw: st.DrawFn) -> pd.DataFrame:
    """Draw values of a feature, one for each key and time."""
    where = draw(st.lists(st.tuples(KEYS, KEYS, MOMENTS), unique=True, max_size=30))
    found = draw(st.lists(VALUES, min_size=len(where), max_size=len(where)))
    frame = pd.DataFrame(where, columns=["a", "b", "at"]).assign(value=found)
    frame["at"] = pd.to_datetime(frame["at"].astype("int64"), unit="s", utc=True).dt.as_unit("us")
    return frame.astype({"a": "int64", "b": "int64", "value": "float64"})


@st.composite
def rows(draw: st.DrawFn) -> pd.DataFrame:
    """Draw rows of entities, with duplicates, missing keys and missing times."""
    key = st.one_of(st.none(), KEYS)
    one = st.tuples(key, KEYS, st.one_of(st.none(), MOMENTS))
    frame = pd.DataFrame(draw(st.lists(one, max_size=40)), columns=["a", "b", "at"])
    times = pd.to_datetime(frame["at"].astype("float64"), unit="s", utc=True)
    frame["at"] = times.dt.as_unit(draw(UNITS)).dt.tz_convert(draw(ZONES))
    return frame.astype({"a": "float64", "b": "int64"})


def by_pandas(entities: pd.DataFrame, stored: pd.DataFrame, ttl: int | None) -> pd.Series:
    """Join with merge_asof, which takes neither missing keys or times nor unsorted rows."""
    times = entities["at"].dt.tz_localize("UTC") if entities["at"].dt.tz is None else entities["at"]
    left = entities.assign(row=range(len(entities)), at=times.dt.tz_convert("UTC").dt.as_unit("us"))
    usable = left.dropna().astype({"a": "int64"}).sort_values("at", kind="stable")
    joined = pd.merge_asof(
        usable,
        stored.sort_values("at", kind="stable"),
        on="at",
        by=["a", "b"],
        tolerance=None if ttl is None else pd.Timedelta(seconds=ttl),
    )
    return joined.set_index("row")["value"].reindex(range(len(entities)))


@pytest.fixture(scope="module")
def root() -> Path:
    """Return a folder for all examples."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    entities=rows(),
    values=stored_values(),
    ttl=st.one_of(st.none(), st.integers(0, 30)),
    pieces=st.integers(1, 4),
    piece=st.sampled_from([1, 7, 2_000_000]),
)
def test_as_merge_asof(
    root: Path,
    entities: pd.DataFrame,
    values: pd.DataFrame,
    ttl: int | None,
    pieces: int,
    piece: int,
) -> None:
    """Each row has the value that merge_asof finds, rows that it cannot join have none."""
    code = declared("value", entity=("a", "b"), ttl="" if ttl is None else f"{ttl}s")
    place, catalog = project(root, shop=code)
    store(place, catalog, "value", values, pieces=pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asof, "_PIECE", piece)
        found = training_set(place, catalog, entities, ["value"]).table
    pd.testing.assert_frame_equal(found[["a", "b", "at"]], entities)
    expected = by_pandas(entities, values, ttl)
    np.testing.assert_array_equal(found["value"].astype("float64"), expected.to_numpy())
