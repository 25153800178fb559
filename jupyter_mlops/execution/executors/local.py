"""The local executor: a few runner processes on this machine, started when they are needed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from ...core.ports import KernelStarted, Outcome, Progress, Task
from ...core.runs import ProcessIdentity, Reason, Status
from .. import wire
from ..processes import end
from ..warm import Source
from ..warm.pool import NoTemplate, Templates


class LocalExecutor:
    """Executes attempts in runner processes, each of which serves one attempt at a time."""

    name = "local"

    def __init__(self, log: Path, templates: Templates | None = None) -> None:
        """Runners print to ``log``; kernels come from ``templates`` where they can."""
        self._log = log
        self._templates = templates
        self._idle: list[_Runner] = []
        self._busy: dict[str, _Runner] = {}
        #: Attempts that were cancelled before they had a runner.
        self._cancelled: set[str] = set()

    async def execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        """Execute one attempt on an idle runner, or on a new one."""
        runner = self._idle.pop() if self._idle else await _Runner.start(self._log)
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

    async def close(self) -> None:
        """End all runners and their kernels at once."""
        await asyncio.gather(*(each.end() for each in (*self._idle, *self._busy.values())))
        self._idle.clear()
        if self._templates is not None:
            self._templates.close()


class _Runner:
    """The worker's side of a runner process."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._kernel: ProcessIdentity | None = None

    @classmethod
    async def start(cls, log: Path) -> _Runner:
        """Start a runner process; it imports papermill while we go on."""
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "jupyter_mlops.execution.runner",
                "--channel",
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    async def execute(
        self,
        task: Task,
        source: Source,
        report: Callable[[Progress], None],
        *,
        cancelled: bool,
    ) -> Outcome | None:
        """Execute a task, unless it is cancelled already; None if the process ended meanwhile."""
        self._kernel = None
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self._writer.write(wire.pack(wire.Execute(task, source)))
            if cancelled:
                self._writer.write(wire.pack(wire.Cancel(task.attempt_id)))
            await self._writer.drain()
            while True:
                header = await self._reader.readexactly(wire.HEADER_SIZE)
                reply = wire.read_reply(await self._reader.readexactly(wire.body_size(header)))
                if isinstance(reply, wire.Done):
                    return reply.outcome
                progress = wire.read_report(reply)
                if isinstance(progress, KernelStarted):
                    self._kernel = progress.process
                report(progress)
        return None

    async def cancel(self, attempt_id: str) -> None:
        """Ask the runner to stop an attempt."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(wire.pack(wire.Cancel(attempt_id)))
            await self._writer.drain()

    async def end(self) -> None:
        """End the process and its kernel at once."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._kernel is not None:
            await asyncio.to_thread(end, [self._kernel])
