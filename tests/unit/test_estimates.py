"""What is left of a run, by what earlier runs of the notebook took."""

from __future__ import annotations

import time

import pytest

from jupyter_mlops.app.estimates import remaining
from jupyter_mlops.app.live import Activity
from jupyter_mlops.store import Timing
from tests.support.records import a_sweep
from tests.support.tracked import a_run, an_attempt


def _activity(*done: float, cells: int, current: float | None) -> Activity:
    """A run that has executed some cells, and the next one for ``current`` seconds."""
    now = time.monotonic()
    return Activity(
        attempt=an_attempt(a_run(a_sweep())),
        began=now - sum(done) - (current or 0.0),
        cells=cells,
        cell=len(done) + 1,
        cell_began=None if current is None else now - current,
        cell_times=list(done),
    )


def _timings(*times: tuple[float, ...]) -> list[Timing]:
    return [Timing("s", sum(each) + 0.5, each) for each in times]


def test_cells_that_are_left_count_with_what_they_usually_take() -> None:
    """A slow first cell does not make the others slower, and the current one is used up."""
    timings = _timings((1.0, 10.0, 4.0), (1.0, 12.0, 4.0), (1.0, 14.0, 4.0))
    between = _activity(30.0, cells=3, current=None)
    assert remaining(between, 30.0, timings) == 16.0
    inside = _activity(1.0, cells=3, current=5.0)
    assert remaining(inside, 6.0, timings) == pytest.approx(11.0, abs=0.1)
    overdue = _activity(1.0, cells=3, current=60.0)
    assert remaining(overdue, 61.0, timings) == pytest.approx(4.0)
    last = _activity(1.0, 12.0, 4.0, cells=3, current=None)
    assert remaining(last, 17.0, timings) == 0.0


def test_other_cells_count_as_a_whole() -> None:
    """A notebook that had other cells then, or whose kernel still starts, is taken as a whole."""
    timings = _timings((8.0, 1.5), (9.0, 1.5), (10.0, 1.5))
    assert remaining(_activity(1.0, cells=3, current=1.0), 2.0, timings) == 9.0
    assert remaining(None, 4.0, timings) == 7.0
    assert remaining(None, 400.0, timings) == 0.0


def test_the_first_run_has_no_estimate() -> None:
    """Nothing is made up."""
    assert remaining(_activity(cells=3, current=1.0), 1.0, []) is None
