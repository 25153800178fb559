"""Changes in the projects' workers, told to browsers through Jupyter's event socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from tornado.httputil import RequestStartLine

from ..app.messages import EventView, StatusView
from ..app.operations import STATUS
from ..app.projects import Project
from ..app.runtime import address
from ..core.exceptions import MlopsError
from .link import Gone, exchange, fetch

#: Identifies what is emitted; a change that breaks listeners gets a new one.
SCHEMA_ID = "https://jupyter-mlops.readthedocs.io/events/change/v1"
SCHEMA_FILE = Path(__file__).parent / "schemas" / "change.v1.yaml"

#: Seconds between a worker's signs of life on a quiet stream.
BEAT = 10.0
#: Seconds until a worker that has gone is looked for again, at first and at most.
DELAYS = (0.25, 5.0)


class ChangeEvent(EventView):
    """Something changed in a project; fetch it by its id."""

    #: Path of the project, relative to the server's root, and its id.
    project: str
    project_id: str


class Events:
    """Follows the workers of the projects that were asked for, and emits what they tell.

    ``emit`` gets each `ChangeEvent` as plain values, in order, on the event loop.
    """

    def __init__(self, emit: Callable[[dict[str, Any]], object], log: logging.Logger) -> None:
        self._emit = emit
        self._log = log
        self._followers: dict[str, Follower] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._changes: asyncio.Queue[ChangeEvent] = asyncio.Queue()

    async def follow(self, project: Project, path: str) -> None:
        """Follow a project from now on; its worker runs. Raises `Gone` if it does not."""
        follower = self._followers.get(project.id)
        if follower is not None:
            follower.wake()
            return
        status = await _status(project)
        if not self._tasks:
            self._tasks.append(asyncio.create_task(self._emit_all()))
        follower = Follower(project, path, status.seq, self._changes.put_nowait, self._log)
        self._followers[project.id] = follower
        self._tasks.append(asyncio.create_task(follower.run()))

    async def stop(self) -> None:
        """Follow nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._followers.clear()

    async def _emit_all(self) -> None:
        while True:
            change = await self._changes.get()
            try:
                self._emit(msgspec.to_builtins(change))
            except Exception:  # noqa: BLE001 - the task goes on, whatever a listener does
                self._log.exception("An event of %s cannot be told", change.project)
            # A long backlog must leave room for the server's other work.
            await asyncio.sleep(0)


class Follower:
    """Listens to one project's worker as long as it lives, and to each that comes after it."""

    def __init__(
        self,
        project: Project,
        path: str,
        after: int,
        tell: Callable[[ChangeEvent], None],
        log: logging.Logger,
    ) -> None:
        self._project = project
        self._path = path
        self._after = after
        self._tell = tell
        self._log = log
        self._rest = b""
        self._heard = False
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look for a worker at once."""
        self._awake.set()

    async def run(self) -> None:
        """Listen until cancelled. Workers are looked for, never started."""
        delay = DELAYS[0]
        while True:
            self._awake.clear()
            self._heard = False
            try:
                await self._listen()
            except (Gone, MlopsError, OSError, msgspec.DecodeError) as error:
                self._log.debug("No events of %r: %s", self._path, error)
            delay = DELAYS[0] if self._heard else min(2 * delay, DELAYS[1])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._awake.wait()

    async def _listen(self) -> None:
        status = await _status(self._project)
        if status.seq < self._after:
            # The project's state was thrown away, and its events are counted anew.
            self._after = 0
        self._rest = b""
        query = urlencode({"after": self._after, "beat": BEAT})
        await exchange(
            address(self._project).socket,
            RequestStartLine("GET", f"/events/stream?{query}", ""),
            receive=self._receive,
            patience=3 * BEAT,
        )

    def _receive(self, chunk: bytes) -> None:
        self._heard = True
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in filter(bytes.strip, lines):
            try:
                event = msgspec.json.decode(line, type=EventView)
            except msgspec.DecodeError as error:
                self._log.warning("An event of %s is not understood: %s", self._path, error)
                continue
            self._after = event.seq
            fields = {name: getattr(event, name) for name in EventView.__struct_fields__}
            change = ChangeEvent(**fields, project=self._path, project_id=self._project.id)
            self._tell(change)


async def _status(project: Project) -> StatusView:
    answer = await fetch(address(project).socket, STATUS)
    return msgspec.json.decode(answer, type=StatusView)
