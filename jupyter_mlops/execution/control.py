"""An attempt under way: its kernel, its time limits, and how it is stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

from ..core.executors import Progress, Stopping, Task
from ..core.runs import ProcessIdentity, Reason
from .processes import end
from .usage import Usage

#: Seconds between interrupting a kernel and terminating it, and from there to killing it.
GRACE = 5.0


class Control:
    """What may be asked of an attempt under way, from other threads.

    Limits are measured on a monotonic clock, which stands still while the machine sleeps.
    """

    def __init__(self, task: Task, report: Callable[[Progress], None]) -> None:
        #: Why the attempt must stop, and one line about it; None while it may go on.
        self.stop: Reason | None = None
        self.line = ""
        #: Set when it is told to stop.
        self.told = threading.Event()
        #: The code cell that is executed, or was last, from 1.
        self.cell: int | None = None
        #: The kernel, as soon as it runs.
        self.kernel: ProcessIdentity | None = None
        #: The processes that the kernel had started and that still ran when it had done its work.
        self.children: tuple[ProcessIdentity, ...] = ()
        #: Whether processes may be left that the kernel started, whoever their parents are.
        self.forked = True
        #: How a kernel ended by itself: its exit code, negative for a signal.
        self.exit_code: int | None = None
        #: Whether it had to end with the template that it was forked from.
        self.abandoned = False
        #: What the kernel had used when it had done its work.
        self.usage: Usage | None = None
        #: Set when the notebook has ended, whichever way.
        self.ended = threading.Event()
        self._task = task
        self._report = report
        self._stopping = threading.Lock()
        self._limits: dict[str, threading.Timer] = {}

    def begin(self) -> None:
        """Begin to measure the time of the attempt."""
        limit = self._task.timeout
        self._limit("run", limit, f"It took longer than {limit or 0:g} s.")

    def cell_began(self, number: int) -> None:
        """Begin to measure the time of a code cell."""
        self.cell = number
        limit = self._task.cell_timeout
        self._limit("cell", limit, f"Cell {number} took longer than {limit or 0:g} s.")

    def cell_ended(self) -> None:
        """Measure the time of a cell no longer."""
        self._unlimit("cell")

    def end(self) -> None:
        """Take note that the notebook has ended."""
        self.ended.set()
        for name in tuple(self._limits):
            self._unlimit(name)

    def halt(self, reason: Reason, line: str = "") -> None:
        """Stop the attempt: interrupt its kernel, then terminate, then kill it.

        Returns when the attempt has ended or its kernel is gone. The first reason counts.
        """
        with self._stopping:
            if self.stop is not None or self.ended.is_set():
                return
            self.stop, self.line = reason, line
        self.told.set()
        self._report(Stopping(stage="interrupt"))
        kernel = self.kernel
        if kernel is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(kernel.pid, signal.SIGINT)
        if not self.ended.wait(GRACE):
            self._report(Stopping(stage="terminate"))
            end([kernel], grace=GRACE, on_kill=lambda: self._report(Stopping(stage="kill")))

    def kill(self, reason: Reason, line: str) -> None:
        """End the attempt's kernel at once. The first reason for stopping counts."""
        with self._stopping:
            if self.ended.is_set():
                return
            if self.stop is None:
                self.stop, self.line = reason, line
        self.told.set()
        self._report(Stopping(stage="kill"))
        if self.kernel is not None:
            end([self.kernel])

    def _limit(self, name: str, seconds: float | None, line: str) -> None:
        if seconds is not None:
            timer = threading.Timer(seconds, self.halt, [Reason.TIMEOUT, line])
            timer.daemon = True
            timer.start()
            self._limits[name] = timer

    def _unlimit(self, name: str) -> None:
        timer = self._limits.pop(name, None)
        if timer is not None:
            timer.cancel()
