"""A runner: a process that executes one attempt after the other for the worker.

It ends, and its kernel with it, as soon as the worker's end of the channel closes.
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import socket
import threading
from contextlib import suppress
from functools import partial

from nbclient.exceptions import DeadKernelError

from ..core.executors import Outcome, Progress
from ..core.runs import Reason
from . import results, wire
from .control import Control
from .kernels import Reserved
from .notebook import execute
from .processes import end, of_attempt, shown

log = logging.getLogger(__name__)


class Runner:
    """Executes what comes by the channel, one at a time."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._tasks: queue.SimpleQueue[tuple[wire.Execute, Control]] = queue.SimpleQueue()
        #: The attempt that is executed, and how it is controlled.
        self._current: tuple[str, Control | None] = ("", None)
        self._sending = threading.Lock()
        self._log = results.Log()
        #: The kernel for the next attempt, if it needs the same as the last one.
        self._reserved: Reserved | None = None
        #: Whether the worker is gone; what happens from then on is our doing.
        self._abandoned = False

    def serve(self) -> None:
        """Execute until the worker hangs up; does not return."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            command, control = self._tasks.get()
            self._log = results.Log()
            outcome = self._attempt(command, control)
            self._current = ("", None)
            if not self._abandoned:
                with suppress(OSError):
                    results.write(command.task.result, self._log.result(outcome))
            self._send(wire.Done(outcome))
            self._reserve(command)

    def _attempt(self, command: wire.Execute, control: Control) -> Outcome:
        control.begin()
        try:
            reserved = self._take_reserved(command)
            return execute(command.task, control, self._report, command.source, reserved)
        finally:
            control.end()
            if control.kernel is not None:
                end([control.kernel, *control.children])
            if control.forked:
                _end_left(command.task.attempt_id)

    def _reserve(self, command: wire.Execute) -> None:
        """Reserve a kernel like the one of the last attempt, before anybody waits for it."""
        template = command.source.template
        if template is not None and not self._abandoned:
            with suppress(OSError, DeadKernelError):
                self._reserved = Reserved(command.task.kernel, template)

    def _take_reserved(self, command: wire.Execute) -> Reserved | None:
        reserved, self._reserved = self._reserved, None
        if reserved is not None and not reserved.suits(command.task.kernel, command.source):
            reserved.release()
            return None
        return reserved

    def _listen(self) -> None:
        while header := self._receive(wire.HEADER_SIZE):
            command = wire.read_command(self._receive(wire.body_size(header)))
            if isinstance(command, wire.Execute):
                control = Control(command.task, self._report)
                self._current = (command.task.attempt_id, control)
                self._tasks.put((command, control))
            elif command.attempt_id == self._current[0] and self._current[1] is not None:
                halt, kill = self._current[1].halt, self._current[1].kill
                stop = partial(halt, Reason.USER)
                if isinstance(command, wire.Kill):
                    stop = partial(kill, Reason.OUT_OF_MEMORY, command.line)
                threading.Thread(target=stop, daemon=True).start()
        self._abandoned = True
        attempt_id, current = self._current
        if current is not None:
            current.kill(Reason.LOST, "Its worker went away.")
            end(of_attempt(attempt_id))
        os._exit(0)

    def _report(self, progress: Progress) -> None:
        self._log.note(progress)
        self._send(wire.report(progress))

    def _send(self, reply: wire.Reply) -> None:
        with self._sending, suppress(OSError):
            self._channel.sendall(wire.pack(reply))

    def _receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                part = self._channel.recv(size - len(data))
            except ConnectionError:
                return b""
            if not part:
                return b""
            data += part
        return bytes(data)


def _end_left(attempt_id: str) -> None:
    """End what an attempt has left behind, and tell it in the log."""
    left = of_attempt(attempt_id)
    for each in left:
        log.warning("Attempt %s left %s, which is ended.", attempt_id, shown(each.pid))
    end(left)


def main() -> None:
    """Serve the channel that was inherited from the worker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    Runner(socket.socket(fileno=parser.parse_args().channel)).serve()


if __name__ == "__main__":
    main()
