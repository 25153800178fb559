"""The commands of a stage: on a warm kernel if they execute a notebook, else as DVC starts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from ..core import formats
from ..core.exceptions import TooManyResources
from ..core.pipelines import StageSettings
from ..core.resources import Capacity, Hold, Request, check_request
from ..core.runs import ATTEMPT_VARIABLE, PROJECT_VARIABLE, Status
from ..core.stages import NotebookCommand
from ..execution import commands
from ..notebooks.commands import may_execute_notebook
from .holds import Holds
from .projects import Project
from .runtime import RUNTIME_VARIABLE, runtime_dir
from .stage_runs import Progress, StageFacts, StageRuns, recognise

#: What the shell says when it finds no such program, and when it may not execute it.
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126

#: Longest part of an error that a program has printed.
_LONGEST = 300


class StageFailed(Exception):
    """A stage's command failed, and this is why, in one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageTask:
    """All that is needed to execute the commands of a stage."""

    pipeline_id: str
    name: str
    commands: tuple[str, ...]
    #: Folder in which they are executed, and the root of the DVC repository.
    folder: Path
    root: Path
    settings: StageSettings
    #: The variables of whoever asked for it.
    environment: Mapping[str, str]
    log: Path

    @property
    def owner(self) -> str:
        """What marks its processes."""
        return f"{self.pipeline_id}/{self.name}"


class StageRunner:
    """Executes the commands of stages, one after the other within a stage."""

    def __init__(self, project: Project, holds: Holds, capacity: Capacity, runs: StageRuns) -> None:
        self._project = project
        self._holds = holds
        self._runs = runs
        self._capacity = capacity
        #: So many notebooks are handed to the queue at a time that it never lacks one.
        self._width = asyncio.Semaphore(2 * capacity.cores)

    def check(self, name: str, settings: StageSettings) -> None:
        """Raise `TooManyResources` if a stage asks for more than there is."""
        try:
            check_request(
                self._capacity, cpus=settings.cpus, memory=settings.memory, gpus=settings.gpus
            )
        except TooManyResources as error:
            line = f"dvc.yaml: stage {name}: meta.mlops.{error.message}"
            raise TooManyResources(line, field=error.field) from error

    async def notebooks(self, task: StageTask) -> list[NotebookCommand | None]:
        """Return which of a stage's commands execute notebooks on warm kernels."""
        if not any(may_execute_notebook(each) for each in task.commands):
            return [None] * len(task.commands)
        environment = self._environment(task)
        return [
            await asyncio.to_thread(recognise, self._project, each, task.folder, environment)
            for each in task.commands
        ]

    @contextlib.asynccontextmanager
    async def turn(
        self, task: StageTask, notebooks: Sequence[NotebookCommand | None]
    ) -> AsyncIterator[Hold | None]:
        """Wait for a stage's turn, and hold what its shell commands need meanwhile.

        Notebooks get what they need from the queue. A stage that executes nothing needs nothing.
        """
        if not notebooks:
            yield None
        elif all(notebooks):
            async with self._width:
                yield None
        else:
            async with self._holds.hold(task.owner, self._request(task.settings)) as hold:
                yield hold

    async def run(
        self,
        task: StageTask,
        notebooks: Sequence[NotebookCommand | None],
        hold: Hold | None,
        started: Callable[[str], None],
        progress: Progress,
    ) -> None:
        """Execute a stage's commands in its turn. Raises `StageFailed`.

        Of a notebook, ``started`` is told the run and ``progress`` the cells.
        """
        for command, notebook in zip(task.commands, notebooks, strict=True):
            if notebook is None:
                await self._execute(task, command, hold)
                continue
            with self._holds.waiting(task.owner) if hold else contextlib.nullcontext():
                await self._execute_notebook(task, notebook, started, progress)

    async def after_failure(self, task: StageTask, error: str) -> None:
        """Execute what a stage declares for its failure; how that ends changes nothing."""
        for command in task.settings.on_failure:
            with task.log.open("ab") as log:
                log.write(f"> on_failure: {command}\n".encode())
            variables = {"MLOPS_STAGE": task.name, "MLOPS_ERROR": error}
            owner = f"{task.owner}/on_failure"
            async with self._holds.hold(owner, Request(cpus=1)) as hold:
                with contextlib.suppress(StageFailed):
                    await self._start(task, command, hold, variables)

    def _request(self, settings: StageSettings) -> Request:
        return Request(
            cpus=min(settings.cpus, self._capacity.cores),
            memory=settings.memory,
            gpus=settings.gpus,
        )

    async def _execute(self, task: StageTask, command: str, hold: Hold | None) -> None:
        limit = task.settings.timeout
        try:
            async with asyncio.timeout(limit):
                code = await self._start(task, command, hold, {})
        except TimeoutError:
            allowed = formats.duration(limit or 0)
            raise StageFailed(f"It took longer than the {allowed} of its timeout.") from None
        if code:
            raise StageFailed(_why(command, code, task.log))

    async def _execute_notebook(
        self,
        task: StageTask,
        command: NotebookCommand,
        started: Callable[[str], None],
        progress: Progress,
    ) -> None:
        settings = task.settings
        facts = StageFacts(
            pipeline_id=task.pipeline_id,
            name=task.name,
            cpus=min(settings.cpus, self._capacity.cores),
            memory=settings.memory,
            gpus=settings.gpus,
            timeout=settings.timeout,
            retries=0,  # the stage as a whole is tried again
            environment=self._environment(task),
        )
        with task.log.open("a", encoding="utf-8") as log:

            def say(line: str) -> None:
                log.write(f"{line}\n")
                log.flush()

            outcome = await self._runs.run(
                command, facts, started=started, progress=progress, say=say
            )
        if outcome.status is not Status.SUCCEEDED:
            raise StageFailed(outcome.error or "Its run failed.")

    async def _start(
        self, task: StageTask, command: str, hold: Hold | None, variables: Mapping[str, str]
    ) -> int:
        environment = {**self._environment(task), **variables}
        if hold is not None and hold.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(hold.gpus)
        try:
            return await commands.execute(
                commands.shell_argv(command, environment),
                folder=task.folder,
                environment=environment,
                log=task.log,
                owner=task.owner,
            )
        except OSError as error:
            raise StageFailed(f"It cannot be started: {error}.") from error

    def _environment(self, task: StageTask) -> dict[str, str]:
        """Return the caller's variables, those of .env, and those that DVC sets."""
        extra = {k: v for k, v in dotenv_values(self._project.root / ".env").items() if v}
        return {
            **(task.environment or os.environ),
            **extra,
            "DVC_ROOT": str(task.root),
            "DVC_STAGE": task.name,
            ATTEMPT_VARIABLE: task.owner,
            PROJECT_VARIABLE: str(self._project.root),
            # Commands of ours must find this worker.
            RUNTIME_VARIABLE: str(runtime_dir()),
        }


def _why(command: str, code: int, log: Path) -> str:
    shown = command if len(command) <= 80 else f"{command[:77]}..."
    if code < 0:
        return f"Signal {-code} ended: {shown}"
    if code in (_NOT_FOUND, _NOT_EXECUTABLE):
        return f"{commands.last_lines(log, 1).strip() or f'The shell cannot execute: {shown}'}"
    return f"Exit code {code}: {commands.last_lines(log, 1).strip()[:_LONGEST] or shown}"
