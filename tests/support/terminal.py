"""A terminal to run commands in."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

#: As often as this in a row, a command that really waits is seen to do so.
_CALM = 5
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command that believes to be on a terminal of 100 columns."""

    def __init__(self, command: Sequence[str], cwd: Path) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        environment.pop("COLUMNS", None)
        self._process = subprocess.Popen(
            command, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)
        #: Everything that was printed, as it came.
        self.raw = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """Everything that was printed, without colours and movements."""
        return _ESCAPES.sub("", self.raw).replace("\r\n", "\n")

    def expect(self, pattern: str, timeout: float = 60.0) -> str:
        """Read until a pattern appears; return the text up to there."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            if not self._read(deadline):
                raise AssertionError(f"{pattern!r} did not appear in:\n{self.text}")
        return self.text

    def interrupt(self, timeout: float = 60.0) -> None:
        """Press Ctrl-C, once the command waits for something.

        Python misses an interrupt that comes between printing a question and reading the answer.
        """
        process = psutil.Process(self._process.pid)
        deadline = time.monotonic() + timeout
        waits = 0
        while waits < _CALM:
            if time.monotonic() > deadline:
                raise AssertionError(f"It never waits for anything:\n{self.text}")
            time.sleep(0.02)  # nothing tells that a process has begun to wait
            waits = waits + 1 if process.status() == psutil.STATUS_SLEEPING else 0
        process.send_signal(signal.SIGINT)

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, f"{line}\n".encode())

    def wait(self, timeout: float = 60.0) -> int:
        """Read to the end; return the exit code."""
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        return self._process.wait(max(1.0, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # Linux says so when the other end is closed.
            data = b""
        self.raw += data.decode("utf-8", "replace")
        return bool(data)
