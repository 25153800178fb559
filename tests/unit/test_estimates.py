"""What is left of a run, by what earlier runs of the notebook took."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jupyter_mlops.app.estimates import Estimates, remaining
from jupyter_mlops.app.live import Activity
from jupyter_mlops.core.executors import Outcome, Task
from jupyter_mlops.core.runs import Status, SweepKind
from jupyter_mlops.store import Timing
from tests.support.bench import bench
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


async def test_a_run_that_goes_on_is_shown_with_its_times(tmp_path: Path) -> None:
    """What finished runs of the notebook took is the estimate of the next; not for a session."""

    def took(task: Task) -> Outcome:
        return Outcome(
            status=Status.SUCCEEDED, duration=30.0, cell_times=(10.0, 20.0), has_output=False
        )

    async with bench(tmp_path, decide=took) as b:
        await b.done(b.submit(3))
        b.executor.open.clear()
        sweep = b.submit(1)
        await b.until(lambda: b.store.history.run(f"{sweep.id}-1").cell == 1)
        estimates = Estimates(b.store, b.scheduler.live)
        run = b.store.history.run(f"{sweep.id}-1")
        elapsed, left = estimates.of_run(run, sweep.kind)
        assert elapsed is not None
        assert 0 <= elapsed < 10
        assert left == pytest.approx(30 - elapsed, abs=0.5)
        assert estimates.of_run(run, SweepKind.SESSION)[1] is None
        assert estimates.usual(sweep.notebook) == 30.0
        assert estimates.usual("other.ipynb") is None
        b.executor.open.set()
        await b.done(sweep)
        assert estimates.of_run(b.store.history.run(run.id), sweep.kind) == (None, None)
