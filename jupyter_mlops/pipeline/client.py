"""The worker's side of the process that hosts DVC for a repository."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..core.exceptions import InvalidInput, MlopsError
from . import wire
from .launch import Launched, launch

#: Seconds that a host may take to end by itself.
_PATIENCE = 5.0


class HostGone(MlopsError):
    """The process that runs DVC has ended. Try again; its log is .mlops/logs/dvc.log."""

    code = "host_gone"


class Host:
    """A process that hosts DVC for one repository; started when it is first asked."""

    def __init__(
        self, root: Path, project: Path, log: Path, launched: Launched | None = None
    ) -> None:
        """What it prints goes to ``log``; one may have been ``launched`` already."""
        self.root = root
        self._project = project
        self._log = log
        self._launched = launched
        #: The packed question to which the next answer belongs, if it was asked ahead.
        self._asked: bytes | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._turn = asyncio.Lock()
        #: What the host waits for, in one line; empty while it does not. ``notice`` is called
        #: with each change.
        self.waits_for = ""
        self.notice: Callable[[str], None] = lambda _: None

    async def start(self) -> None:
        """Start the process, that it need not be waited for when it is first asked."""
        async with self._turn:
            await self._start()

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

    async def close(self) -> None:
        """Let the process end."""
        if self._launched is not None:
            await self._start()
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_bury, process)

    async def _ask(self, question: wire.Question, kind: type[wire.A]) -> wire.A:
        """Ask, and return the answer, which must be of a kind. Raises `InvalidInput`, `HostGone`.

        A question that nobody awaits any more is answered all the same before the next one.
        """
        return await asyncio.shield(asyncio.create_task(self._exchange(question, kind)))

    async def _exchange(self, question: wire.Question, kind: type[wire.A]) -> wire.A:
        async with self._turn:
            reader, writer = await self._start()
            try:
                packed, asked, self._asked = wire.pack(question), self._asked, None
                if asked != packed:
                    if asked is not None:
                        await self._next_answer(reader)
                    writer.write(packed)
                    await writer.drain()
                answer = await self._next_answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                await self.close()
                raise HostGone from error
        if isinstance(answer, wire.Refused):
            raise (InvalidInput if answer.input else MlopsError)(answer.message)
        if not isinstance(answer, kind):
            raise TypeError(f"{type(question).__name__} was answered by {type(answer).__name__}")
        return answer

    async def _next_answer(self, reader: asyncio.StreamReader) -> wire.Answer:
        while isinstance(answer := await _answer(reader), wire.Notice):
            self.waits_for = answer.text
            self.notice(answer.text)
        return answer

    async def _start(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is not None and self._writer is not None and not self._reader.at_eof():
            return self._reader, self._writer
        launched, self._launched = self._launched, None
        if launched is None:
            await self.close()
            launched = launch(self.root, self._project, self._log)
        self._process, self._asked = launched.process, launched.asked
        self._reader, self._writer = await asyncio.open_connection(sock=launched.channel)
        return self._reader, self._writer


def _bury(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a process whose channel is closed; it may be at work."""
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.terminate()  # as at an interrupt, locks that are files are removed
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _answer(reader: asyncio.StreamReader) -> wire.Answer:
    header = await reader.readexactly(wire.HEADER_SIZE)
    return wire.read_answer(await reader.readexactly(wire.body_size(header)))
