"""What a computation takes: seconds, and the most memory that this process had at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_LINUX = sys.platform == "linux"
_STATUS = Path("/proc/self/status")
_KB = 1024

#: Looks every 2 ms how many pages a process holds. A process of its own can, where a thread would
#: have to wait for what computes. It tells the most since it was asked last, and ends with us.
_WATCHING = """
import os, select, sys
statm = open(f"/proc/{sys.argv[1]}/statm")
most = 0
while True:
    statm.seek(0)
    most = max(most, int(statm.read().split()[1]))
    if select.select([0], [], [], 0.002)[0]:
        if not os.read(0, 1):
            break
        os.write(1, b"%d\\n" % most)
        most = 0
"""


@dataclass(slots=True)
class Spent:
    """What a block took."""

    seconds: float = 0.0
    #: Bytes of resident memory of this process, all that it holds included; None if nothing tells.
    peak: int | None = None


class Meter:
    """Measures blocks, one after the other, while it is open.

    Where the kernel saw more memory during a block than ever before, its own mark tells exactly;
    else it is the most that was seen by looking 500 times a second.
    """

    def __init__(self) -> None:
        self._open = ExitStack()
        self._watcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    @contextmanager
    def block(self) -> Iterator[Spent]:
        """Measure a block; the figures are there when it ends."""
        self._start()
        spent = Spent()
        mark = _mark()
        self._seen()
        began = time.perf_counter()
        try:
            yield spent
        finally:
            spent.seconds = time.perf_counter() - began
            seen, now = self._seen(), _mark()
            spent.peak = now if now > mark else seen or None

    def _start(self) -> None:
        """Have somebody look."""
        if _LINUX and self._watcher is None:
            argv = [sys.executable, "-I", "-S", "-c", _WATCHING, str(os.getpid())]
            self._watcher = self._open.enter_context(
                subprocess.Popen(  # noqa: S603
                    argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    bufsize=0,
                    start_new_session=True,  # an interrupt is not meant for it
                )
            )

    def _seen(self) -> int:
        """Return the most that was seen since this was called last; 0 if nobody looks."""
        watcher = self._watcher
        if watcher is None or watcher.stdin is None or watcher.stdout is None:
            return 0
        try:
            watcher.stdin.write(b"?")
            return int(watcher.stdout.readline()) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):  # somebody has ended it
            return 0


def _mark() -> int:
    """Return the most memory that this process ever had."""
    if _LINUX:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KB
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * _KB
