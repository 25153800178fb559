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
from ..core.exceptions import InvalidInput, NodeGone
from ..core.executors import Command, Executor
from ..core.pipelines import StageSettings
from ..core.resources import Hold, Request
from ..core.runs import ATTEMPT_VARIABLE, MAX_NODES, PROJECT_VARIABLE, Status
from ..core.stages import NotebookCommand
from ..execution import commands
from ..notebooks.commands import may_execute_notebook
from .declared import dependencies
from .executors import LOCAL, Executors, check_room
from .holds import Holds
from .projects import Project
from .runtime import RUNTIME_VARIABLE, runtime_dir
from .stage_runs import Progress, StageFacts, StageRuns, recognise

#: What the shell says when it finds no such program, and when it may not execute it.
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126

#: Notebooks of stages that are in the queue for a cluster at a time, halved.
_MANY = 100

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

    def __init__(self, project: Project, executors: Executors, runs: StageRuns) -> None:
        self._project = project
        self._executors = executors
        self._runs = runs
        #: What the commands hold of each executor.
        self._holds: dict[str, Holds] = {}
        #: So many notebooks are handed to the queue at a time that it never lacks one.
        self._width: dict[str, asyncio.Semaphore] = {}

    async def ready(self, settings: Mapping[str, StageSettings]) -> None:
        """See that the stages find a place.

        Raises `TooManyResources` if one asks for more than there is, and what `Executors.ready`
        raises.
        """
        for name in {self._place(each) for each in settings.values()} - {LOCAL}:
            await self._executors.ready(name)
        for name, each in settings.items():
            self.check(name, each)

    def check(self, name: str, settings: StageSettings) -> None:
        """Raise `TooManyResources` if a stage asks for more than there is known to be."""
        try:
            check_room(self._executors.chosen(self._place(settings)), settings)
        except InvalidInput as error:
            line = f"dvc.yaml: stage {name}: meta.mlops.{error.message}"
            raise type(error)(line, field=error.field) from error

    def waiting(self, owner: str) -> contextlib.AbstractContextManager[None] | None:
        """Let a command hold no cores while it waits; None if it holds nothing that is known."""
        for each in self._holds.values():
            if each.knows(owner):
                return each.waiting(owner)
        return None

    def close(self) -> None:
        """Give nothing away any more."""
        for each in self._holds.values():
            each.close()

    def _place(self, settings: StageSettings) -> str:
        return settings.executor or self._project.settings.executor

    def _executor(self, task: StageTask) -> Executor:
        return self._executors.chosen(self._place(task.settings))

    def _holds_of(self, executor: Executor) -> Holds:
        if executor.name not in self._holds:
            self._holds[executor.name] = Holds(executor.ledger)
        return self._holds[executor.name]

    def _width_of(self, executor: Executor) -> asyncio.Semaphore:
        if executor.name not in self._width:
            most = executor.ledger.largest
            cores = _MANY if executor.remote or most is None else most.cores
            self._width[executor.name] = asyncio.Semaphore(2 * cores)
        return self._width[executor.name]

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
        executor = self._executor(task)
        if not notebooks:
            yield None
        elif all(notebooks) or executor.remote:
            # On a cluster each command is held for by itself, as its node may go away.
            async with self._width_of(executor):
                yield None
        else:
            request = self._request(task.settings, executor)
            async with self._holds_of(executor).hold(task.owner, request) as hold:
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
            holds = self._holds_of(self._executor(task))
            with holds.waiting(task.owner) if hold else contextlib.nullcontext():
                await self._execute_notebook(task, notebook, started, progress)

    async def after_failure(self, task: StageTask, error: str) -> None:
        """Execute what a stage declares for its failure; how that ends changes nothing."""
        for command in task.settings.on_failure:
            with task.log.open("ab") as log:
                log.write(f"> on_failure: {command}\n".encode())
            variables = {"MLOPS_STAGE": task.name, "MLOPS_ERROR": error}
            local = self._executors[LOCAL]
            owner = f"{task.owner}/on_failure"
            async with self._holds_of(local).hold(owner, Request(cpus=1)) as hold:
                with contextlib.suppress(StageFailed):
                    await self._start(task, command, local, hold, variables)

    def _request(self, settings: StageSettings, executor: Executor) -> Request:
        most = executor.ledger.largest
        return Request(
            cpus=settings.cpus if most is None else min(settings.cpus, most.cores),
            memory=settings.memory,
            gpus=settings.gpus,
        )

    async def _execute(self, task: StageTask, command: str, hold: Hold | None) -> None:
        limit = task.settings.timeout
        try:
            async with asyncio.timeout(limit):
                executor = self._executor(task)
                if hold is not None:
                    code = await self._start(task, command, executor, hold, {})
                else:
                    code = await self._start_elsewhere(task, command, executor)
        except TimeoutError:
            allowed = formats.duration(limit or 0)
            raise StageFailed(f"It took longer than the {allowed} of its timeout.") from None
        if code:
            raise StageFailed(_why(command, code, task.log))

    async def _start_elsewhere(self, task: StageTask, command: str, executor: Executor) -> int:
        """Execute a command on a node of a cluster, and on another if that goes away."""
        gone = []
        for _ in range(MAX_NODES):
            request = self._request(task.settings, executor)
            async with self._holds_of(executor).hold(task.owner, request) as hold:
                try:
                    return await self._start(task, command, executor, hold, {})
                except NodeGone as error:
                    gone.append(hold.place or error.message)
                    with task.log.open("ab") as log:
                        log.write(f"{error.message}\n".encode())
        raise StageFailed(
            f"Each node that executed it went away, so it is given up: {', '.join(gone)}."
        )

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
            executor=self._place(settings),
            cpus=self._request(settings, self._executor(task)).cpus,
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
        self,
        task: StageTask,
        command: str,
        executor: Executor,
        hold: Hold,
        variables: Mapping[str, str],
    ) -> int:
        environment = {**self._environment(task, executor), **variables}
        if hold.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(hold.gpus)
        settings = task.settings
        try:
            return await executor.run(
                Command(
                    attempt_id=task.owner,
                    command=command,
                    cwd=task.folder,
                    log=task.log,
                    environment=environment,
                    cpus=hold.cores,
                    memory=settings.memory,
                    gpus=settings.gpus,
                    inputs=tuple(sorted(dependencies(task.folder, task.name)))
                    if executor.remote
                    else (),
                    node=hold.node,
                )
            )
        except OSError as error:
            raise StageFailed(f"It cannot be started: {error}.") from error

    def _environment(self, task: StageTask, executor: Executor | None = None) -> dict[str, str]:
        """Return the caller's variables, those of .env, and those that DVC sets.

        Elsewhere the place's own variables stand in for the caller's.
        """
        remote = executor is not None and executor.remote
        base = {} if remote else (task.environment or os.environ)
        extra = {k: v for k, v in dotenv_values(self._project.root / ".env").items() if v}
        return {
            **base,
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
