"""Pipeline runs: one after the other, the stages of each in parallel as far as DVC's graph allows.

The worker decides what runs when. What DVC does for a stage is done by the process that hosts it
(`jupyter_mlops.pipeline.host`), one thing after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..core.conditions import check_conditional
from ..core.exceptions import InvalidInput, MlopsError, StoreUnavailable
from ..core.notices import Notice, NoticeKind
from ..core.pipelines import PipelineRun, StageSettings, StageState, read_settings
from ..core.runs import Status
from ..core.walks import Walk
from ..pipeline import wire
from ..pipeline.client import Host
from ..store import Store
from .notifying import Notifier
from .pipeline_requests import question
from .pipeline_stages import StageWork
from .pipeline_state import ActiveRun, Stopwatch
from .scheduler import STORE_PAUSE
from .stages import StageRunner

log = logging.getLogger(__name__)

#: Seconds for which changes of stages are gathered before they are written.
_GATHER = 0.1
#: Seconds for which other work of the worker's start waits for pipeline runs.
_UNREST = 30.0


class PipelineRunner:
    """Drives the pipeline runs of a project, in the order in which they were asked for."""

    def __init__(
        self,
        store: Store,
        runner: StageRunner,
        logs: Path,
        notifier: Notifier,
    ) -> None:
        """What stages print goes to ``logs``."""
        self._store = store
        self._runner = runner
        self._work = StageWork(runner, logs, notifier)
        self._notifier = notifier
        self._queue: asyncio.Queue[ActiveRun] = asyncio.Queue()
        #: Those that were not begun yet, by id.
        self._waiting: dict[str, ActiveRun] = {}
        self._task: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._rested = asyncio.Event()
        #: The pipeline run under way.
        self.active: ActiveRun | None = None

    # -- what others may ask -----------------------------------------------------------------------

    def submit(
        self,
        run: PipelineRun,
        host: Host,
        environment: Mapping[str, str],
        plan: Awaitable[list[wire.Stage]] | None = None,
    ) -> None:
        """Carry out a pipeline run that is in the store, after those that came before.

        ``plan`` is awaited if the host has been asked to plan it.
        """
        active = ActiveRun(run, host, environment, plan)
        self._waiting[run.id] = active
        self._queue.put_nowait(active)

    async def cancel(self, pipeline_id: str) -> bool:
        """Stop a pipeline run and all that it executes; whether there was anything to stop."""
        if self._waiting.pop(pipeline_id, None) is not None:
            await self._stored(
                partial(
                    self._store.pipelines.finish,
                    pipeline_id,
                    Status.CANCELLED,
                    error=None,
                    duration=0.0,
                )
            )
            return True
        active = self.active
        if active is None or active.run.id != pipeline_id or self._task is None:
            return False
        active.cancelled = True
        self._task.cancel()
        return True

    def check(self, stages: Iterable[wire.Stage]) -> dict[str, StageSettings]:
        """Return what the stages ask for. Raises `InvalidInput` if they must not run like this."""
        found = {}
        for each in stages:
            found[each.name] = read_settings(each.name, each.settings)
            self._runner.check(each.name, found[each.name])
            refusal = check_conditional("\n".join(each.commands), each.outputs, each.always_changed)
            if refusal is not None:
                raise InvalidInput(f"{each.file}: stage {each.name}: {refusal}")
        return found

    @property
    def busy(self) -> bool:
        """Whether a pipeline run waits or is under way."""
        return bool(self._waiting) or self.active is not None

    async def first_rest(self) -> None:
        """Return when the first pipeline runs have ended, at the latest after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UNREST):
                await self._rested.wait()

    async def run(self) -> None:
        """Carry out pipeline runs until cancelled."""
        while True:
            active = await self._queue.get()
            if self._waiting.pop(active.run.id, None) is None:
                continue  # it was cancelled
            self.active = active
            self._task = asyncio.create_task(self._carry_out(active))
            try:
                await asyncio.wait([self._task])
                if not self._task.cancelled() and (error := self._task.exception()) is not None:
                    log.error("%s could not be recorded.", active.run.id, exc_info=error)
            finally:
                if not self._task.done():
                    self._task.cancel()  # the worker ends; the next one goes on with it
                    await asyncio.wait([self._task])
                self.active = self._task = None
                if not self._waiting:
                    self._rested.set()

    # -- one pipeline run --------------------------------------------------------------------------

    async def _carry_out(self, active: ActiveRun) -> None:
        watch = Stopwatch()
        status, error = Status.SUCCEEDED, None
        try:
            error = await self._drive(active)
            if error is not None:
                status = Status.FAILED
        except asyncio.CancelledError:
            if not active.cancelled:
                raise
            status, error = Status.CANCELLED, None
        except MlopsError as problem:
            status, error = Status.FAILED, problem.message
        except Exception as problem:
            log.exception("Pipeline run %s failed.", active.run.id)
            line = f"{type(problem).__name__}: {problem}".split("\n", 1)[0]
            status, error = Status.FAILED, line
        active.pass_over(active.unfinished())
        await self._flush(active)
        # Who hears of its end and asks at once is to be told what DVC says now.
        self.active = None
        await self._stored(
            partial(
                self._store.pipelines.finish,
                active.run.id,
                status,
                error=error,
                duration=watch.seconds,
            )
        )
        notice = Notice(
            kind=NoticeKind.PIPELINE,
            name=", ".join(active.run.targets) or "all stages",
            status=status,
            error=error,
            duration=watch.seconds,
            look="jupyter mlops pipeline status",
            origin=active.run.origin,
        )
        await self._notifier.tell(notice)
        if status is Status.SUCCEEDED and not self._waiting:
            self._in_background(self._look_again(active))

    async def _look_again(self, active: ActiveRun) -> None:
        """Have DVC see that nothing is left to do, so that the next run need not ask it."""
        look = question(active.run.targets, active.run.options, dry=True)
        look.force = look.pull = False
        with contextlib.suppress(MlopsError):
            await active.host.stages(look)

    async def _drive(self, active: ActiveRun) -> str | None:
        """Bring every stage up to date; return what went wrong, in one line, if anything did."""
        active.host.notice = partial(self._note_wait, active)
        if active.host.waits_for:
            self._note_wait(active, active.host.waits_for)
        if active.plan is not None:
            found = await active.plan
        else:
            done = await asyncio.to_thread(self._done_before, active.run)
            found = await active.host.stages(question(active.run.targets, active.run.options, done))
        settings = self.check(found)
        await self._runner.ready(settings)
        stages = active.begin(found)
        await self._stored(partial(self._store.pipelines.begin, active.run.id, stages))
        ended = asyncio.Event()
        writer = asyncio.create_task(self._write_all(active, ended))
        try:
            return await self._walk(active, settings)
        finally:
            # Cancelled, it might still be writing when the last states are written.
            ended.set()
            await asyncio.shield(writer)
            await asyncio.shield(asyncio.create_task(active.host.do(wire.Close())))

    async def _walk(self, active: ActiveRun, settings: Mapping[str, StageSettings]) -> str | None:
        """Start each stage when those before it have come to their end."""
        walk = Walk({each.name: each.upstream for each in active.planned.values() if each.causes})
        running: dict[str, asyncio.Task[None]] = {}
        #: Each stage whose task has ended. Waiting for all tasks at once would cost more and more.
        ended: asyncio.Queue[str] = asyncio.Queue()
        try:
            while True:
                for name in walk.ready():
                    task = asyncio.create_task(self._work.bring(active, name, settings[name]))
                    task.add_done_callback(partial(_put, ended, name))
                    running[name] = task
                if not running:
                    return active.summary()
                name = await ended.get()
                if name not in running:
                    continue  # it was passed over
                running.pop(name).result()
                if active.stages[name].state is StageState.FAILED:
                    await self._leave_out(active, walk, running, name)
                walk.end(name)
        finally:
            for task in running.values():
                task.cancel()
            if running:
                await asyncio.wait(running.values())

    async def _leave_out(
        self, active: ActiveRun, walk: Walk, running: dict[str, asyncio.Task[None]], failed: str
    ) -> None:
        """Pass over what depends on a failed stage, or all that has not begun yet."""
        if active.run.options.get("keep_going"):
            dropped = walk.drop(failed)
        else:
            dropped = walk.drop_all()
            queued = [each for each in running if active.stages[each].state is StageState.QUEUED]
            unbegun = [running.pop(each) for each in queued]
            for task in unbegun:
                task.cancel()
            if unbegun:
                await asyncio.wait(unbegun)
            dropped += queued
        active.pass_over(dropped)

    # -- what is known of it -----------------------------------------------------------------------

    def _note_wait(self, active: ActiveRun, text: str) -> None:
        log.info("Pipeline run %s: %s", active.run.id, text or "It goes on.")
        write = partial(self._store.pipelines.note_wait, active.run.id, text)
        self._in_background(self._stored(write))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _write_all(self, active: ActiveRun, ended: asyncio.Event) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GATHER):
                    await ended.wait()
            await self._flush(active)

    async def _flush(self, active: ActiveRun) -> None:
        changed = active.unwritten()
        if changed:
            await self._stored(partial(self._store.pipelines.write, active.run.id, changed))

    def _done_before(self, run: PipelineRun) -> list[str]:
        """Return the stages that an earlier worker has run for the same request."""
        return [
            each.stage
            for each in self._store.pipelines.stages(run.id)
            if each.state is StageState.SUCCEEDED
        ]

    async def _stored(self, write: Callable[[], None]) -> None:
        """Write to the store, again and again until it takes it."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except StoreUnavailable as error:
                log.warning("A pipeline run waits to be recorded. %s", error.message)
                await asyncio.sleep(STORE_PAUSE)


def _put(ended: asyncio.Queue[str], name: str, _task: asyncio.Task[None]) -> None:
    ended.put_nowait(name)
