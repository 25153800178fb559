"""Ports for servers that tests start."""

from __future__ import annotations

import contextlib
import socket


def free_ports(number: int) -> list[int]:
    """Return ports that nothing listens on, each another one."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in listeners:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in listeners]


def free_port() -> int:
    """Return a port that nothing listens on."""
    return free_ports(1)[0]
