"""Use cases of sessions: interactive work that is tracked, as the worker carries them out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psutil

from ..core import values
from ..core.exceptions import InvalidInput, NotFound, StoreUnavailable
from ..core.executors import Outcome
from ..core.runs import (
    READS_VARIABLE,
    SESSION,
    Attempt,
    ProcessIdentity,
    Reason,
    Run,
    Status,
    Sweep,
    SweepKind,
    attempt_id,
    new_id,
    run_id,
)
from ..execution.processes import identify, is_alive
from ..store import Store
from ..tracking import context
from . import messages as m
from . import tasks, views
from .contexts import Contexts
from .projects import Project
from .recorder import Recorder
from .session_spool import SessionSpool, read_point
from .submission import keeping_git

log = logging.getLogger(__name__)

#: Seconds between two looks whether the processes of open sessions still run.
LOOK_EVERY = 5.0


class SessionUseCases:
    """What can be asked of sessions."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        contexts: Contexts,
        *,
        worker: str,
        fence: int,
    ) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        self._contexts = contexts
        self._worker = worker
        self._fence = fence
        self._spool = SessionSpool(project.state / "spool", store)
        #: When the sessions that this worker knows from the beginning began, by a monotonic clock.
        self._began: dict[str, float] = {}

    async def open_session(self, body: m.SessionRequest) -> m.SessionView:
        """Open a run for interactive work in the process that asks."""
        try:
            process = identify(body.pid)
            started = psutil.Process(body.pid).create_time()
        except psutil.NoSuchProcess:
            raise InvalidInput("The process that wants to be tracked has ended.") from None
        if abs(started - body.pid_started) > 1:
            raise InvalidInput("The process that wants to be tracked runs on another machine.")
        notebook = self._project.relative(body.notebook) if body.notebook else ""
        sweep, run = self._records(body, notebook)
        attempt = self._attempt(run, process)
        self._began[attempt.id] = time.monotonic()
        await asyncio.to_thread(self._store.attempts.open_session, sweep, run, attempt)
        self._contexts.prepare(sweep, os.environ)
        environment = await self._recorder.begin(sweep, run, attempt)
        environment |= {READS_VARIABLE: str(tasks.reads_path(self._project, attempt))}
        if body.python is not None and self._recorder.kernels is not None:
            kernels = self._recorder.kernels
            environment = await kernels.of_python(attempt, body.python, environment)
        run = await asyncio.to_thread(self._store.history.run, run.id)
        return m.SessionView(run=views.run(run, sweep), environment=environment)

    async def log_session(self, run_id: str, body: m.LogRequest) -> m.Empty:
        """Add metrics and parameters to an open session."""
        attempt = await self._open(run_id)
        points = tuple(map(read_point, body.points))
        if body.parameters:
            added = {name: values.decode(each) for name, each in body.parameters.items()}
            run = await asyncio.to_thread(self._store.history.run, run_id)
            _refuse_changes(run, added)
            await asyncio.to_thread(self._store.attempts.add_parameters, attempt, added)
            await self._recorder.add_parameters(attempt, added)
        if points:
            await asyncio.to_thread(self._store.attempts.progress, attempt, logged=points)
            self._recorder.logged(attempt)
        return m.Empty()

    async def finish_session(self, run_id: str, body: m.FinishRequest) -> m.RunView:
        """Close a session; with an error it has failed."""
        attempt = await self._open(run_id)
        duration = self._duration(attempt)
        if body.error is None:
            outcome = Outcome(status=Status.SUCCEEDED, duration=duration, has_output=False)
        else:
            outcome = _failed(Reason.ERROR, body.error, duration)
        return await self._finish(attempt, outcome)

    async def watch(self) -> None:
        """Close the sessions whose process has ended, until cancelled."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                await self.import_spool()
                await self._close_dead()
            await asyncio.sleep(LOOK_EVERY)

    async def _close_dead(self) -> None:
        for attempt in await asyncio.to_thread(self._store.history.running):
            if attempt.executor == SESSION and _ended(attempt.processes):
                duration = self._duration(attempt)
                line = "The kernel ended before the session was closed."
                await self._finish(attempt, _failed(Reason.KERNEL_DIED, line, duration))

    async def import_spool(self) -> None:
        """Take in what sessions logged while there was no worker, or while it was busy."""
        for attempt in await asyncio.to_thread(self._spool.take_all):
            self._recorder.logged(attempt)

    async def _finish(self, attempt: Attempt, outcome: Outcome) -> m.RunView:
        run = await asyncio.to_thread(self._store.history.run, attempt.run_id)
        sweep = await asyncio.to_thread(self._store.history.sweep, run.sweep_id)
        if await asyncio.to_thread(self._spool.take, run.id) is not None:
            self._recorder.logged(attempt)
        keep = self._contexts.keep
        outcome = await asyncio.to_thread(keep, sweep, run, attempt, outcome, os.environ)
        metrics = await self._recorder.finish(sweep, run, attempt, outcome)
        run = await asyncio.to_thread(
            self._store.attempts.finish,
            attempt,
            outcome,
            output=None,
            metrics=metrics,
            synced=metrics is not None,
        )
        self._spool.forget(run.id)
        return views.run(run, sweep)

    def _duration(self, attempt: Attempt) -> float:
        """Return the seconds that a session has taken; the time of day is all that outlives us."""
        began = self._began.pop(attempt.id, None)
        if began is not None:
            return time.monotonic() - began
        return max(0.0, time.time() - attempt.started_at.timestamp())

    async def _open(self, run_id: str) -> Attempt:
        attempts = await asyncio.to_thread(self._store.history.attempts, run_id)
        for attempt in attempts:
            if attempt.executor == SESSION and attempt.status is Status.RUNNING:
                return attempt
        raise NotFound(f"There is no open session {run_id}. Open one with: %mlops track")

    def _records(self, body: m.SessionRequest, notebook: str) -> tuple[Sweep, Run]:
        now = datetime.now(UTC)
        parameters = {name: values.decode(each) for name, each in body.parameters.items()}
        experiment = body.experiment or self._project.settings.experiment or "interactive"
        sweep = Sweep(
            id=new_id(),
            kind=SweepKind.SESSION,
            notebook=notebook,
            notebook_hash="",
            space={},
            mode="grid",
            total=1,
            experiment=experiment,
            metric=None,
            maximize=True,
            cpus=1,
            memory=None,
            gpus=0,
            timeout=None,
            retries=0,
            priority=0,
            executor=SESSION,
            kernel="",
            kernel_argv=() if body.python is None else (body.python,),
            created_at=now,
            context=context.capture(
                self._project.root, notebook or None, git=keeping_git(self._project)
            ),
        )
        run = Run(
            id=run_id(sweep.id, 1),
            sweep_id=sweep.id,
            index=1,
            notebook=notebook,
            parameters=parameters,
            status=Status.RUNNING,
            reason=None,
            error=None,
            metrics={},
            attempts=1,
            lost=0,
            cell=None,
            cells=None,
            created_at=now,
            started_at=now,
            finished_at=None,
            duration=None,
            output=None,
            mlflow_run_id=None,
            experiment=experiment,
        )
        return sweep, run

    def _attempt(self, run: Run, process: ProcessIdentity) -> Attempt:
        return Attempt(
            id=attempt_id(run.id, 1),
            run_id=run.id,
            number=1,
            status=Status.RUNNING,
            reason=None,
            error=None,
            worker=self._worker,
            fence=self._fence,
            executor=SESSION,
            processes=(process,),
            start="interactive",
            mlflow_run_id=None,
            started_at=run.created_at,
            finished_at=None,
            duration=None,
            failed_cell=None,
        )


def _refuse_changes(run: Run, added: dict[str, Any]) -> None:
    for name, value in added.items():
        if name in run.parameters and not values.same(run.parameters[name], value):
            raise InvalidInput(
                f"{name} is {values.text(run.parameters[name])} already. "
                "A parameter keeps its value; open another session for another one.",
                field=name,
            )


def _ended(processes: Iterable[ProcessIdentity]) -> bool:
    return all(is_alive(each) is False for each in processes)


def _failed(reason: Reason, line: str, duration: float) -> Outcome:
    return Outcome(
        status=Status.FAILED, reason=reason, error=line[:500], duration=duration, has_output=False
    )
