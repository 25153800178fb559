"""The worker's end: the process of a tracker, started when there is something to send."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..core.mirrors import MirroredRun
from .wire import LENGTH, pack, read_answer

#: Seconds that sending a run may take, and that the process may take to end.
PATIENCE = 300.0
_ENDING = 20.0


class MirrorProcess:
    """The process of one tracker."""

    def __init__(self, name: str, folder: Path, log: Path, *, patience: float = PATIENCE) -> None:
        """``folder`` is what it may write to, ``log`` takes what it prints."""
        self._name = name
        self._folder = folder
        self._log = log
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    async def send(self, run: MirroredRun, environment: Mapping[str, str]) -> str | None:
        """Send a run; return what went wrong, in one line, or None. Never raises."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._send(run, environment)
        except TimeoutError:
            self._kill()
            return f"It did not answer within {self._patience:.0f} s. See {self._log}"
        except (OSError, asyncio.IncompleteReadError, msgspec.DecodeError):
            self._kill()
            return f"Its process ended without an answer. See {self._log}"

    async def close(self) -> None:
        """Let it finish what goes on in the background, and end it."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ENDING):
                await process.wait()
        self._kill()

    async def _send(self, run: MirroredRun, environment: Mapping[str, str]) -> str | None:
        if self._process is None or self._process.returncode is not None:
            await self._start(environment)
        assert self._process is not None  # noqa: S101 - it has just been started
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None  # noqa: S101 - both are pipes
        assert taken is not None  # noqa: S101
        given.write(pack(run))
        await given.drain()
        header = await taken.readexactly(LENGTH.size)
        return read_answer(await taken.readexactly(LENGTH.unpack(header)[0])).problem

    async def _start(self, environment: Mapping[str, str]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "jupyter_mlops.mirrors"),
                *(self._name, str(self._folder)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
            )

    def _kill(self) -> None:
        """End it and what it has started."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
