"""Messages on a Unix socket: JSON, each after its length in four bytes, big-endian.

File descriptors may travel with them.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
from typing import Any

#: From sys/prctl.h: the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1

_LENGTH = struct.Struct(">I")


def send(channel: socket.socket, message: dict[str, Any], *descriptors: int) -> None:
    """Send a message, with file descriptors if there are any."""
    data = json.dumps(message).encode("utf-8", "surrogateescape")
    data = _LENGTH.pack(len(data)) + data
    sent = socket.send_fds(channel, [data], descriptors) if descriptors else 0
    channel.sendall(data[sent:])


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Receive a message and its file descriptors; None at the end."""
    try:
        header, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, 4)
        header += _read(channel, _LENGTH.size - len(header)) if header else b""
        if len(header) < _LENGTH.size:
            return None
        size = _LENGTH.unpack(header)[0]
        body = _read(channel, size)
    except ConnectionError:
        return None
    if len(body) < size:
        return None
    return json.loads(body.decode("utf-8", "surrogateescape")), list(descriptors)


def _read(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            break
        data += part
    return bytes(data)


def die_with_parent() -> None:
    """Let the system kill this process when its parent dies. Linux only."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
