"""HTTP over a Unix socket. Standard library only: sessions use it in any environment."""

from __future__ import annotations

import http.client
import os
import socket


class UnixConnection(http.client.HTTPConnection):
    """A connection to the worker; ``timeout`` is seconds without an answer."""

    def __init__(self, path: str | os.PathLike[str], timeout: float | None) -> None:
        super().__init__("worker", timeout=timeout)
        self._path = os.fspath(path)

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
