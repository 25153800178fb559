"""The scheduler on in-memory engines: pauses before retries, and cancelling at the worst moment."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from jupyter_mlops.core.executors import Outcome, Task
from jupyter_mlops.core.runs import Attempt, Reason, Status
from jupyter_mlops.store import of_run
from tests.support.bench import bench

PAUSE = 0.4


def _fail_twice(task: Task) -> Outcome:
    if task.attempt_id.endswith(".3"):
        return Outcome(status=Status.SUCCEEDED, has_output=False)
    return Outcome(status=Status.FAILED, reason=Reason.KERNEL_DIED, has_output=False)


async def test_retries_come_when_they_are_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler sleeps until then: it looks at the queue when there is something to do."""
    async with bench(tmp_path, decide=_fail_twice) as b:
        looks = 0
        peek = b.store.queue.peek

        def counting(*args: object, **kwargs: object) -> object:
            nonlocal looks
            looks += 1
            return peek(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(b.store.queue, "peek", counting)
        began = time.monotonic()
        sweep = b.submit(1, retries=2, retry_delay=PAUSE, retry_on=("kernel_died",))
        assert await b.done(sweep) == {Status.SUCCEEDED: 1}
        took = time.monotonic() - began
        assert took >= PAUSE + 2 * PAUSE
        assert looks < 20
        starts = [each.started_at for each in b.store.history.attempts(f"{sweep.id}-1")]
        gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(starts)]
        assert gaps[0] >= PAUSE
        assert gaps[1] >= 2 * PAUSE


async def test_others_go_on_meanwhile(tmp_path: Path) -> None:
    """A pause holds no core."""
    async with bench(tmp_path, cores=1, decide=_fail_twice) as b:
        waiting = b.submit(1, retries=2, retry_delay=60)
        await b.until(lambda: b.store.queue.pause() is not None)
        others = b.submit(3, retries=2)
        assert await b.done(others) == {Status.SUCCEEDED: 3}
        assert b.store.history.run(f"{waiting.id}-1").status is Status.QUEUED


async def test_cancelling_what_is_just_being_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is cancelled between its claim and its beginning does not run on."""
    async with bench(tmp_path) as b:
        loop = asyncio.get_running_loop()
        claim = b.store.queue.claim

        def cancelled_at_once(run: str, **kwargs: object) -> Attempt | None:
            attempt = claim(run, **kwargs)  # type: ignore[arg-type]
            told = b.scheduler.cancel(b.store.queue.cancel(of_run(run)))
            asyncio.run_coroutine_threadsafe(told, loop).result(10)
            return attempt

        monkeypatch.setattr(b.store.queue, "claim", cancelled_at_once)
        b.executor.open.clear()
        sweep = b.submit(1, retries=3)
        assert await b.done(sweep) == {Status.CANCELLED: 1}
        stages = [
            e.data["stopping"] for e in b.store.history.events(0, 100) if "stopping" in e.data
        ]
        assert stages == ["interrupt"]
