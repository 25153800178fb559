"""Talking to a kernel: code goes there, and what it puts out and replies comes back.

It waits on the sockets themselves. An event loop with a task per channel, as in jupyter_client,
costs more time than the kernel takes for a short cell.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import time
from collections.abc import Awaitable, Callable, Container, Iterator
from hmac import compare_digest
from math import ceil
from typing import Any

import msgspec
import zmq
from jupyter_client.adapter import adapt
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import DeadKernelError

from .warm import WATCH_READS
from .warm.mlops_template import flow

#: Seconds between two looks whether the kernel still lives, where we are not told.
_LOOK_EVERY = 1.0

#: Seconds of silence, after a kernel's reply, until we believe that no more outputs come.
_SILENCE = 10.0

#: Milliseconds that the last messages of a kernel may be on their way after its death.
_LAST_WORDS = 50

#: Messages that are handled before anything else gets its turn.
_BATCH = 50

_DELIMITER = b"<IDS|MSG>"

Message = dict[str, Any]


class Exchange:
    """The requests to one kernel and what comes of them, one at a time."""

    def __init__(
        self,
        client: AsyncKernelClient,
        pid: int,
        check_alive: Callable[[], Awaitable[None]],
    ) -> None:
        """``check_alive`` raises `DeadKernelError`."""
        self._client = client
        self._check_alive = check_alive
        self._shell = zmq.Socket(shadow=client.shell_channel.socket)
        self._outputs = zmq.Socket(shadow=client.iopub_channel.socket)
        self._poller = zmq.Poller()
        self._poller.register(self._shell, zmq.POLLIN)
        self._poller.register(self._outputs, zmq.POLLIN)
        self._watch: int | None = None
        with contextlib.suppress(OSError, AttributeError):  # it is gone, or this is not Linux
            self._watch = os.pidfd_open(pid)
            self._poller.register(self._watch, zmq.POLLIN)

    def close(self) -> None:
        """Watch the kernel no longer."""
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None

    def bound(self, done: bool) -> None:
        """Have an ipykernel wait while we are slow, unless that is ``done``.

        Only then may messages wait at its end: other kernels lose those that wait too long.
        """
        self._outputs.set(zmq.RCVHWM, flow.WAITING)
        if not done:
            text = f"{inspect.getsource(flow)}\nbound()\nwait_for_the_reader()\n"
            # It runs in a namespace of its own, and nobody waits for the reply.
            self._ask(f"exec({text!r}, {{'__name__': 'flow'}})", silent=True)

    def watch_reads(self) -> None:
        """Have an ipykernel that was started cold tell which files it reads."""
        self._ask(WATCH_READS, silent=True)

    async def execute(
        self,
        source: str,
        handle: Callable[[Message], None],
        tick: Callable[[], float],
        *,
        stop_on_error: bool,
    ) -> Message:
        """Execute code and return the reply, when all outputs have been handled.

        ``tick`` is called now and then; it returns the seconds until it wants to be called again.
        Raises `DeadKernelError`.
        """
        request = self._ask(source, stop_on_error=stop_on_error)
        reply: Message | None = None
        idle = False
        heard = looked = time.monotonic()
        while True:
            found = dict(self._poller.poll(ceil(1000 * min(tick(), _LOOK_EVERY))))
            now = time.monotonic()
            for message in self._received(self._outputs, request, found):
                heard = now
                if message["msg_type"] == "status":
                    idle = idle or message["content"]["execution_state"] == "idle"
                handle(message)
            for message in self._received(self._shell, request, found):
                reply = message
            if reply is not None and (idle or now - heard > _SILENCE):
                return reply
            if self._watch in found:
                while self._outputs.poll(_LAST_WORDS):
                    for message in self._received(self._outputs, request, (self._outputs,)):
                        handle(message)
                raise DeadKernelError("Kernel died")
            if now - looked > _LOOK_EVERY:
                looked = now
                await self._check_alive()

    def _ask(self, source: str, *, silent: bool = False, stop_on_error: bool = True) -> str:
        """Send code; return the id of the request."""
        session = self._client.session
        header = session.msg_header("execute_request")
        content = {
            "code": source,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        parts = [_encode(header), b"{}", b"{}", _encode(content)]
        self._shell.send_multipart([_DELIMITER, session.sign(parts), *parts])
        request: str = header["msg_id"]
        return request

    def _received(
        self, socket: zmq.Socket[bytes], request: str, ready: Container[object]
    ) -> Iterator[Message]:
        """Return what has come of a request, if the socket is ready."""
        for _ in range(_BATCH if socket in ready else 0):
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            message = self._read(frames)
            if message["parent_header"].get("msg_id") == request:
                yield message

    def _read(self, frames: list[bytes]) -> Message:
        start = frames.index(_DELIMITER) + 1
        signature, header, parent, metadata, content, *buffers = frames[start:]
        session = self._client.session
        if session.auth is not None:
            signed = session.sign([header, parent, metadata, content])
            if not compare_digest(signature, signed):
                raise ValueError("A message of the kernel has a wrong signature.")
        head = _decode(header)
        message = {
            "header": head,
            "msg_id": head["msg_id"],
            "msg_type": head["msg_type"],
            "parent_header": _decode(parent),
            "metadata": _decode(metadata),
            "content": _decode(content),
            "buffers": [memoryview(each) for each in buffers],
        }
        if str(head.get("version", "4")).startswith("5"):
            return message
        adapted: Message = adapt(message)
        return adapted


_encode = msgspec.json.encode


def _decode(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):  # NaN, or bytes that are no text
        return json.loads(text.decode("utf-8", "replace"))
