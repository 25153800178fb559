"""What the recorder does while the tracker is away, and when it is back."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_mlops.app import recorder
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import SESSION, Attempt, MetricPoint, Run, Status, Sweep, SweepKind
from jupyter_mlops.store import of_sweep
from jupyter_mlops.testing import RecordedRun
from tests.support.bench import Bench, bench
from tests.support.records import a_sweep
from tests.support.tracked import a_run, an_attempt

POINT = MetricPoint(key="loss", value=0.5, step=1, time=10.0)


def open_session(b: Bench) -> tuple[Sweep, Run, Attempt]:
    """Open a session, as its use case does before it asks the recorder."""
    sweep = a_sweep(kind=SweepKind.SESSION, executor=SESSION, total=1)
    run = a_run(sweep, parameters={"a": 1})
    attempt = replace(an_attempt(run), executor=SESSION)
    b.store.attempts.open_session(sweep, run, attempt)
    return sweep, run, attempt


def recorded(b: Bench, run: Run) -> RecordedRun | None:
    """What the tracker has of a run."""
    return next((each for each in b.tracker.recorded.values() if each.run_id == run.id), None)


async def come_back(b: Bench) -> None:
    """Let the tracker be there again, and wait until nothing waits any more."""
    b.tracker.available = True
    while await b.recorder.waiting() or b.recorder.problem:
        b.recorder.catch_up(now=True)
        await asyncio.sleep(0.02)  # it works by the clock


async def test_what_begins_while_it_is_away_appears_while_it_runs(tmp_path: Path) -> None:
    """Its beginning, parameters and metrics do not wait for its end."""
    async with bench(tmp_path) as b:
        b.tracker.available = False
        sweep, run, attempt = open_session(b)
        assert await b.recorder.begin(sweep, run, attempt) == {}
        b.store.attempts.progress(attempt, logged=[POINT])
        b.recorder.logged(attempt)
        assert await b.recorder.waiting() == {run.id}
        assert await b.recorder.waiting_values() == 1
        await come_back(b)
        found = recorded(b, run)
        assert found is not None
        assert (found.parameters, found.points) == ({"a": "1"}, [POINT])
        assert found.status is Status.RUNNING
        assert b.store.history.run(run.id).mlflow_run_id == found.id


async def test_parameters_that_are_added_meanwhile_come_later(tmp_path: Path) -> None:
    """They come when the tracker is back, or with the end of the session."""
    async with bench(tmp_path) as b:
        for ends in (False, True):
            sweep, run, attempt = open_session(b)
            await b.recorder.begin(sweep, run, attempt)
            b.tracker.available = False
            b.store.attempts.add_parameters(attempt, {"b": 2})
            await b.recorder.add_parameters(attempt, {"b": 2})
            assert run.id in await b.recorder.waiting()
            if ends:
                b.tracker.available = True
                outcome = Outcome(status=Status.SUCCEEDED, has_output=False)
                run = b.store.history.run(run.id)
                assert await b.recorder.finish(sweep, run, attempt, outcome) == {}
            else:
                await come_back(b)
            found = recorded(b, run)
            assert found is not None
            assert found.parameters == {"a": "1", "b": "2"}


async def test_what_waits_counts_only_while_it_waits(tmp_path: Path) -> None:
    """Values on their way to a tracker that answers are not told as missing."""
    async with bench(tmp_path) as b:
        sweep, run, attempt = open_session(b)
        await b.recorder.begin(sweep, run, attempt)
        b.store.attempts.progress(attempt, logged=[POINT, replace(POINT, step=2)])
        assert await b.recorder.waiting() == set()
        b.tracker.available = False
        b.recorder.logged(attempt)
        b.recorder.catch_up(now=True)
        while b.recorder.problem is None:  # noqa: ASYNC110  # it works by the clock
            await asyncio.sleep(0.02)
        assert (await b.recorder.waiting(), await b.recorder.waiting_values()) == ({run.id}, 2)
        outcome = Outcome(status=Status.SUCCEEDED, has_output=False)
        assert await b.recorder.finish(sweep, run, attempt, outcome) is None
        b.store.attempts.finish(attempt, outcome, output=None, synced=False)
        assert (await b.recorder.waiting(), await b.recorder.waiting_values()) == ({run.id}, 2)
        await come_back(b)
        assert await b.recorder.waiting() == set()


async def test_what_the_tracker_refuses_is_noted_and_holds_nobody_up(tmp_path: Path) -> None:
    """The others are recorded, and the run says what is missing."""
    async with bench(tmp_path) as b:
        b.tracker.available = False
        bad, good = b.submit(1), b.submit(1)
        for each in (bad, good):
            assert await b.done(each) == {Status.SUCCEEDED: 1}
        begin = b.tracker.start_attempt

        def refuse(sweep: Sweep, *arguments: object, **named: object) -> object:
            if sweep.id == bad.id:
                raise InvalidInput("This name is taken.")
            return begin(sweep, *arguments, **named)  # type: ignore[arg-type]

        b.tracker.start_attempt = refuse  # type: ignore[method-assign, assignment]
        await come_back(b)
        assert b.store.notes.of(f"{bad.id}-1.1") == [
            "MLflow did not take all of it: This name is taken."
        ]
        assert b.store.notes.of(f"{good.id}-1.1") == []
        found = recorded(b, b.store.history.run(f"{good.id}-1"))
        assert found is not None
        assert found.status is Status.SUCCEEDED


async def test_runs_do_not_wait_for_those_that_are_made_good(tmp_path: Path) -> None:
    """What begins while many are recorded comes between two of them."""
    async with bench(tmp_path) as b:
        b.tracker.available = False
        old, new = b.submit(5), a_sweep()
        assert await b.done(old) == {Status.SUCCEEDED: 5}
        reached, go = threading.Event(), threading.Event()
        begin, order = b.tracker.start_attempt, []

        def wait(sweep: Sweep, *arguments: object, **named: object) -> object:
            order.append(sweep.id)
            reached.set()
            go.wait()
            return begin(sweep, *arguments, **named)  # type: ignore[arg-type]

        b.tracker.start_attempt = wait  # type: ignore[method-assign, assignment]
        b.tracker.available = True
        b.recorder.catch_up(now=True)
        await asyncio.to_thread(reached.wait)
        run = a_run(new)
        b.store.queue.submit(new, [{}])
        beginning = asyncio.create_task(
            b.recorder.begin(new, run, an_attempt(run), lambda *_: None)
        )
        await asyncio.sleep(0)  # it is asked for
        go.set()
        await beginning
        assert order[:2] == [old.id, new.id]
        await come_back(b)


async def test_a_silent_tracker_is_not_asked_for_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a try takes long it is left to the loop, and runs go on at once."""
    monkeypatch.setattr(recorder, "_SILENT", -1.0)
    async with bench(tmp_path) as b:
        b.tracker.available = False
        start, asked = b.tracker.start_sweep, []

        def count(sweep: Sweep) -> str:
            asked.append(sweep.id)
            return start(sweep)

        b.tracker.start_sweep = count  # type: ignore[method-assign]
        sweep = b.submit(8)
        assert await b.done(sweep) == {Status.SUCCEEDED: 8}
        assert asked == [sweep.id]
        assert len(await b.recorder.waiting()) == 8
        await come_back(b)
        statuses = [each.status for each in b.tracker.recorded.values() if each.run_id]
        assert statuses == [Status.SUCCEEDED] * 8


async def test_notes_are_told_once_and_go_with_the_run(tmp_path: Path) -> None:
    """Recording something again says nothing new; deleting the run removes its notes."""
    async with bench(tmp_path) as b:
        sweep = b.submit(1)
        await b.done(sweep)
        attempt = f"{sweep.id}-1.1"
        b.store.notes.add(attempt, ["one", "two", "one"])
        b.store.notes.add(attempt, ["two", "x" * 900])
        assert b.store.notes.of(attempt) == ["one", "two", "x" * 500]
        b.store.queue.delete(of_sweep(sweep.id))
        assert b.store.notes.of(attempt) == []
