"""The template's loop: forks kernels and hands them out.

Who connects to its socket gets a kernel, which ends when the connection closes. These go to and
fro; between the second and the third as much time may pass as the other side likes::

    {}
    {"pid": …, "connection": {what the connection file says}}
    {"cwd": …, "environment": {…}}  with one file descriptor, which takes what the kernel prints
    {"exit": code}  when the kernel has ended, negative for a signal

If several forks in a row end before they are ready, or none can be made, the template turns
everybody away, and ends with the last kernel that it has handed out.

The template ends, and its kernels with it, when its control channel closes. There the
configuration comes first::

    {"folder": …, "preload": ["numpy", …], "arguments": [kernel options…], "idle": 2}

``{"ready": true, …}`` or ``{"refused": reason, …}`` goes back. Each later ``{"idle": n}`` changes
how many kernels wait.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
from dataclasses import dataclass
from typing import Any

from .channel import receive, send

#: Forks in a row that may end before they are ready, as those do that the system has no memory for.
_TRIES = 3


#: An attempt's folder and environment, and the descriptor of its log.
_Attempt = tuple[dict[str, Any], list[int]]


@dataclass
class Fork:
    """What a fork is told when it is made."""

    #: Process id of the template.
    template: int
    #: Where the attempt comes from.
    channel: socket.socket
    #: Where its sockets go.
    folder: str


class Child:
    """A kernel that was forked."""

    def __init__(self, pid: int, channel: socket.socket, folder: str) -> None:
        self.pid = pid
        self.channel = channel
        self.folder = folder
        #: What its connection file says, once it is ready.
        self.connection: dict[str, Any] | None = None
        #: The connection of whoever it was handed out to.
        self.client: socket.socket | None = None
        #: Whether it may still be handed out.
        self.free = True
        #: Whether it was handed out, and waits for its attempt.
        self.reserved = False


class Template:
    """Forks kernels, hands them out, and ends them with the connections that asked for them."""

    def __init__(
        self, control: socket.socket, listener: socket.socket, folder: str, idle: int
    ) -> None:
        self._control = control
        self._listener = listener
        self._folder = folder
        self._idle = idle
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, Child] = {}
        #: Connections for which no kernel was ready, and the attempts that have come by them.
        self._waiting: dict[socket.socket, _Attempt | None] = {}
        self._count = 0
        #: Forks since the last one that got ready, all of which have ended.
        self._failures = 0
        #: Whether nobody gets a kernel any more.
        self._closed = False

    def serve(self) -> Fork | None:
        """Serve until the control channel closes. Returns in a fork only."""
        wakeup = os.pipe()
        for each in wakeup:
            os.set_blocking(each, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup[1], warn_on_full_buffer=False)
        for source, handle in (
            (self._control, self._on_control),
            (self._listener, self._on_listener),
            (wakeup[0], self._on_signal),
        ):
            self._selector.register(source, selectors.EVENT_READ, handle)
        while True:
            if (fork := self._fill()) is not None:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for each in wakeup:
                    os.close(each)
                return fork
            for key, _ in self._selector.select():
                # What was done for another of them may have closed it.
                if isinstance(key.fileobj, int) or key.fileobj.fileno() >= 0:
                    key.data(key.fileobj)

    def _free(self) -> list[Child]:
        return [each for each in self._children.values() if each.free]

    def _ahead(self) -> int:
        return sum(each.free or each.reserved for each in self._children.values())

    def _fill(self) -> Fork | None:
        """Fork until enough kernels wait."""
        while not self._closed and self._ahead() < self._idle + len(self._waiting):
            self._count += 1
            folder = f"{self._folder}/{self._count}"
            template = os.getpid()
            try:
                ours, theirs = socket.socketpair()
                pid = os.fork()
            except OSError:
                self._close()
                return None
            if not pid:
                ours.close()
                self._let_go()
                return Fork(template, theirs, folder)
            theirs.close()
            self._children[pid] = Child(pid, ours, folder)
            self._selector.register(ours, selectors.EVENT_READ, self._on_child)
        return None

    def _let_go(self) -> None:
        """In the fork: close all that is the template's."""
        os.setsid()
        self._selector.close()
        self._control.close()
        self._listener.close()
        for child in self._children.values():
            child.channel.close()
            if child.client is not None:
                child.client.close()
        for client, attempt in self._waiting.items():
            client.close()
            _close_all(attempt)

    # -- what happens ------------------------------------------------------------------------------

    def _on_control(self, control: socket.socket) -> None:
        message = receive(control)
        if message is None:
            self._end()
            return
        self._idle = message[0]["idle"]
        for child in self._free()[self._idle + len(self._waiting) :]:
            self._kill(child)

    def _on_listener(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        self._selector.register(client, selectors.EVENT_READ, self._on_client)

    def _on_client(self, client: socket.socket) -> None:
        message = receive(client)
        child = next((each for each in self._children.values() if each.client is client), None)
        if message is None:
            self._turn_away(client)
            if child is not None:
                child.client = None
                self._kill(child)
        elif child is not None:
            self._give(child, message)
        elif client in self._waiting:
            self._waiting[client] = message
        else:
            self._waiting[client] = None
            self._hand_out()

    def _on_child(self, channel: socket.socket) -> None:
        self._selector.unregister(channel)
        message = receive(channel)
        for child in self._children.values():
            if child.channel is channel and message is not None:
                child.connection = message[0]["connection"]
                self._failures = 0
        self._hand_out()

    def _on_signal(self, reader: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 512)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                self._gone(child, os.waitstatus_to_exitcode(status))

    # -- what is done ------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Give the kernels that are ready to those who wait."""
        ready = [each for each in self._free() if each.connection is not None]
        for client in list(self._waiting)[: len(ready)]:
            child = ready.pop(0)
            child.free = False
            child.reserved = True
            child.client = client
            with contextlib.suppress(ConnectionError):
                send(client, {"pid": child.pid, "connection": child.connection})
            if (attempt := self._waiting.pop(client)) is not None:
                self._give(child, attempt)

    def _give(self, child: Child, attempt: _Attempt) -> None:
        """Let a kernel serve an attempt."""
        child.reserved = False
        with contextlib.suppress(ConnectionError):
            send(child.channel, attempt[0], *attempt[1])
        _close_all(attempt)

    def _gone(self, child: Child, code: int) -> None:
        shutil.rmtree(child.folder, ignore_errors=True)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(child.channel)
        child.channel.close()
        if child.client is not None:
            with contextlib.suppress(ConnectionError):
                send(child.client, {"exit": code})
        if child.free and child.connection is None:
            self._failures += 1
            if self._failures == _TRIES:
                self._close()
        if self._closed and not self._children:
            self._end()

    def _close(self) -> None:
        """Give nobody a kernel any more, and end when those that were handed out have ended."""
        self._closed = True
        self._selector.unregister(self._listener)
        self._listener.close()
        for client in list(self._waiting):
            self._turn_away(client)
        for child in self._free():
            self._kill(child)
        if not self._children:
            self._end()

    def _turn_away(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        client.close()
        _close_all(self._waiting.pop(client, None))

    def _kill(self, child: Child) -> None:
        child.free = child.reserved = False
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(child.pid, signal.SIGKILL)

    def _end(self) -> None:
        for child in self._children.values():
            self._kill(child)
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(0)


def _close_all(attempt: _Attempt | None) -> None:
    for each in attempt[1] if attempt is not None else ():
        os.close(each)
