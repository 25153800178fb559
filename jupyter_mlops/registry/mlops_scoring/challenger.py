"""A challenger: another version that is asked what the served one was asked, beside it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Seconds that an answer may take, and between two tries to start the process.
_PATIENCE = 60.0
_PAUSE = 60.0
#: Seconds between two looks whether it answers.
_LOOK_EVERY = 0.2


class Challenger:
    """The process of another version, which ends with ours."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """``config`` is that of the process; its socket lies beside ours."""
        self._config = {**config, "parent": os.getpid()}
        self._socket = Path(config["socket"])
        self._python = config.get("python", sys.executable)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -_PAUSE
        self._closing = threading.Event()

    def start(self) -> None:
        """Start it, unless it runs or has ended just now."""
        running = self._process is not None and self._process.poll() is None
        if running or self._closing.is_set() or time.monotonic() - self._started < _PAUSE:
            return
        self._started = time.monotonic()
        self._socket.unlink(missing_ok=True)
        script = Path(__file__).with_name("__main__.py")
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, an argv list
            [self._python, "-P", str(script)], stdin=subprocess.PIPE
        )
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(json.dumps(self._config).encode())

    def ask(self, body: bytes, media: str) -> Any:
        """Return its predictions. Raises OSError, HTTPException, ValueError, KeyError."""
        self._wait()
        connection = http.client.HTTPConnection("challenger", timeout=_PATIENCE)
        with contextlib.closing(connection):
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.settimeout(_PATIENCE)
            connection.sock.connect(str(self._socket))
            connection.request("POST", "/invocations", body, {"Content-Type": media})
            return json.loads(connection.getresponse().read())["predictions"]

    def _wait(self) -> None:
        """Return when it can be asked, or has ended."""
        self.start()
        while self._process is not None and self._process.poll() is None:
            if self._socket.exists() or self._closing.wait(_LOOK_EVERY):
                return

    def close(self) -> None:
        """End it, and ask it no more."""
        self._closing.set()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._socket.unlink(missing_ok=True)
