"""The scheduler on in-memory engines: turns, cores, cancelling, and trackers that are away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.recorder import Recorder
from jupyter_mlops.app.scheduler import Scheduler
from jupyter_mlops.core.ports import Outcome, Task
from jupyter_mlops.core.runs import Reason, Status, Sweep
from jupyter_mlops.execution.slots import Slots
from jupyter_mlops.store import RunFilter, Store, of_sweep
from jupyter_mlops.testing import InMemoryExecutor, InMemoryRegistry, InMemoryTracker
from tests.support.records import a_machine, a_sweep


class Bench:
    """A scheduler with everything around it in memory, but for a small database."""

    def __init__(self, folder: Path, cores: int, executor: InMemoryExecutor) -> None:
        (folder / "mlops.toml").touch()
        project = find_project(folder)
        (project.state / "logs").mkdir(parents=True)
        self.store = Store(project.id, url=None, state=project.state)
        self.tracker = InMemoryTracker()
        self.executor = executor
        self.slots = Slots(folder, project.id, machine=a_machine(cores))
        self.recorder = Recorder(
            self.store,
            lambda: self.tracker,
            lambda: InMemoryRegistry(self.tracker),
            lambda _: None,
            kernel_environment={},
        )
        self.scheduler = Scheduler(
            project,
            self.store,
            self.recorder,
            {"local": executor},
            self.slots,
            worker="w",
            fence=1,
        )

    def submit(self, number: int, **changes: Any) -> Sweep:
        """Queue a sweep."""
        sweep = a_sweep(total=number, **changes)
        self.store.queue.submit(sweep, ({"x": x} for x in range(number)))
        self.scheduler.wake()
        return sweep

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a change of the store that makes the condition true."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        self.store.listeners.append(lambda: loop.call_soon_threadsafe(changed.set))
        while not condition():
            await changed.wait()
            changed.clear()

    async def done(self, sweep: Sweep) -> dict[Status, int]:
        """Wait until all runs of a sweep have ended."""
        await self.until(lambda: not self.store.history.tallies([sweep.id])[sweep.id].unfinished)
        while self.scheduler.running and not self.executor.running:
            await asyncio.gather(*self.scheduler._tasks)
        return self.store.history.tallies([sweep.id])[sweep.id].counts


@asynccontextmanager
async def bench(
    folder: Path, *, cores: int = 2, decide: Callable[[Task], Outcome] | None = None
) -> AsyncIterator[Bench]:
    """Run a scheduler and its recorder for a while."""
    made = Bench(folder, cores, InMemoryExecutor(decide))
    loops = [asyncio.create_task(each) for each in (made.scheduler.run(), made.recorder.run())]
    yield made
    for each in loops:
        each.cancel()
    results = await asyncio.gather(*loops, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in results), results
    await made.scheduler.close()
    await made.recorder.close()
    made.store.close()


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
