"""Asking a project's worker without blocking the server's event loop."""

from __future__ import annotations

import asyncio
import inspect
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import msgspec
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError

from ..app import messages as m
from ..app.client import connect, decode_error, query_string
from ..app.operation import Operation
from ..app.projects import Project
from ..app.runtime import address
from ..core.exceptions import WorkerUnavailable

#: Seconds without a byte after which an answer is given up.
PATIENCE = 120.0
#: The same for a file: it may be fetched from far away first, and its reader may pause.
FILE_PATIENCE = 3600.0

R = TypeVar("R")


class Sink(Protocol):
    """What takes the bytes of a file."""

    def begin(self, size: int) -> None:
        """Take note that so many bytes will come."""
        ...

    async def take(self, piece: bytes) -> None:
        """Take some, and return when there may be more."""
        ...


class Gone(Exception):
    """Nobody answers on a worker's socket; ``asked`` tells whether the request may have come in."""

    def __init__(self, *, asked: bool) -> None:
        self.asked = asked
        super().__init__(
            "The worker ended before it had answered. Look what it did, then try again."
            if asked
            else "The worker does not run. Try again."
        )


class Link:
    """Asks the workers of projects, starting those that do not run.

    ``connected`` is awaited whenever a worker was found or started, before it is asked anything.
    """

    def __init__(self, connected: Callable[[Project], Awaitable[None]]) -> None:
        self._connected = connected
        self._connections: dict[str, asyncio.Task[None]] = {}

    async def ask(
        self,
        project: Project,
        operation: Operation[Any],
        path: Mapping[str, str],
        *,
        query: m.Request | None = None,
        body: m.Request | None = None,
    ) -> bytes:
        """Carry out an operation and return its answer as JSON.

        A worker that has gone is started again, but what it may have begun is not asked twice.
        Raises the error that the worker answers with, or `WorkerUnavailable`.
        """

        async def ask() -> bytes:
            where = address(project).socket
            return await fetch(where, operation, path, query=query, body=body)

        try:
            try:
                return await self._connected_to(project, ask)
            except Gone as gone:
                if gone.asked and operation.action != "read":
                    raise
                return await self._connected_to(project, ask)
        except Gone as gone:
            raise WorkerUnavailable(str(gone)) from gone

    async def stream(
        self,
        project: Project,
        operation: Operation[bytes],
        path: Mapping[str, str],
        query: m.Request | None,
        sink: Sink,
    ) -> None:
        """Hand on the bytes that an operation answers with, as fast as the sink takes them.

        Raises the error that the worker answers with, or `WorkerUnavailable`; after the sink has
        begun it has got a part only.
        """
        line = RequestStartLine(operation.method, target_of(operation, path, query), "")
        refusal: list[bytes] = []
        begun = False

        def begin(status: int, headers: HTTPHeaders) -> None:
            nonlocal begun
            if status < 400:
                begun = True
                sink.begin(int(headers["Content-Length"]))

        def receive(piece: bytes) -> object:
            if begun:
                return sink.take(piece)
            refusal.append(piece)
            return None

        async def ask() -> int:
            where = address(project).socket
            return await exchange(where, line, begin=begin, receive=receive, patience=FILE_PATIENCE)

        try:
            try:
                status = await self._connected_to(project, ask)
            except Gone:
                if begun:
                    raise
                status = await self._connected_to(project, ask)
        except Gone as gone:
            raise WorkerUnavailable(str(gone)) from gone
        if status >= 400:
            raise decode_error(b"".join(refusal))

    async def _connected_to(self, project: Project, ask: Callable[[], Awaitable[R]]) -> R:
        """Ask the worker, after connecting to it if that has not been done yet."""
        connection = self._connections.get(project.id)
        if connection is None:
            connection = asyncio.create_task(self._connect(project))
            self._connections[project.id] = connection
        try:
            # The connection is shared: a request that is given up must not end it for the others.
            await asyncio.shield(connection)
            return await ask()
        except (Gone, WorkerUnavailable):
            if self._connections.get(project.id) is connection:
                del self._connections[project.id]
            raise

    async def _connect(self, project: Project) -> None:
        try:
            await asyncio.to_thread(connect, project)
        except OSError as error:
            raise WorkerUnavailable(
                f"The worker cannot be started ({error.strerror}). Run: jupyter mlops doctor"
            ) from error
        try:
            await self._connected(project)
        except Gone as gone:
            raise Gone(asked=False) from gone


async def fetch(
    path_of_socket: Path,
    operation: Operation[Any],
    path: Mapping[str, str] | None = None,
    *,
    query: m.Request | None = None,
    body: m.Request | None = None,
) -> bytes:
    """Ask the worker that listens on a socket and return its answer as JSON.

    Raises the error that it answers with, or `Gone`.
    """
    pieces: list[bytes] = []
    status = await exchange(
        path_of_socket,
        RequestStartLine(operation.method, target_of(operation, path or {}, query), ""),
        msgspec.json.encode(body) if body is not None else b"",
        receive=pieces.append,
    )
    if status >= 400:
        raise decode_error(b"".join(pieces))
    return b"".join(pieces)


def target_of(operation: Operation[Any], path: Mapping[str, str], query: m.Request | None) -> str:
    """Return an operation's path with its placeholders filled, and the query."""
    names = {name: quote(value, safe="") for name, value in path.items()}
    target = operation.path.format(**names)
    return target if query is None else f"{target}?{query_string(query)}"


async def exchange(
    path: Path,
    line: RequestStartLine,
    body: bytes = b"",
    *,
    receive: Callable[[bytes], object],
    begin: Callable[[int, HTTPHeaders], None] | None = None,
    patience: float = PATIENCE,
) -> int:
    """Make one request over a Unix socket, hand on the answer piece by piece, return its status.

    The next piece is read once what ``receive`` returns has been awaited. ``begin`` is told of the
    status and headers.

    Raises `Gone` if the answer does not come to its end, and `WorkerUnavailable` if nothing is
    heard for ``patience`` seconds.
    """
    stream = IOStream(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    asked = False
    try:
        async with asyncio.timeout(patience) as deadline:
            await stream.connect(str(path))
            asked = True
            answer = _Answer(receive, lambda: _postpone(deadline, patience), begin)
            await _converse(stream, line, body, answer)
    except StreamClosedError as error:
        raise Gone(asked=asked) from error
    except TimeoutError as error:
        raise WorkerUnavailable(
            f"The worker has not answered for {patience:.0f} seconds. "
            "See its log in .mlops/logs, or run: jupyter mlops doctor"
        ) from error
    finally:
        stream.close()
    if not answer.complete:
        raise Gone(asked=True)
    return answer.status


async def _converse(
    stream: IOStream, line: RequestStartLine, body: bytes, answer: HTTPMessageDelegate
) -> None:
    parameters = HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=sys.maxsize)
    connection = HTTP1Connection(stream, is_client=True, params=parameters)
    headers = HTTPHeaders({"Host": "worker", "Connection": "close"})
    if body or line.method != "GET":
        headers["Content-Length"] = str(len(body))
    await connection.write_headers(line, headers, body)
    connection.finish()
    await connection.read_response(answer)


def _postpone(deadline: asyncio.Timeout, seconds: float) -> None:
    deadline.reschedule(asyncio.get_running_loop().time() + seconds)


class _Answer(HTTPMessageDelegate):
    """Hands on an answer's body; complete once all of it has come."""

    def __init__(
        self,
        receive: Callable[[bytes], object],
        heard: Callable[[], None],
        begin: Callable[[int, HTTPHeaders], None] | None,
    ) -> None:
        self.status = 0
        self.complete = False
        self._receive = receive
        self._heard = heard
        self._begin = begin

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        if isinstance(start_line, ResponseStartLine):
            self.status = start_line.code
            if self._begin is not None:
                self._begin(self.status, headers)
        self._heard()

    async def data_received(self, chunk: bytes) -> None:
        self._heard()
        taken = self._receive(chunk)
        if inspect.isawaitable(taken):
            await taken

    def finish(self) -> None:
        self.complete = True
