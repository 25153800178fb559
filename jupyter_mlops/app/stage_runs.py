"""Runs of pipelines' stages whose command executes a notebook."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..core import values
from ..core.exceptions import Conflict, InvalidInput, MlopsError, NotFound, StoreUnavailable
from ..core.runs import Attempt, Event, Reason, Run, Status, SweepKind
from ..core.stages import NotebookCommand, Program, Stage
from ..notebooks.commands import notebook_command
from ..notebooks.papermill import read_parameters
from ..store import Store
from . import messages as m
from .caller import caller_environment
from .hub import EventHub
from .projects import Project, find_project
from .scheduler import STORE_PAUSE
from .stage_outputs import StageOutputs
from .submission import StageRequest, keeping_git
from .sweeps import SweepUseCases
from .tasks import log_path

log = logging.getLogger(__name__)

#: Seconds of silence after which the hub says that there was nothing.
_BEAT = 60.0

#: Is told the code cell that begins, from 1, and the number of code cells.
Progress = Callable[[int | None, int | None], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class StageFacts:
    """What a run needs to know of the stage that it executes. None means nothing in particular.

    What the command itself says counts more.
    """

    pipeline_id: str
    name: str
    executor: str | None = None
    cpus: int | None = None
    memory: int | None = None
    gpus: int | None = None
    timeout: float | None = None
    retries: int | None = None
    priority: int = 0
    #: Variables of the command, with those that DVC sets; None: the worker's own.
    environment: dict[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """How the notebook of a stage ended."""

    status: Status
    #: None if the command was refused before there was a run.
    run_id: str | None = None
    reason: Reason | None = None
    #: One line: the cell, and what went wrong in it.
    error: str | None = None
    #: What was written for the command, besides the run's own output; None if nothing was.
    output: Path | None = None
    #: Seconds that the last attempt took.
    duration: float | None = None


def recognise(
    project: Project, command: str, folder: Path, environment: dict[str, str] | None = None
) -> NotebookCommand | None:
    """Return what a stage's command executes; None if a subprocess has to do it.

    That is also so for a notebook outside the project, or of a project inside it.
    """
    path = None if environment is None else environment.get("PATH", os.defpath)
    found = notebook_command(command, folder, path=path)
    if found is None:
        return None
    place = Path(os.path.realpath(found.notebook))
    if not place.is_relative_to(project.root):
        return None
    nested = found.program is Program.MLOPS and find_project(place.parent).root != project.root
    return None if nested else found


class StageRuns:
    """Executes stages' notebooks as runs of the ordinary queue, and sees what becomes of them."""

    def __init__(
        self, project: Project, store: Store, sweeps: SweepUseCases, hub: EventHub
    ) -> None:
        self._project = project
        self._store = store
        self._sweeps = sweeps
        self._hub = hub
        self._outputs = StageOutputs(project, store)
        self._waiting: dict[str, tuple[asyncio.Event, Progress]] = {}
        self._listener: asyncio.Task[None] | None = None
        #: What git said of folders for the last pipeline run.
        self._git: tuple[str, dict[Path, dict[str, Any] | None]] = "", {}

    async def run(
        self,
        command: NotebookCommand,
        facts: StageFacts,
        *,
        started: Callable[[str], None] = lambda _: None,
        progress: Progress = lambda _cell, _cells: None,
        say: Callable[[str], None] = lambda _: None,
    ) -> RunOutcome:
        """Execute a notebook and return when it has ended and its output is written.

        ``say`` takes the lines of the stage's log. Whoever cancels this also cancels the run.
        """
        try:
            parameters = await asyncio.to_thread(self._check, command)
            sweep_id = await self._submit(command, facts, parameters, progress)
        except MlopsError as error:
            say(error.message)
            return RunOutcome(status=Status.FAILED, reason=Reason.ERROR, error=error.message)
        run_id = f"{sweep_id}-1"
        started(run_id)
        say(f"Run {run_id} executes {command.source}.")
        try:
            await self._end(run_id)
            return await self._conclude(command, facts, run_id, parameters, say)
        except asyncio.CancelledError:
            await asyncio.shield(self._stop(run_id))
            raise
        finally:
            self._forget(run_id)

    async def cancel(self, run_id: str) -> None:
        """Cancel a run; one that has ended stays as it is."""
        with contextlib.suppress(Conflict, NotFound):
            await self._sweeps.cancel_run(run_id)

    async def _stop(self, run_id: str) -> None:
        await self.cancel(run_id)
        await self._end(run_id)

    # -- before the run ----------------------------------------------------------------------------

    def _check(self, command: NotebookCommand) -> dict[str, values.Value] | None:
        """Return the parameters to inject; raise `InvalidInput` for what cannot work."""
        if command.output is not None:
            folder = command.output.parent
            if command.makes_folder:
                folder.mkdir(parents=True, exist_ok=True)
            if not folder.is_dir():
                raise InvalidInput(f"The folder of {command.target} does not exist. Make it first.")
        if command.program is Program.MLOPS:
            return None
        found = dict(command.first)
        for path in command.files:
            found |= read_parameters(path)
        return found | command.parameters

    async def _submit(
        self,
        command: NotebookCommand,
        facts: StageFacts,
        parameters: dict[str, values.Value] | None,
        progress: Progress,
    ) -> str:
        """Queue the run, whose end is awaited from before it begins."""
        after = await asyncio.to_thread(self._store.history.last_seq)
        of = StageRequest(
            stage=self._stage(command, facts),
            parameters=parameters,
            git=partial(self._git_facts, facts.pipeline_id),
        )

        ended, expected = asyncio.Event(), []

        def expect(sweep_id: str) -> None:
            expected.append(sweep_id)
            self._waiting[f"{sweep_id}-1"] = ended, progress
            if self._listener is None:
                self._listener = asyncio.create_task(self._listen(after))

        request = _request(self._project, command, facts)
        try:
            return await self._sweeps.submit_stage(request, of, expect)
        except MlopsError:
            for sweep_id in expected:
                self._forget(f"{sweep_id}-1")
            raise

    def _stage(self, command: NotebookCommand, facts: StageFacts) -> Stage:
        folder = Path(os.path.realpath(command.folder))
        inside = folder.is_relative_to(self._project.root)
        place = folder.relative_to(self._project.root) if inside else folder
        return Stage(
            pipeline_id=facts.pipeline_id,
            name=facts.name,
            folder=place.as_posix(),
            errors=command.errors,
            start_timeout=command.start_timeout,
            language=command.language,
            plain=command.program is not Program.MLOPS,
        )

    def _git_facts(self, pipeline_id: str, folder: Path) -> dict[str, Any] | None:
        if self._git[0] != pipeline_id:
            self._git = pipeline_id, {}
        known = self._git[1]
        if folder not in known:
            known[folder] = keeping_git(self._project)(folder)
        return known[folder]

    # -- until it has ended ------------------------------------------------------------------------

    async def _end(self, run_id: str) -> None:
        await self._waiting[run_id][0].wait()

    def _forget(self, run_id: str) -> None:
        self._waiting.pop(run_id, None)
        if not self._waiting and self._listener is not None:
            self._listener.cancel()
            self._listener = None

    async def _listen(self, after: int) -> None:
        """Follow the project's events for as long as anybody waits."""
        while True:
            try:
                async for event in self._hub.follow(after, _BEAT):
                    if event is not None:
                        after = event.seq
                        self._notice(event)
            except StoreUnavailable as error:
                log.warning("Stages wait for the store. %s", error.message)
                await asyncio.sleep(STORE_PAUSE)

    def _notice(self, event: Event) -> None:
        waiting = self._waiting.get(event.run_id or "")
        if waiting is None or event.kind != "run" or event.status is None:
            return
        ended, progress = waiting
        if Status(event.status).finished:
            ended.set()
        elif "cell" in event.data:
            progress(event.data["cell"], event.data["cells"])

    # -- after it ----------------------------------------------------------------------------------

    async def _conclude(
        self,
        command: NotebookCommand,
        facts: StageFacts,
        run_id: str,
        parameters: dict[str, values.Value] | None,
        say: Callable[[str], None],
    ) -> RunOutcome:
        run, attempt = await asyncio.to_thread(self._ended, run_id)
        outcome = RunOutcome(
            status=run.status,
            run_id=run_id,
            reason=run.reason,
            error=_line(run, attempt),
            duration=run.duration,
        )
        self._tell(run, attempt, say)
        if outcome.error:
            say(outcome.error)
        if run.output is None:
            return outcome
        succeeded = run.status is Status.SUCCEEDED
        try:
            if command.output is not None and (succeeded or command.keeps_failures):
                copy = partial(self._outputs.copy, command, run, command.output)
                await asyncio.to_thread(copy, parameters or {})
                outcome = replace(outcome, output=command.output)
                say(f"Written: {command.target}")
            if succeeded and command.then:
                await self._outputs.convert(command, run, facts.environment, say)
        except (OSError, ValueError) as error:
            outcome = replace(
                outcome,
                status=Status.FAILED,
                reason=run.reason or Reason.ERROR,
                error=outcome.error or f"The output cannot be written: {error}",
            )
            say(outcome.error or "")
        return outcome

    def _ended(self, run_id: str) -> tuple[Run, Attempt | None]:
        attempts = self._store.history.attempts(run_id)
        return self._store.history.run(run_id), attempts[-1] if attempts else None

    def _tell(self, run: Run, attempt: Attempt | None, say: Callable[[str], None]) -> None:
        """Say where all is that the run has left."""
        if run.output is not None:
            say(f"Output notebook: {run.output}")
        path = log_path(self._project, attempt) if attempt is not None else None
        if path is not None and path.exists():
            say(f"Log of the kernel: {path}")


def _request(project: Project, command: NotebookCommand, facts: StageFacts) -> m.SubmitRequest:
    said = {
        "executor": facts.executor,
        "cpus": facts.cpus or 1,
        "memory": facts.memory,
        "gpus": facts.gpus or 0,
        "timeout": facts.timeout,
        "retries": facts.retries,
        "priority": facts.priority,
    }
    variables = os.environ if facts.environment is None else facts.environment
    return m.SubmitRequest(
        notebook=project.relative(command.notebook),
        kind=SweepKind.RUN,
        space=command.space,
        environment=caller_environment(variables),
        **{**said, **command.options},
    )


def _line(run: Run, attempt: Attempt | None) -> str | None:
    """Say in one line why a run did not succeed."""
    if run.status is Status.SUCCEEDED:
        return None
    line = run.error or str(run.reason or run.status)
    cell = attempt.failed_cell if attempt is not None else None
    return f"{run.notebook}, cell {cell}: {line}" if cell else f"{run.notebook}: {line}"
