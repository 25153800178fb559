"""A command in the foreground, which gets the signals that we get."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import IO

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: What a shell adds to the number of the signal that ended a command.
_BY_SIGNAL = 128


def run_child(command: Sequence[str], stdout: IO[str] | None = None) -> int:
    """Run a command and return its exit code, as a shell counts it. Raises `OSError`."""
    relay = _Relay()
    with relay.listening(), subprocess.Popen(command, stdout=stdout) as process:  # noqa: S603
        relay.attach(process)
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue  # where no handler could be set; the command got it too
            return code if code >= 0 else _BY_SIGNAL - code


class _Relay:
    """Passes signals on, also those that come while the command is just being started."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals inside the block, unless they were to be ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.getsignal(each) for each in _FORWARDED}
        handled = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
        for each in handled:
            signal.signal(each, self._note)
        try:
            yield
        finally:
            for each in handled:
                signal.signal(each, before[each])

    def attach(self, process: subprocess.Popen[bytes]) -> None:
        """Send what has come so far, and from now on everything."""
        self._process = process
        while self._early:
            process.send_signal(self._early.pop(0))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and _in_foreground():
            return  # the terminal has sent it to the command as well
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


def _in_foreground() -> bool:
    """Whether a terminal's Ctrl-C goes to all processes of our group."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    return False
