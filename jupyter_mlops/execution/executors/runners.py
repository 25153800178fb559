"""The worker's side of runner processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from ...core.executors import KernelStarted, Outcome, Progress, Task
from ...core.runs import ProcessIdentity
from .. import wire
from ..processes import end, of_attempt
from ..warm import Source
from ..warm.mlops_template.channel import receive, send


class NoRunner(Exception):
    """There is no process that could execute an attempt, and this is why."""


class Runner:
    """A runner process, which serves one attempt at a time."""

    def __init__(
        self,
        process: psutil.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._kernel: ProcessIdentity | None = None
        self._attempt_id = ""

    @property
    def gone(self) -> bool:
        """Whether the process is known to have ended."""
        return self._reader.at_eof()

    async def execute(
        self,
        task: Task,
        source: Source,
        report: Callable[[Progress], None],
        *,
        cancelled: bool,
    ) -> Outcome | None:
        """Execute a task, unless it is cancelled already; None if the process ended meanwhile."""
        self._attempt_id = task.attempt_id
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self._writer.write(wire.pack(wire.Execute(task, source)))
            if cancelled:
                self._writer.write(wire.pack(wire.Cancel(task.attempt_id)))
            await self._writer.drain()
            while True:
                header = await self._reader.readexactly(wire.HEADER_SIZE)
                reply = wire.read_reply(await self._reader.readexactly(wire.body_size(header)))
                if isinstance(reply, wire.Done):
                    self._attempt_id, self._kernel = "", None
                    return reply.outcome
                progress = wire.read_report(reply)
                if isinstance(progress, KernelStarted):
                    self._kernel = progress.process
                report(progress)
        return None

    async def cancel(self, attempt_id: str) -> None:
        """Ask the runner to stop an attempt."""
        await self._ask(wire.Cancel(attempt_id))

    async def kill(self, attempt_id: str, line: str) -> None:
        """Ask the runner to end an attempt at once."""
        await self._ask(wire.Kill(attempt_id, line))

    async def _ask(self, command: wire.Command) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.write(wire.pack(command))
            await self._writer.drain()

    async def end(self) -> None:
        """End the process, its kernel and all that the attempt has started, at once."""
        self._writer.close()
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        if self._kernel is not None:
            await asyncio.to_thread(end, [self._kernel])
        if self._attempt_id:
            await asyncio.to_thread(lambda: end(of_attempt(self._attempt_id)))


class Runners:
    """Starts runner processes: forks of a nursery where that is safe, else processes of their own.

    Apple's frameworks do not survive a fork.
    """

    def __init__(self, log: Path, variables: Mapping[str, str] | None = None) -> None:
        """What runners print goes to ``log``; ``variables`` are added to their environment."""
        self._log = log
        self._variables = variables or {}
        self._nursery: socket.socket | None = None
        self._processes: list[asyncio.subprocess.Process] = []
        self._turn = asyncio.Lock()

    async def prepare(self) -> None:
        """Start the nursery, so that the first runner need not wait for it."""
        if sys.platform == "linux" and self._nursery is None:
            self._nursery, theirs = socket.socketpair()
            with theirs:
                await self._launch("nursery", "--control", theirs)

    async def start(self) -> Runner:
        """Start a runner. Raises `NoRunner`."""
        try:
            return await self._fork() or await self._spawn()
        except (OSError, psutil.NoSuchProcess) as error:
            raise NoRunner(f"A runner cannot be started: {error}. Its log: {self._log}") from error

    async def close(self) -> None:
        """Let the nursery end. The runners must have been ended before."""
        self._abandon()
        await asyncio.gather(*(each.wait() for each in self._processes))

    def _abandon(self) -> None:
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    async def _fork(self) -> Runner | None:
        async with self._turn:
            for _ in range(2):
                await self.prepare()
                if self._nursery is None:
                    return None
                # A nursery that is killed may have forked already: it has a channel to itself.
                ours, theirs = socket.socketpair()
                with theirs:
                    pid = await asyncio.to_thread(_ask, self._nursery, theirs)
                if pid is not None:
                    return await _reach(pid, ours)
                ours.close()
                self._abandon()
        return None

    async def _spawn(self) -> Runner:
        ours, theirs = socket.socketpair()
        with theirs:
            return await _reach(await self._launch("runner", "--channel", theirs), ours)

    async def _launch(self, module: str, option: str, channel: socket.socket) -> int:
        with self._log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                f"jupyter_mlops.execution.{module}",
                option,
                str(channel.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(channel.fileno(),),
                env={**os.environ, **self._variables},
                start_new_session=True,
            )
        self._processes = [each for each in self._processes if each.returncode is None]
        self._processes.append(process)
        return process.pid


async def _reach(pid: int, channel: socket.socket) -> Runner:
    reader, writer = await asyncio.open_connection(sock=channel)
    try:
        return Runner(psutil.Process(pid), reader, writer)
    except psutil.NoSuchProcess:
        writer.close()
        raise


def _ask(nursery: socket.socket, channel: socket.socket) -> int | None:
    try:
        send(nursery, {}, channel.fileno())
        reply = receive(nursery)
    except OSError:
        return None
    return int(reply[0]["pid"]) if reply is not None else None
