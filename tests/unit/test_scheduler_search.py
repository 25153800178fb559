"""The scheduler with a sampler that is asked and told, and with runs that are pruned."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_mlops.app import views
from jupyter_mlops.app.contexts import Contexts
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.recovery import recover
from jupyter_mlops.app.tasks import result_path
from jupyter_mlops.core.axes import Listed, Log, Range
from jupyter_mlops.core.executors import Outcome, Task
from jupyter_mlops.core.runs import MetricPoint, Reason, Run, Status, Sweep
from jupyter_mlops.core.search import Pruning, PruningRule, Sampler, Search
from jupyter_mlops.core.values import Value
from jupyter_mlops.execution import results
from jupyter_mlops.store import RunFilter, of_run, of_sweep, unpruned
from jupyter_mlops.testing import InMemoryExecutor, InMemorySearcher
from tests.support.bench import Bench, bench
from tests.support.records import a_machine, a_sweep

SEARCH = Search(
    sampler=Sampler.TPE,
    seed=1,
    trials=12,
    dimensions={
        "x": Range(start=0, step=1, count=1000, whole=True),  # type: ignore[arg-type]
        "rate": Log(first=1, last=10, count=2, whole=False),  # type: ignore[arg-type]
        "kind": Listed(("a", "b")),
    },
)
ASHA = Pruning(rule=PruningRule.ASHA, steps=2, factor=3)
POINTS: list[dict[str, Value]] = [{"x": x} for x in range(100, 120)]


def runs(b: Bench, sweep: Sweep) -> list[Run]:
    """The runs of a sweep in their order."""
    return b.store.history.runs(RunFilter(sweep_id=sweep.id))


def auc(task: Task) -> list[MetricPoint]:
    """Log the parameter x as a metric in three steps."""
    value = float(task.parameters["x"])
    return [MetricPoint(key="auc", value=value, step=step, time=1.0) for step in (1, 2, 3)]


async def test_points_are_asked_for_when_they_can_run(tmp_path: Path) -> None:
    """As many as there are cores; the others wait without parameters, counted as queued."""
    searcher = InMemorySearcher(POINTS)
    async with bench(tmp_path, cores=2, searcher=lambda _: searcher) as b:
        b.executor.open.clear()
        sweep = b.submit(6, search=SEARCH)
        await b.until(lambda: len(b.executor.running) == 2)
        assert sorted(searcher.asked) == [1, 2]
        assert [run.parameters for run in runs(b, sweep)] == [*POINTS[:2], {}, {}, {}, {}]
        counts = b.store.history.tallies([sweep.id])[sweep.id].counts
        assert counts == {Status.RUNNING: 2, Status.QUEUED: 4}
        b.executor.open.set()
        assert await b.done(sweep) == {Status.SUCCEEDED: 6}
        assert [run.parameters for run in runs(b, sweep)] == POINTS[:6]
        assert [run.id for run in runs(b, sweep)] == [f"{sweep.id}-{i}" for i in range(1, 7)]


async def test_results_are_told_before_the_next_question(tmp_path: Path) -> None:
    """A run with its metric, a failed one, after its retries, as failed."""

    def decide(task: Task) -> Outcome:
        if task.parameters["x"] == 101:
            return Outcome(status=Status.FAILED, reason=Reason.ERROR, has_output=False)
        return Outcome(status=Status.SUCCEEDED, has_output=False)

    searcher = InMemorySearcher(POINTS)
    async with bench(tmp_path, cores=1, decide=decide, searcher=lambda _: searcher) as b:
        b.executor.log = auc
        sweep = b.submit(4, search=SEARCH, retries=1)
        assert await b.done(sweep) == {Status.SUCCEEDED: 3, Status.FAILED: 1}
        assert runs(b, sweep)[1].attempts == 2
    # There is no further question after the last run.
    assert searcher.told == {1: 100.0, 2: None, 3: 102.0}


async def test_the_next_worker_goes_on(tmp_path: Path) -> None:
    """It learns from the store what was asked and told; lost runs keep their parameters."""
    made: list[InMemorySearcher] = []

    def open_next(_: Sweep) -> InMemorySearcher:
        made.append(InMemorySearcher(POINTS))
        return made[-1]

    async with bench(tmp_path, cores=1, searcher=open_next) as b:

        def hold(task: Task) -> list[MetricPoint]:
            if task.parameters == POINTS[2]:
                b.executor.open.clear()
            return auc(task)

        b.executor.log = hold
        sweep = b.submit(6, search=SEARCH)
        await b.until(lambda: f"{sweep.id}-3.1" in b.executor.running)
    async with bench(tmp_path, cores=1, searcher=open_next) as b:
        b.executor.log = auc
        assert runs(b, sweep)[2].parameters == POINTS[2]
        assert await b.done(sweep) == {Status.SUCCEEDED: 6}
        assert [run.parameters for run in runs(b, sweep)] == POINTS[:6]
        assert [run.attempts for run in runs(b, sweep)] == [1, 1, 2, 1, 1, 1]
    first, second = made
    assert list(second.asked.values()) == POINTS[:6]
    assert first.told == {1: 100.0, 2: 101.0}
    assert second.told == {i: 99.0 + i for i in range(1, 6)}


def runs_of(folder: Path, sweep: Sweep) -> list[Run]:
    """The runs of a sweep in a project without a worker."""
    b = Bench(folder, a_machine(1), InMemoryExecutor())
    found = runs(b, sweep)
    b.store.close()
    return found


async def _points(folder: Path, *stops: int) -> list[dict[str, Any]]:
    """Run a sweep with Optuna on one core, with the worker replaced after some of its runs."""
    sweep = replace(a_sweep(), total=12, search=SEARCH)
    for stop in (*stops, 12):
        last = f"{sweep.id}-{stop}"
        async with bench(folder, cores=1) as b:
            b.executor.log = auc
            if not b.store.history.sweeps():
                b.store.queue.submit(sweep, ({} for _ in range(12)))
                b.scheduler.wake()
            await b.until(partial(_has_finished, b, last))
    return [run.parameters for run in runs_of(folder, sweep)]


def _has_finished(b: Bench, run_id: str) -> bool:
    return b.store.history.run(run_id).status.finished


async def test_a_seed_gives_the_same_points_through_changes_of_workers(tmp_path: Path) -> None:
    """What Optuna asks depends on the seed and the results, not on who lived how long."""
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = await _points(tmp_path / "whole")
    assert len({str(point) for point in whole}) == 12
    assert await _points(tmp_path / "broken", 3, 11) == whole


async def test_a_run_that_is_tried_again_is_told_again(tmp_path: Path) -> None:
    """What was told of it cannot be taken back: another searcher learns the whole story."""
    made: list[InMemorySearcher] = []

    def open_next(_: Sweep) -> InMemorySearcher:
        made.append(InMemorySearcher(POINTS))
        return made[-1]

    fails = {100}

    def decide(task: Task) -> Outcome:
        failed = task.parameters["x"] in fails
        return Outcome(status=Status.FAILED if failed else Status.SUCCEEDED, has_output=False)

    async with bench(tmp_path, cores=1, decide=decide, searcher=open_next) as b:
        b.executor.log = auc
        sweep = b.submit(4, search=SEARCH)
        await b.until(lambda: runs(b, sweep)[1].status.finished)
        b.executor.open.clear()
        await b.until(lambda: f"{sweep.id}-3.1" in b.executor.running)
        fails.clear()
        assert b.store.queue.retry(of_run(f"{sweep.id}-1")) == 1
        b.executor.open.set()
        assert await b.done(sweep) == {Status.SUCCEEDED: 4}
        assert runs(b, sweep)[0].parameters == POINTS[0]
        assert [run.attempts for run in runs(b, sweep)] == [2, 1, 1, 1]
    assert made[0].told[1] is None
    assert made[-1] is not made[0]


async def test_runs_that_lag_behind_are_pruned(tmp_path: Path) -> None:
    """They end as cancelled with the reason and the rank, are not retried, and fail nothing."""
    searcher = InMemorySearcher(POINTS, lambda step, value: step == 2 and value < 102)
    async with bench(tmp_path, cores=4, searcher=lambda _: searcher) as b:
        b.executor.open.clear()
        b.executor.log = auc
        sweep = b.submit(5, search=SEARCH, pruning=ASHA, retries=3)
        await b.until(lambda: runs(b, sweep)[1].status.finished)
        await b.until(lambda: runs(b, sweep)[0].status.finished)
        b.executor.open.set()
        assert await b.done(sweep) == {Status.SUCCEEDED: 3, Status.CANCELLED: 2}
        pruned = runs(b, sweep)[:2]
        assert {run.reason for run in pruned} == {Reason.PRUNED}
        assert pruned[0].error == "Pruned at step 2: auc 100 ranked 2 of 2."
        assert pruned[0].metrics == {"auc": 100.0}
        assert [run.attempts for run in pruned] == [1, 1]
        assert searcher.reported[1] == [(1, 100.0), (2, 100.0)]
        tally = b.store.history.tallies([sweep.id])[sweep.id]
        assert tally.pruned == 2
        assert views.status_of(tally) is Status.SUCCEEDED
        assert b.store.queue.retry(unpruned(sweep.id)) == 0
        tags = [r.tags for r in b.tracker.recorded.values() if r.run_id == pruned[0].id]
        assert tags[0]["mlops.reason"] == "pruned"


async def test_pruned_runs_are_told_as_such(tmp_path: Path) -> None:
    """The sampler hears which runs were stopped."""
    searcher = InMemorySearcher(POINTS, lambda step, _: step == 2)
    async with bench(tmp_path, cores=1, searcher=lambda _: searcher) as b:
        b.executor.open.clear()
        b.executor.log = auc
        sweep = b.submit(3, search=SEARCH, pruning=ASHA)
        assert await b.done(sweep) == {Status.CANCELLED: 3}
        assert searcher.pruned >= {1, 2}


async def test_a_grid_is_pruned_too(tmp_path: Path) -> None:
    """Without a sampler Optuna still compares the runs at each rung."""
    async with bench(tmp_path, cores=1) as b:

        def hold(task: Task) -> list[MetricPoint]:
            if task.parameters["x"]:
                b.executor.open.clear()
            return auc(task)

        b.executor.log = hold
        sweep = b.submit(6, pruning=replace(ASHA, steps=1), maximize=False)
        # The smaller the better: all after the first lag behind it.
        assert await b.done(sweep) == {Status.SUCCEEDED: 1, Status.CANCELLED: 5}
        last = runs(b, sweep)[-1]
        assert last.error == "Pruned at step 1: auc 5 ranked 6 of 6."


async def test_a_sampler_that_fails_ends_its_sweep(tmp_path: Path) -> None:
    """Its queued runs fail and say why; other sweeps go on."""
    async with bench(tmp_path, cores=1, searcher=lambda _: InMemorySearcher(POINTS[:2])) as b:
        sweep = b.submit(5, search=SEARCH)
        other = b.submit(2)
        assert await b.done(sweep) == {Status.SUCCEEDED: 2, Status.FAILED: 3}
        assert await b.done(other) == {Status.SUCCEEDED: 2}
        last = runs(b, sweep)[-1]
        assert last.reason is Reason.INTERNAL
        assert last.error is not None
        assert last.error.startswith("The sampler failed. Try again without --sampler")
        await asyncio.gather(*b.scheduler._tasks)
        assert b.slots.held == 0
        assert b.scheduler.problem is None


async def test_cancelled_before_it_was_asked_for(tmp_path: Path) -> None:
    """A run without parameters is cancelled like any other, and asked for if it is tried again."""
    searcher = InMemorySearcher(POINTS)
    async with bench(tmp_path, cores=1, searcher=lambda _: searcher) as b:
        b.executor.open.clear()
        sweep = b.submit(3, search=SEARCH)
        await b.until(lambda: len(b.executor.running) == 1)
        assert b.store.queue.cancel(of_sweep(sweep.id)) == [f"{sweep.id}-1"]
        await b.scheduler.cancel([f"{sweep.id}-1"])
        assert await b.done(sweep) == {Status.CANCELLED: 3}
        b.executor.open.set()
        assert b.store.queue.retry(unpruned(sweep.id)) == 3
        b.scheduler.wake()
        assert await b.done(sweep) == {Status.SUCCEEDED: 3}
        assert len({str(run.parameters) for run in runs(b, sweep)}) == 3


def test_a_pruned_run_is_known_after_a_crash(tmp_path: Path) -> None:
    """The worker died between stopping it and recording that; its runner left the result."""
    b = Bench(tmp_path, a_machine(1), InMemoryExecutor())
    sweep = b.submit(1, pruning=ASHA)
    attempt = b.store.queue.claim(f"{sweep.id}-1", worker="w", fence=1)
    assert attempt is not None
    b.store.attempts.prune(attempt, "Pruned at step 2: auc 1 ranked 2 of 2.")
    project = find_project(tmp_path)
    left = result_path(project, attempt)
    left.parent.mkdir()
    cancelled = Outcome(status=Status.CANCELLED, reason=Reason.USER, has_output=False)
    results.write(left, results.Result(outcome=cancelled))
    recover(project, b.store, Contexts(project), worker="w2", fence=2)
    (run,) = runs(b, sweep)
    assert (run.status, run.reason) == (Status.CANCELLED, Reason.PRUNED)
    assert run.error == "Pruned at step 2: auc 1 ranked 2 of 2."
    b.store.close()
