"""Asking a project's worker without blocking the server's event loop."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
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
        try:
            try:
                return await self._ask(project, operation, path, query, body)
            except Gone as gone:
                if gone.asked and operation.action != "read":
                    raise
                return await self._ask(project, operation, path, query, body)
        except Gone as gone:
            raise WorkerUnavailable(str(gone)) from gone

    async def _ask(
        self,
        project: Project,
        operation: Operation[Any],
        path: Mapping[str, str],
        query: m.Request | None,
        body: m.Request | None,
    ) -> bytes:
        connection = self._connections.get(project.id)
        if connection is None:
            connection = asyncio.create_task(self._connect(project))
            self._connections[project.id] = connection
        try:
            # The connection is shared: a request that is given up must not end it for the others.
            await asyncio.shield(connection)
            return await fetch(address(project).socket, operation, path, query=query, body=body)
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
    names = {name: quote(value, safe="") for name, value in (path or {}).items()}
    target = operation.path.format(**names)
    if query is not None:
        target += "?" + query_string(query)
    pieces: list[bytes] = []
    status = await exchange(
        path_of_socket,
        RequestStartLine(operation.method, target, ""),
        msgspec.json.encode(body) if body is not None else b"",
        receive=pieces.append,
    )
    if status >= 400:
        raise decode_error(b"".join(pieces))
    return b"".join(pieces)


async def exchange(
    path: Path,
    line: RequestStartLine,
    body: bytes = b"",
    *,
    receive: Callable[[bytes], object],
    patience: float = PATIENCE,
) -> int:
    """Make one request over a Unix socket, hand on the answer piece by piece, return its status.

    Raises `Gone` if the answer does not come to its end, and `WorkerUnavailable` if nothing is
    heard for ``patience`` seconds.
    """
    stream = IOStream(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    asked = False
    try:
        async with asyncio.timeout(patience) as deadline:
            await stream.connect(str(path))
            asked = True
            answer = _Answer(receive, lambda: _postpone(deadline, patience))
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

    def __init__(self, receive: Callable[[bytes], object], heard: Callable[[], None]) -> None:
        self.status = 0
        self.complete = False
        self._receive = receive
        self._heard = heard

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        if isinstance(start_line, ResponseStartLine):
            self.status = start_line.code
        self._heard()

    def data_received(self, chunk: bytes) -> None:
        self._heard()
        self._receive(chunk)

    def finish(self) -> None:
        self.complete = True
