"""The local executor: a few runner processes on this machine, started when they are needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from ...core.executors import Command, ExecutorState, KernelStarted, Outcome, Progress, Task
from ...core.resources import Ledger
from ...core.runs import Reason, Status
from .. import commands
from ..monitor import Monitor
from ..usage import with_usage
from ..warm import Source
from ..warm.pool import Templates
from ..warm.recipes import Need
from .runners import NoRunner, Runner, Runners

_CANCELLED = Outcome(status=Status.CANCELLED, reason=Reason.USER, has_output=False)


class LocalExecutor:
    """Executes attempts in runner processes, each of which serves one attempt at a time."""

    name = "local"
    remote = False
    problem: str | None = None

    def __init__(
        self,
        log: Path,
        ledger: Ledger,
        templates: Templates | None = None,
        variables: Mapping[str, str] | None = None,
        monitor: Monitor | None = None,
    ) -> None:
        """Runners print to ``log``; kernels come from ``templates`` where they can.

        ``variables`` are added to the environment of runners; ``monitor`` says which attempts take
        too much memory.
        """
        self.ledger = ledger
        self._monitor = monitor
        self._runners = Runners(log, variables)
        self._templates = templates
        self._idle: list[Runner] = []
        self._busy: dict[str, Runner] = {}
        #: Attempts that were cancelled before they had a runner.
        self._cancelled: set[str] = set()
        #: Attempts that wait for a template.
        self._waiting: dict[str, asyncio.Task[Source]] = {}

    async def prepare(self) -> None:
        """Get ready for the first attempt."""
        if self._monitor is not None:
            loop = asyncio.get_running_loop()

            def exceeded(attempt_id: str, line: str) -> None:
                asyncio.run_coroutine_threadsafe(self._kill(attempt_id, line), loop)

            self._monitor.begin(exceeded)
        await self._runners.prepare()

    def state(self) -> ExecutorState:
        """Tell how it stands."""
        return ExecutorState(runs_on="this machine")

    async def execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        """Execute one attempt on an idle runner, or on a new one."""
        monitor = self._monitor
        if monitor is None:
            return await self._execute(task, report)

        def watched(progress: Progress) -> None:
            if isinstance(progress, KernelStarted):
                monitor.watch(
                    task.attempt_id,
                    progress.process,
                    requested=task.memory,
                    expected=task.expected_memory,
                )
            report(progress)

        try:
            outcome = await self._execute(task, watched)
        except BaseException:
            monitor.forget(task.attempt_id)
            raise
        return with_usage(outcome, monitor.forget(task.attempt_id))

    async def _execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        try:
            runner = await self._runner()
        except NoRunner as error:
            return _lost(task, str(error))
        async with contextlib.AsyncExitStack() as stack:
            outcome: Outcome | None = _CANCELLED
            try:
                source = await self._source(task, stack)
                if source is not None:
                    self._busy[task.attempt_id] = runner
                    outcome = await runner.execute(
                        task, source, report, cancelled=task.attempt_id in self._cancelled
                    )
            except BaseException:
                await runner.end()
                raise
            finally:
                self._busy.pop(task.attempt_id, None)
                self._cancelled.discard(task.attempt_id)
        if outcome is None:
            await runner.end()
            return _lost(task, "The process that executed the notebook ended unexpectedly.")
        self._idle.append(runner)
        return outcome

    async def _runner(self) -> Runner:
        while self._idle:
            runner = self._idle.pop()
            if not runner.gone:
                return runner
            await runner.end()
        return await self._runners.start()

    async def _source(self, task: Task, stack: contextlib.AsyncExitStack) -> Source | None:
        """Return where the kernel comes from, once it is ready; None if that was cancelled."""
        if self._templates is None:
            return Source()
        serving = stack.enter_async_context(self._templates.serving(Need.of(task)))
        waiting = self._waiting[task.attempt_id] = asyncio.create_task(serving)
        try:
            return await waiting
        except asyncio.CancelledError:
            if task.attempt_id not in self._cancelled:
                waiting.cancel()
                raise
            return None
        finally:
            del self._waiting[task.attempt_id]

    async def run(self, command: Command) -> int:
        """Execute a command as DVC does."""
        return await commands.execute(
            commands.shell_argv(command.command, command.environment),
            folder=command.cwd,
            environment=command.environment,
            log=command.log,
            owner=command.attempt_id,
        )

    async def cancel(self, attempt_id: str) -> None:
        """Stop an attempt: its kernel is interrupted, then terminated, then killed."""
        if runner := self._busy.get(attempt_id):
            await runner.cancel(attempt_id)
            return
        self._cancelled.add(attempt_id)
        if waiting := self._waiting.get(attempt_id):
            waiting.cancel()

    async def drop(self, attempt_id: str) -> None:
        """End an attempt at once, of which nobody wants to know: it leaves no result."""
        if runner := self._busy.get(attempt_id):
            await runner.end()
        else:
            await self.cancel(attempt_id)

    async def _kill(self, attempt_id: str, line: str) -> None:
        """End an attempt's kernel at once, since it takes too much memory."""
        if runner := self._busy.get(attempt_id):
            await runner.kill(attempt_id, line)

    async def close(self) -> None:
        """End all runners and their kernels at once."""
        if self._monitor is not None:
            self._monitor.close()
        await asyncio.gather(*(each.end() for each in (*self._idle, *self._busy.values())))
        self._idle.clear()
        await self._runners.close()
        if self._templates is not None:
            await self._templates.close()


def _lost(task: Task, error: str) -> Outcome:
    return Outcome(
        status=Status.FAILED, reason=Reason.LOST, error=error, has_output=task.output.exists()
    )
