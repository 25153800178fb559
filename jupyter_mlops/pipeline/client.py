"""The worker's side of the process that hosts DVC for a repository."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ..core.exceptions import InvalidInput, MlopsError
from . import wire

#: Seconds that a host may take to end by itself.
_PATIENCE = 5.0


class HostGone(MlopsError):
    """The process that runs DVC has ended. Try again; its log is .mlops/logs/dvc.log."""

    code = "host_gone"


class Host:
    """A process that hosts DVC for one repository; started when it is first asked."""

    def __init__(self, root: Path, log: Path, variables: Mapping[str, str] | None = None) -> None:
        """What it prints goes to ``log``; ``variables`` are added to its environment."""
        self.root = root
        self._log = log
        self._variables = variables or {}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._turn = asyncio.Lock()
        #: What the host waits for, in one line; empty while it does not. ``notice`` is called
        #: with each change.
        self.waits_for = ""
        self.notice: Callable[[str], None] = lambda _: None

    async def stages(self, question: wire.Look | wire.Plan) -> list[wire.Stage]:
        """Ask which stages there are, or what a request would look at."""
        return (await self._ask(question, wire.Stages)).stages

    async def begin(self, name: str) -> wire.Began:
        """Have a stage of the plan prepared."""
        return await self._ask(wire.Begin(name), wire.Began)

    async def inspect(self, name: str) -> wire.Details:
        """Ask all that there is to know of a stage."""
        return await self._ask(wire.Inspect(name), wire.Details)

    async def do(self, question: wire.Question) -> None:
        """Have something done that is answered by `wire.Done`."""
        await self._ask(question, wire.Done)

    async def prepare(self) -> None:
        """Start the process, so that the first question need not wait for it."""
        async with self._turn:
            await self._start()

    async def close(self) -> None:
        """Let the process end."""
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()

    async def interrupt(self) -> None:
        """End the process even if it is at work; it lets go of its locks."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        await self.close()

    async def _ask(self, question: wire.Question, kind: type[wire.A]) -> wire.A:
        """Ask, and return the answer, which must be of a kind. Raises `InvalidInput`, `HostGone`.

        A question that nobody awaits any more is answered all the same before the next one.
        """
        return await asyncio.shield(asyncio.create_task(self._exchange(question, kind)))

    async def _exchange(self, question: wire.Question, kind: type[wire.A]) -> wire.A:
        async with self._turn:
            reader, writer = await self._start()
            try:
                writer.write(wire.pack(question))
                await writer.drain()
                while isinstance(answer := await _answer(reader), wire.Notice):
                    self.waits_for = answer.text
                    self.notice(answer.text)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                await self.close()
                raise HostGone from error
        if isinstance(answer, wire.Refused):
            raise (InvalidInput if answer.input else MlopsError)(answer.message)
        if not isinstance(answer, kind):
            raise TypeError(f"{type(question).__name__} was answered by {type(answer).__name__}")
        return answer

    async def _start(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is not None and self._writer is not None and not self._reader.at_eof():
            return self._reader, self._writer
        await self.close()
        ours, theirs = socket.socketpair()
        with theirs, self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "jupyter_mlops.pipeline.host",
                str(self.root),
                "--channel",
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "DVC_NO_ANALYTICS": "1", **self._variables},
                start_new_session=True,
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        return self._reader, self._writer


async def _answer(reader: asyncio.StreamReader) -> wire.Answer:
    header = await reader.readexactly(wire.HEADER_SIZE)
    return wire.read_answer(await reader.readexactly(wire.body_size(header)))
