"""The local executor: a few runner processes on this machine, started when they are needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from ...core.ports import Outcome, Progress, Task
from ...core.runs import Reason, Status
from ..warm import Source
from ..warm.pool import NoTemplate, Templates
from .runners import Runner, Runners


class LocalExecutor:
    """Executes attempts in runner processes, each of which serves one attempt at a time."""

    name = "local"

    def __init__(self, log: Path, templates: Templates | None = None) -> None:
        """Runners print to ``log``; kernels come from ``templates`` where they can."""
        self._runners = Runners(log)
        self._templates = templates
        self._idle: list[Runner] = []
        self._busy: dict[str, Runner] = {}
        #: Attempts that were cancelled before they had a runner.
        self._cancelled: set[str] = set()

    async def prepare(self) -> None:
        """Get ready for the first attempt."""
        await self._runners.prepare()

    async def execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        """Execute one attempt on an idle runner, or on a new one."""
        runner = self._idle.pop() if self._idle else await self._runners.start()
        self._busy[task.attempt_id] = runner
        try:
            async with self._source(task) as source:
                outcome = await runner.execute(
                    task, source, report, cancelled=task.attempt_id in self._cancelled
                )
        except asyncio.CancelledError:
            await runner.end()
            raise
        finally:
            del self._busy[task.attempt_id]
            self._cancelled.discard(task.attempt_id)
        if outcome is None:
            await runner.end()
            return Outcome(
                status=Status.FAILED,
                reason=Reason.LOST,
                error="The process that executed the notebook ended unexpectedly.",
                has_output=task.output.exists(),
            )
        self._idle.append(runner)
        return outcome

    @contextlib.asynccontextmanager
    async def _source(self, task: Task) -> AsyncIterator[Source]:
        if self._templates is None:
            yield Source(reason="warm kernels are turned off")
            return
        async with contextlib.AsyncExitStack() as stack:
            try:
                template = await stack.enter_async_context(self._templates.serving(task))
                source = Source(template=template)
            except NoTemplate as reason:
                source = Source(reason=str(reason))
            yield source

    async def cancel(self, attempt_id: str) -> None:
        """Stop an attempt: its kernel is interrupted, then terminated, then killed."""
        if runner := self._busy.get(attempt_id):
            await runner.cancel(attempt_id)
        else:
            self._cancelled.add(attempt_id)

    async def kill(self, attempt_id: str, line: str) -> None:
        """End an attempt's kernel at once, since it takes too much memory."""
        if runner := self._busy.get(attempt_id):
            await runner.kill(attempt_id, line)

    async def close(self) -> None:
        """End all runners and their kernels at once."""
        await asyncio.gather(*(each.end() for each in (*self._idle, *self._busy.values())))
        self._idle.clear()
        await self._runners.close()
        if self._templates is not None:
            await self._templates.close()
