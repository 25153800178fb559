"""Letting a kernel print no faster than somebody reads.

ipykernel sends all that was printed in 0.2 s as one message, and drops messages when too many
wait; IPython remembers all of it. A loop that prints a gigabyte would fill the memory of all who
take part, or lose some of it.

This file needs nothing but ipykernel, since kernels that were not forked are sent its text.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import zmq
from ipykernel.iostream import OutStream
from IPython.core import interactiveshell

#: Characters that a message holds at most.
LIMIT = 1 << 20

#: Messages that may wait for the reader before the kernel waits.
WAITING = 16

#: Seconds that printing may wait for the reader.
PATIENCE = 600


def bound() -> None:
    """Send what is printed in messages of limited size, and soon when there is much."""
    # IPython exchanges the method `write` of a stream for each cell, so we stay clear of that.
    schedule = getattr(OutStream, "_schedule_flush", None)
    flush_buffers = getattr(OutStream, "_flush_buffers", None)
    if schedule is None or flush_buffers is None:
        return

    def schedule_soon(self: Any) -> None:
        with self._buffer_lock:
            waiting = sum(each.tell() for each in self._buffers.values())
        if waiting < LIMIT:
            schedule(self)
        else:
            self.flush()

    def flush_pieces(self: OutStream) -> Iterator[tuple[Any, str]]:
        for parent, text in flush_buffers(self):
            for start in range(0, len(text), LIMIT):
                yield parent, text[start : start + LIMIT]

    changes = {"_schedule_flush": schedule_soon, "_flush_buffers": flush_pieces}
    for name, method in changes.items():
        setattr(OutStream, name, method)
    OutStream.flush_timeout = PATIENCE
    _forget(interactiveshell)


class _Beginning(list):  # type: ignore[type-arg]  # older Pythons know no other form
    """A list of texts that takes no more when they are long enough."""

    size = 0

    def append(self, text: str) -> None:
        """Add a text."""
        self.size += len(text)
        if self.size <= LIMIT:
            super().append(text)


def _forget(shell: Any) -> None:
    """Have IPython keep only the beginning of what a cell prints, for its magic `%notebook`."""
    record = getattr(shell, "HistoryOutput", None)
    if record is None:
        return

    def remember(output_type: str, bundle: dict[str, Any]) -> Any:
        if "stream" in bundle:
            bundle = {"stream": _Beginning(bundle["stream"])}
        return record(output_type=output_type, bundle=bundle)

    shell.HistoryOutput = remember


def wait_for_the_reader() -> None:
    """Have the thread that sends wait as long as too many messages do."""
    thread = getattr(sys.stdout, "pub_thread", None)
    if thread is not None:
        thread.schedule(lambda: _limit(thread.socket))


def _limit(socket: zmq.Socket[bytes]) -> None:
    with contextlib.suppress(zmq.ZMQError):
        socket.set(zmq.SNDHWM, WAITING)
        socket.set(zmq.XPUB_NODROP, 1)
