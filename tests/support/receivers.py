"""Servers that take notifications: by HTTP, and by SMTP."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import queue
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Seconds within which something that was sent has arrived.
PATIENCE = 60


@dataclass
class Post:
    """What was posted."""

    path: str
    content: Any


@dataclass
class Mail:
    """What was mailed, by whom it was said to be, and who logged in."""

    sender: str
    receivers: list[str]
    message: EmailMessage
    login: str


@dataclass
class Receiver:
    """A server's address, and what has come."""

    port: int
    arrived: queue.Queue[Any] = field(default_factory=queue.Queue)
    #: Status codes of the next answers; 200 when there are none.
    answers: list[int] = field(default_factory=list)

    def next(self) -> Any:
        """Wait for what comes next."""
        return self.arrived.get(timeout=PATIENCE)

    @property
    def empty(self) -> bool:
        """Whether nothing has come that was not looked at."""
        return self.arrived.empty()


@contextmanager
def http_receiver(port: int = 0) -> Iterator[Receiver]:
    """Run a web server that takes JSON."""
    receiver = Receiver(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            code = receiver.answers.pop(0) if receiver.answers else 200
            receiver.arrived.put(Post(self.path, json.loads(text)))
            self.send_response(code)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", port), Handler), receiver):
        yield receiver


@contextmanager
def smtp_receiver() -> Iterator[Receiver]:
    """Run a mail server."""
    receiver = Receiver(0)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _Conversation(self.rfile.readline, self.wfile.write, receiver.arrived.put).hold()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler), receiver):
        yield receiver


@contextmanager
def _serving(server: socketserver.TCPServer, receiver: Receiver) -> Iterator[None]:
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Conversation:
    """One connection, as far as RFC 5321 is needed to take mail."""

    def __init__(
        self,
        read: Callable[[], bytes],
        write: Callable[[bytes], object],
        take: Callable[[Mail], None],
    ) -> None:
        self._read = read
        self._write = write
        self._take = take
        self._login = ""
        self._sender = ""
        self._receivers: list[str] = []

    def hold(self) -> None:
        """Talk until the client leaves."""
        self._say("220 ready")
        while line := self._read():
            verb, _, rest = line.decode().strip().partition(" ")
            match verb.upper():
                case "EHLO":
                    self._say("250-here\r\n250 AUTH PLAIN")
                case "AUTH":
                    secret = base64.b64decode(rest.partition(" ")[2])
                    self._login = secret.decode().replace("\0", ":").strip(":")
                    self._say("235 welcome")
                case "MAIL":
                    self._sender = rest.partition(":")[2].split()[0]
                    self._say("250 ok")
                case "RCPT":
                    self._receivers.append(rest.partition(":")[2])
                    self._say("250 ok")
                case "DATA":
                    self._say("354 go on")
                    self._message()
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _message(self) -> None:
        lines = []
        while (line := self._read()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        self._take(Mail(self._sender, self._receivers, message, self._login))
        self._receivers = []

    def _say(self, text: str) -> None:
        self._write(f"{text}\r\n".encode())
