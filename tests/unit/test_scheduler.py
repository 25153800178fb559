"""The scheduler on in-memory engines: turns, cores, cancelling, and trackers that are away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jupyter_mlops.app.admission import Admission
from jupyter_mlops.core.executors import Outcome, Task
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.store import RunFilter, of_sweep
from tests.support.bench import Bench, bench
from tests.support.records import a_machine, a_sweep


async def _served(b: Bench, number: int) -> list[str]:
    """Let one attempt end after the other; return the runs in the order of their attempts."""
    order: list[str] = []

    def new() -> list[str]:
        runs = (each.removesuffix(".1") for each in b.executor.running)
        return [each for each in runs if each not in order]

    while len(order) < number:
        await b.until(lambda: bool(new()))
        order.extend(new())
        await b.executor.cancel(f"{order[len(order) - len(b.executor.running)]}.1")
    return order


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


async def test_who_came_first_is_served_first(tmp_path: Path) -> None:
    """On one core sweeps follow each other, their runs in order."""
    async with bench(tmp_path, cores=1) as b:
        b.executor.open.clear()
        first, second = b.submit(3), b.submit(3)
        order = await _served(b, 6)
        assert order == [f"{s.id}-{i}" for s in (first, second) for i in (1, 2, 3)]


async def test_sweeps_take_turns(tmp_path: Path) -> None:
    """The sweep with the fewest running attempts goes first, the oldest among equals."""
    async with bench(tmp_path, cores=2) as b:
        b.executor.open.clear()
        first = b.submit(4)
        await b.until(lambda: len(b.executor.running) == 2)
        second = b.submit(2)
        order = await _served(b, 6)
        assert [each.partition("-")[0] for each in order[2:4]] == [second.id, first.id]
        assert set(order) == {f"{s.id}-{i}" for s in (first, second) for i in range(1, s.total + 1)}


async def test_what_is_urgent_goes_first(tmp_path: Path) -> None:
    """A later sweep of higher priority overtakes all that waits, not what runs."""
    async with bench(tmp_path, cores=1) as b:
        b.executor.open.clear()
        usual = b.submit(3)
        await b.until(lambda: bool(b.executor.running))
        urgent, idle = b.submit(2, priority=5), b.submit(1, priority=-1)
        order = await _served(b, 6)
        assert order == [
            f"{usual.id}-1",
            *(f"{urgent.id}-{i}" for i in (1, 2)),
            *(f"{usual.id}-{i}" for i in (2, 3)),
            f"{idle.id}-1",
        ]


async def test_others_pass_who_do_not_want_what_is_scarce(tmp_path: Path) -> None:
    """Who waits for a GPU holds up only those that want one too."""
    machine = a_machine(4, gpus=("0",))
    async with bench(tmp_path, machine=machine) as b:
        b.executor.open.clear()
        holder = b.submit(1, gpus=1)
        waits, plain = b.submit(1, gpus=1), b.submit(1)
        await b.until(lambda: len(b.executor.running) == 2)
        assert set(b.executor.running) == {f"{holder.id}-1.1", f"{plain.id}-1.1"}
        b.executor.open.set()
        assert await b.done(waits) == {Status.SUCCEEDED: 1}


async def test_memory_bounds_what_runs_together(tmp_path: Path) -> None:
    """Of three that want 3 GB each, two run at a time on a machine of 8 GB."""
    async with bench(tmp_path, cores=4) as b:
        b.executor.open.clear()
        sweep = b.submit(3, memory=3_000_000_000)
        await b.until(lambda: len(b.executor.running) == 2)
        b.executor.open.set()
        assert await b.done(sweep) == {Status.SUCCEEDED: 3}
        assert b.executor.most == 2


async def test_the_need_of_memory_is_learned(tmp_path: Path) -> None:
    """What earlier runs of the notebook used bounds later ones that ask for nothing."""

    def decide(_: Task) -> Outcome:
        return Outcome(status=Status.SUCCEEDED, has_output=False, peak_memory=2_900_000_000)

    async with bench(tmp_path, cores=4, decide=decide) as b:
        assert await b.done(b.submit(1)) == {Status.SUCCEEDED: 1}
        other = b.submit(4, notebook="other.ipynb")
        assert await b.done(other) == {Status.SUCCEEDED: 4}
        b.executor.open.clear()
        b.executor.most = 0
        later = b.submit(4)
        await b.until(lambda: len(b.executor.running) == 2)
        b.executor.open.set()
        assert await b.done(later) == {Status.SUCCEEDED: 4}
        assert b.executor.most == 2
        known = Admission(b.store, {"local": b.slots}).request(a_sweep())
        assert known.memory == 2_900_000_000 * 1.2
        assert Admission(b.store, {"local": b.slots}).request(a_sweep(memory=7)).memory == 7


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
