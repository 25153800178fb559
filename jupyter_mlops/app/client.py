"""A client of the project's worker, over its Unix socket; starts the worker if there is none."""

from __future__ import annotations

import contextlib
import http.client
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
import psutil

from ..core.exceptions import Conflict, MlopsError, WorkerUnavailable, error_types
from . import messages as m
from . import operations as ops
from .operation import Operation
from .projects import Project, find_project
from .runtime import address, locked, start_worker
from .unix import UnixConnection

R = TypeVar("R")

#: Seconds that we wait for an idle worker of another version to end.
_RETIRE_TIMEOUT = 5.0
#: Seconds that a worker may be late with a beat, on a machine that has much to do.
_LATENESS = 20.0
#: Bytes of a file that are in memory at a time.
_PIECE = 1024 * 1024


class Client:
    """Asks a project's worker. Safe to use from several threads: each call has its connection."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._socket = address(project).socket

    def call(
        self,
        operation: Operation[R],
        *,
        query: m.Request | None = None,
        body: m.Request | None = None,
        timeout: float | None = 60.0,
        **path: str,
    ) -> R:
        """Carry out one operation of the table. ``path`` fills the path's placeholders.

        Raises the error that the worker answers with, or `WorkerUnavailable`.
        """
        target = operation.path.format(**{name: quote(v, safe="") for name, v in path.items()})
        if query is not None:
            target += "?" + query_string(query)
        content = msgspec.json.encode(body) if body is not None else None
        with contextlib.closing(UnixConnection(self._socket, timeout)) as connection:
            try:
                connection.request(operation.method, target, body=content)
                response = connection.getresponse()
                data = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise WorkerUnavailable from error
        if response.status >= 400:
            raise decode_error(data)
        return msgspec.json.decode(data, type=operation.response)

    def download(
        self,
        operation: Operation[bytes],
        *,
        query: m.Request,
        timeout: float | None = None,
        **path: str,
    ) -> Iterator[bytes]:
        """Yield the bytes that an operation answers with, piece by piece.

        Raises the error that the worker answers with, or `WorkerUnavailable`.
        """
        target = operation.path.format(**{name: quote(v, safe="") for name, v in path.items()})
        with contextlib.closing(UnixConnection(self._socket, timeout)) as connection:
            try:
                connection.request(operation.method, f"{target}?{query_string(query)}")
                response = connection.getresponse()
                if response.status >= 400:
                    raise decode_error(response.read())
                left = int(response.headers["Content-Length"])
                while piece := response.read(_PIECE):
                    left -= len(piece)
                    yield piece
            except (OSError, http.client.HTTPException) as error:
                raise WorkerUnavailable from error
        if left:
            raise WorkerUnavailable("The file ended before all of it had come. Try again.")

    def events(
        self, after: int, *, attempt: str | None = None, beat: float = 10.0
    ) -> Iterator[m.EventView | None]:
        """Yield events as they happen, and None now and then while nothing does.

        ``attempt`` names the attempt that this process belongs to: it holds no slot as long as it
        listens. Raises `WorkerUnavailable` when the connection breaks.
        """
        target = "/events/stream?" + urlencode(
            {"after": after, "beat": beat} | ({"attempt": attempt} if attempt else {})
        )
        with contextlib.closing(UnixConnection(self._socket, beat + _LATENESS)) as connection:
            try:
                connection.request("GET", target)
                response = connection.getresponse()
                if response.status >= 400:
                    raise decode_error(response.read())
                while line := response.readline():
                    text = line.strip()
                    yield msgspec.json.decode(text, type=m.EventView) if text else None
            except (OSError, http.client.HTTPException) as error:
                raise WorkerUnavailable from error
        raise WorkerUnavailable

    @contextlib.contextmanager
    def waiting(self, attempt: str) -> Iterator[None]:
        """Let an attempt of this project hold no core inside the block."""
        quiet = urlencode({"after": 2**62, "beat": 3600, "attempt": attempt})
        with contextlib.closing(UnixConnection(self._socket, None)) as connection:
            # A worker that has gone holds no core either.
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", f"/events/stream?{quiet}")
                connection.getresponse()
            yield

    def alive(self) -> m.HealthView | None:
        """Return who answers, or None if nobody does."""
        try:
            return self.call(ops.HEALTH, timeout=10.0)
        except WorkerUnavailable:
            return None


def connect(
    start: str | os.PathLike[str] | Project,
    *,
    python: str | None = None,
    ahead: tuple[Path, bytes] | None = None,
) -> Client:
    """Return a client of the worker of a path's project, starting one if need be.

    ``python`` is the interpreter for a new worker; by default the one that the project recorded,
    else this one; ``ahead`` a DVC repository, and what its host is asked while the worker starts.
    Raises `WorkerUnavailable`.
    """
    from .. import __version__

    project = start if isinstance(start, Project) else find_project(start)
    client = Client(project)
    health = client.alive()
    if health is not None and health.version != __version__:
        health = _retire(client, health)
    if health is None:
        with locked(address(project).starting):
            if client.alive() is None:
                start_worker(project, python=python, ahead=ahead)
    return client


def _retire(client: Client, health: m.HealthView) -> m.HealthView | None:
    """Ask a worker of another version to end; None if it has, else it finishes its runs first."""
    client.call(ops.DRAIN, body=m.DrainRequest())
    with contextlib.suppress(psutil.Error):
        psutil.Process(health.pid).wait(_RETIRE_TIMEOUT)
    left = client.alive()
    if left is not None and left.protocol != m.PROTOCOL:
        raise Conflict(
            f"A worker of version {left.version} still finishes its runs. "
            "Try again when they are done, or end it with: jupyter mlops worker --stop"
        )
    return left


def query_string(query: m.Request) -> str:
    """Encode a query struct, leaving out what is at its default of None."""
    values = msgspec.to_builtins(query)
    return urlencode({name: value for name, value in values.items() if value is not None})


def decode_error(data: bytes) -> MlopsError:
    """Rebuild an error from its JSON."""
    try:
        detail = msgspec.json.decode(data, type=m.ErrorView).error
    except msgspec.DecodeError:
        return WorkerUnavailable(data.decode("utf-8", "replace").strip()[:500] or None)
    cls = error_types().get(detail.code, MlopsError)
    return cls(detail.message, field=detail.field)
