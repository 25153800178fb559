"""Bringing one stage up to date: what DVC does before and after, the commands between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..core.exceptions import MlopsError
from ..core.notices import Notice, NoticeKind
from ..core.pipelines import StageSettings, StageState
from ..core.resources import Hold
from ..core.runs import Status
from ..core.stages import NotebookCommand
from ..pipeline import wire
from ..pipeline.client import HostGone
from .notifying import Notifier
from .pipeline_state import ActiveRun, Stopwatch, log_path
from .stages import StageFailed, StageRunner, StageTask

log = logging.getLogger(__name__)


class StageWork:
    """What is done for each stage of a pipeline run."""

    def __init__(self, runner: StageRunner, logs: Path, notifier: Notifier) -> None:
        self._runner = runner
        self._logs = logs
        self._notifier = notifier

    async def bring(self, active: ActiveRun, name: str, settings: StageSettings) -> None:
        """Bring a stage up to date; a failure is noted, not raised."""
        watch = Stopwatch()
        try:
            await self._bring(active, self._task(active, name, settings))
        except HostGone:
            raise  # it takes the plan with it
        except (StageFailed, MlopsError) as error:
            line = error.message if isinstance(error, MlopsError) else str(error)
            active.end(name, StageState.FAILED, error=line, duration=watch.seconds)
            if isinstance(error, StageFailed):
                await self._runner.after_failure(self._task(active, name, settings), line)
            await self._tell(active, name, settings, line)
        except asyncio.CancelledError:
            if active.stages[name].state is StageState.RUNNING:
                line = "It was cancelled."
                active.end(name, StageState.SKIPPED, error=line, duration=watch.seconds)
            raise
        finally:
            active.cells.pop(name, None)

    async def _bring(self, active: ActiveRun, task: StageTask) -> None:
        name = task.name
        notebooks = await self._runner.notebooks(task)
        async with self._runner.turn(task, notebooks) as hold:
            active.note(name, state=StageState.RUNNING, started_at=datetime.now(UTC))
            watch = Stopwatch()
            began = await active.host.begin(name)
            active.note(name, causes=tuple(began.causes))
            if began.action != "execute":
                state = StageState.FRESH if began.action == "fresh" else StageState.SUCCEEDED
                if active.planned[name].frozen:
                    state = StageState.FROZEN
                cached = began.action == "restored"
                active.end(name, state, cached=cached, duration=watch.seconds)
                return
            watch = Stopwatch()
            try:
                await self._try(active, task, notebooks, hold)
            except BaseException:
                await asyncio.shield(asyncio.create_task(active.host.do(wire.Abandon(name))))
                raise
        seconds = watch.seconds
        saving = asyncio.create_task(active.host.do(wire.Finish(name)))
        try:
            await asyncio.shield(saving)
        except asyncio.CancelledError:
            await saving
            active.end(name, StageState.SUCCEEDED, duration=seconds)
            raise
        active.end(name, StageState.SUCCEEDED, duration=seconds)

    async def _try(
        self,
        active: ActiveRun,
        task: StageTask,
        notebooks: Sequence[NotebookCommand | None],
        hold: Hold | None,
    ) -> None:
        """Execute a stage's commands, again if they fail and it may."""

        def started(run_id: str) -> None:
            active.note(task.name, run_id=run_id)

        def progress(cell: int | None, cells: int | None) -> None:
            active.cells[task.name] = cell, cells
            active.note(task.name)

        task.log.parent.mkdir(parents=True, exist_ok=True)
        task.log.write_bytes(b"")
        for left in range(task.settings.retries, -1, -1):
            try:
                return await self._runner.run(task, notebooks, hold, started, progress)
            except StageFailed as error:
                if not left:
                    raise
                log.info("Stage %s is tried again: %s", task.name, error)
                await active.host.do(wire.Again(task.name))
        return None

    def _task(self, active: ActiveRun, name: str, settings: StageSettings) -> StageTask:
        stage, root = active.planned[name], active.host.root
        return StageTask(
            pipeline_id=active.run.id,
            name=name,
            commands=tuple(stage.commands),
            folder=root / stage.folder,
            root=root,
            settings=settings,
            environment=active.environment,
            log=log_path(self._logs, name),
        )

    async def _tell(
        self, active: ActiveRun, name: str, settings: StageSettings, error: str
    ) -> None:
        notice = Notice(
            kind=NoticeKind.STAGE,
            name=name,
            status=Status.FAILED,
            error=error,
            duration=active.stages[name].duration,
            look=f"jupyter mlops pipeline status {name}",
            origin=active.run.origin,
        )
        await self._notifier.tell(notice, to=settings.notify)
