"""What a computation takes: seconds, and the most memory that this process had at a time."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_STATUS = Path("/proc/self/status")
_EACH = 0.005


class Measured:
    """Measures the block that it is used for.

    Memory is the resident memory of this process, all that it holds included. Where the kernel saw
    more of it during the block than ever before, its own mark tells exactly; else it is what a
    thread saw that looked 200 times a second.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        #: Bytes; None where nothing tells.
        self.peak: int | None = None
        self._seen = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="features-memory", daemon=True)

    def __enter__(self) -> Self:
        self._mark = _memory("VmHWM")
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._began
        self._ended.set()
        self._thread.join()
        mark = _memory("VmHWM")
        self.peak = (mark if mark > self._mark else max(self._seen, _memory("VmRSS"))) or None

    def _watch(self) -> None:
        while True:
            self._seen = max(self._seen, _memory("VmRSS"))
            if self._ended.wait(_EACH):
                return


def _memory(word: str) -> int:
    """Return a figure of this process in bytes; 0 if there is none."""
    if sys.platform != "linux":
        return _portable(word)
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{word}:"):
            return int(line.split()[1]) * 1024
    return 0


def _portable(word: str) -> int:
    import psutil

    return int(psutil.Process().memory_info().rss) if word == "VmRSS" else 0
