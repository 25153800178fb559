"""Numbers, times, sizes and states as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core import formats
from jupyter_mlops.core.runs import Status


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.73114, "0.7311"),
        (0.1, "0.1"),
        (0.30000000000000004, "0.3"),
        (0.00012345, "0.0001234"),
        (0.000012345, "1.234e-05"),
        (12.3456, "12.35"),
        (999.96, "1000"),
        (12345.678, "12346"),
        (1.5e9, "1.5e+09"),
        (3.0, "3"),
        (-0.5, "-0.5"),
        (336_776, "336776"),
        (10**20, "100000000000000000000"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers(value: float, shown: str) -> None:
    """A number has at most four significant digits, a whole one all of its digits."""
    assert formats.number(value) == shown


@given(st.floats(min_value=1e-4, max_value=1e7, exclude_max=True))
def test_numbers_stay_close(value: float) -> None:
    """What is shown differs from the value by less than half a unit of the fourth digit."""
    assert math.isclose(float(formats.number(value)), value, rel_tol=6e-4)


@pytest.mark.parametrize(
    ("encoded", "shown"),
    [
        (True, "true"),
        (None, "null"),
        ("a\nb", "a\\nb"),
        ({"$float": "nan"}, "nan"),
        ([1, 2], "[1, 2]"),
        ("x" * 40, "x" * 29 + "…"),
    ],
)
def test_values(encoded: object, shown: str) -> None:
    """An encoded value is one short line."""
    assert formats.value(encoded) == shown  # type: ignore[arg-type]


def test_parameters() -> None:
    """Parameters read as one would write them, cut where there is no room."""
    assert formats.pairs({"depth": 3, "rate": 0.1}) == "depth=3 rate=0.1"
    assert formats.pairs({"name": "y" * 25}, limit=10) == "name=yyyy…"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0.04, "0.0 s"),
        (4.23, "4.2 s"),
        (99.94, "99.9 s"),
        (99.96, "1 min 40 s"),
        (190, "3 min 10 s"),
        (3599.6, "1 h"),
        (7500, "2 h 5 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations(seconds: float | None, shown: str) -> None:
    """A duration has one unit or two."""
    assert formats.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0.2, "~1 s left"),
        (7.4, "~7 s left"),
        (22, "~20 s left"),
        (98, "~1 min 40 s left"),
    ],
)
def test_time_left(seconds: float | None, shown: str) -> None:
    """An estimate is rounded like one."""
    assert formats.remaining(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (20_600_000, "20.6 MB"), (10**18, "1000 PB")],
)
def test_sizes(count: int, shown: str) -> None:
    """Sizes are decimal, as disks are sold."""
    assert formats.size(count) == shown


def test_relative_times() -> None:
    """A time is told by how long ago it was."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert formats.ago(now - timedelta(seconds=5), now) == "just now"
    assert formats.ago(now - timedelta(seconds=150), now) == "2 min ago"
    assert formats.ago(now - timedelta(hours=30), now) == "1 d ago"
    assert formats.ago(None) == ""


def test_states() -> None:
    """Every state has a shape and a word; a running one says at which cell it is."""
    assert {formats.state(status).split()[1] for status in Status} == {str(each) for each in Status}
    assert len(set(formats.MARKS.values())) == len(Status)
    assert formats.state(Status.RUNNING, cell=3, cells=7) == "◐ cell 3/7"
