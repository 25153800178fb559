"""The scheduler on in-memory engines: turns, cores, cancelling, and trackers that are away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jupyter_mlops.core.ports import Outcome, Task
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.store import RunFilter, of_sweep
from tests.support.bench import bench


async def test_every_run_is_executed_within_the_cores(tmp_path: Path) -> None:
    """Never more at a time than there are cores, and all of them in the end."""
    async with bench(tmp_path, cores=3) as b:
        b.executor.open.clear()
        sweep = b.submit(20)
        await b.until(lambda: len(b.executor.running) == 3)
        b.executor.open.set()
        assert await b.done(sweep) == {Status.SUCCEEDED: 20}
        assert b.executor.most == 3
        assert b.slots.held == 0


async def test_a_wide_run_waits_for_its_cores(tmp_path: Path) -> None:
    """A run of two cores does not start beside one that holds one of two."""
    async with bench(tmp_path, cores=2) as b:
        b.executor.open.clear()
        narrow = b.submit(1)
        wide = b.submit(1, cpus=2)
        await b.until(lambda: bool(b.executor.running))
        assert list(b.executor.running) == [f"{narrow.id}-1.1"]
        b.executor.open.set()
        assert await b.done(wide) == {Status.SUCCEEDED: 1}
        assert b.executor.most == 1


async def test_one_that_waits_for_runs_holds_no_core(tmp_path: Path) -> None:
    """On one core an attempt that waits for others lets them run, and gets its core back."""
    async with bench(tmp_path, cores=1) as b:
        b.executor.open.clear()
        outer = b.submit(1)
        await b.until(lambda: bool(b.executor.running))
        with b.scheduler.waiting(f"{outer.id}-1.1"):
            inner = b.submit(1)
            await b.until(lambda: f"{inner.id}-1.1" in b.executor.running)
            await b.executor.cancel(f"{inner.id}-1.1")
            assert await b.done(inner) == {Status.CANCELLED: 1}
        b.executor.open.set()
        assert await b.done(outer) == {Status.SUCCEEDED: 1}
        assert b.slots.held == 0


async def test_cancel_reaches_what_runs(tmp_path: Path) -> None:
    """Running attempts end as cancelled and are not tried again."""
    async with bench(tmp_path) as b:
        b.executor.open.clear()
        sweep = b.submit(5, retries=3)
        await b.until(lambda: len(b.executor.running) == 2)
        await b.scheduler.cancel(b.store.queue.cancel(of_sweep(sweep.id)))
        assert await b.done(sweep) == {Status.CANCELLED: 5}


async def test_failures_are_tried_again(tmp_path: Path) -> None:
    """Each retry is an attempt with a tracked run of its own; earlier ones are hidden."""

    def decide(task: Task) -> Outcome:
        if task.attempt_id.endswith(".3"):
            return Outcome(status=Status.SUCCEEDED, has_output=False)
        return Outcome(status=Status.FAILED, reason=Reason.ERROR, error="no", has_output=False)

    async with bench(tmp_path, decide=decide) as b:
        sweep = b.submit(1, retries=2)
        assert await b.done(sweep) == {Status.SUCCEEDED: 1}
        tracked = [r for r in b.tracker.recorded.values() if r.run_id is not None]
        assert [r.hidden for r in tracked] == [True, True, False]
        assert tracked[-1].status is Status.SUCCEEDED


async def test_runs_go_on_while_the_tracker_is_away(tmp_path: Path) -> None:
    """The runs succeed; what was missed is recorded when the tracker is back."""
    async with bench(tmp_path) as b:
        b.tracker.available = False
        sweep = b.submit(3)
        assert await b.done(sweep) == {Status.SUCCEEDED: 3}
        assert len(b.store.history.unsynced()) == 3
        assert b.recorder.problem is not None
        b.tracker.available = True
        while b.store.history.unsynced():  # noqa: ASYNC110  # it tries again by the clock
            await asyncio.sleep(0.05)
        recorded = [r for r in b.tracker.recorded.values() if r.run_id is not None]
        assert {r.run_id for r in recorded} == {
            r.id for r in b.store.history.runs(RunFilter(sweep_id=sweep.id))
        }
        assert {r.status for r in recorded} == {Status.SUCCEEDED}


@pytest.mark.parametrize("number", [300])
async def test_many_runs_cost_little(tmp_path: Path, number: int) -> None:
    """Runs that do nothing leave nothing behind in the scheduler."""
    async with bench(tmp_path, cores=4) as b:
        assert await b.done(b.submit(number)) == {Status.SUCCEEDED: number}
        assert b.scheduler.running == 0
        assert not b.executor.running
