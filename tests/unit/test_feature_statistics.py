"""What is told of stored values, and of what it took to compute them."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.catalog.measuring import Meter
from jupyter_mlops.catalog.statistics import describe
from jupyter_mlops.catalog.tables import connected
from jupyter_mlops.core.features import Statistics


def told(folder: Path, values: Any, kind: pa.DataType | None = None) -> Statistics:
    """Return the statistics of values in two files."""
    column = pa.array(values, kind, from_pandas=True)
    files = []
    for number, part in enumerate((column[: len(column) // 2], column[len(column) // 2 :])):
        files.append(folder / f"{number}.parquet")
        pq.write_table(pa.table({"v": part}), files[-1])
    with connected() as connection:
        return describe(connection, files, "v", None)[0]


def test_numbers(tmp_path: Path) -> None:
    """Numbers have a mean and a histogram; what is missing or infinite is in neither."""
    found = told(tmp_path, [1.0, 2.0, None, 4.0, math.inf, -math.inf, 4.0])
    assert (found.rows, found.missing, found.distinct) == (7, 1, 5)
    assert (found.minimum, found.maximum, found.mean) == (1.0, 4.0, 2.75)
    assert found.deviation == pytest.approx(1.5)
    assert (found.edges[0], found.edges[-1], len(found.edges)) == (1.0, 4.0, 21)
    assert sum(found.counts) == 4
    assert (found.counts[0], found.counts[-1]) == (1, 2)


@settings(deadline=None)
@given(st.lists(st.floats(-1e300, 1e300) | st.none(), max_size=40))
def test_any_numbers(tmp_path_factory: pytest.TempPathFactory, values: list[float | None]) -> None:
    """Whatever the numbers, each is in one bar, and what is told is finite."""
    found = told(tmp_path_factory.mktemp("values"), values, pa.float64())
    present = [each for each in values if each is not None]
    assert sum(found.counts) == len(present)
    assert found.missing == len(values) - len(present)
    if present:
        assert (found.minimum, found.maximum) == (min(present), max(present))
        assert list(found.edges) == sorted(found.edges)
        assert all(map(math.isfinite, found.edges))


def test_histogram_is_numpys(tmp_path: Path) -> None:
    """The bars are those that NumPy would draw."""
    values = np.random.default_rng(7).normal(size=5000)
    found = told(tmp_path, values)
    counts, edges = np.histogram(values, bins=20)
    assert found.edges == pytest.approx(tuple(edges))
    assert found.counts == tuple(counts)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([3, 3, 3], pa.int8()),
        ([3, 3, 3], pa.uint64()),
        ([3, 3, 3], pa.float32()),
        ([None, 3, 3], pa.decimal128(8, 2)),
    ],
)
def test_equal_numbers(tmp_path: Path, values: list[Any], kind: pa.DataType) -> None:
    """Equal numbers of any type make one bar."""
    found = told(tmp_path, values, kind)
    assert (found.minimum, found.maximum) == (3.0, 3.0)
    assert found.counts == (3 - found.missing,)
    assert found.edges == (3.0, 3.0)


def test_times(tmp_path: Path) -> None:
    """Times are numbers of seconds."""
    days = [datetime(2013, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    found = told(tmp_path, days, pa.timestamp("us", "UTC"))
    assert found.minimum == datetime(2013, 1, 1, tzinfo=UTC).timestamp()
    assert found.maximum == datetime(2013, 1, 3, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("values", "frequent"),
    [
        (["b", "a", "b", None], (("b", 2), ("a", 1))),
        ([True, False, True, None], (("true", 2), ("false", 1))),
        ([[1], [1], [2], None], (("[1]", 2), ("[2]", 1))),
        ([None, None, None, None], ()),
    ],
)
def test_others(tmp_path: Path, values: list[Any], frequent: tuple[Any, ...]) -> None:
    """Of anything else the most frequent values are told."""
    found = told(tmp_path, values)
    assert found.values == frequent
    assert found.missing == values.count(None)
    assert found.minimum is None
    assert found.edges == ()


def test_long_text(tmp_path: Path) -> None:
    """Of many long texts 20 are told, cut to 80 letters."""
    found = told(tmp_path, [f"{number:03}" + "x" * 200 for number in range(100)])
    assert found.distinct == 100
    assert len(found.values) == 20
    assert {len(text) for text, _ in found.values} == {80}


def test_memory_and_time() -> None:
    """The most memory during a block is told, also where the process has had more before."""
    with Meter() as meter:
        with meter.block() as large:
            block = np.ones(300 << 17)  # 300 MB
            del block
        with meter.block() as small:
            pass
        with meter.block() as again:
            block = np.ones(200 << 17)
            del block
    assert large.peak is not None
    assert small.peak is not None
    assert again.peak is not None
    assert large.peak - small.peak > 250 << 20
    assert 150 << 20 < again.peak - small.peak < 250 << 20
    assert 0 < small.seconds < large.seconds


def test_memory_of_what_holds_the_interpreter() -> None:
    """It is seen, too, while no other thread of this process can run."""
    with Meter() as meter:
        list(range(12_000_000))  # so that the mark is not moved
        with meter.block() as small:
            pass
        with meter.block() as spent:
            list(range(9_000_000))  # 350 MB in one step
    assert spent.peak is not None
    assert small.peak is not None
    assert spent.peak - small.peak > 200 << 20


def test_memory_after_an_error() -> None:
    """What failed is measured, and the next block, too."""
    with Meter() as meter:
        with contextlib.suppress(ValueError), meter.block() as failed:
            raise ValueError
        with meter.block() as after:
            pass
    assert failed.peak
    assert after.peak
