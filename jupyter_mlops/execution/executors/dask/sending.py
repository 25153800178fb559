"""Sends the project's files to nodes that do not see its folder, and fetches what attempts make."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ....core.executors import Command, Task
from . import calls
from .files import PART, Area, Made, Manifest, Part, Places, Sent
from .manifests import Manifests
from .nodes import Node

log = logging.getLogger(__name__)

#: Seconds for which the list of the project's files is taken to be right.
_FRESH = 1.0

#: Has a function of `calls` called on a node; returns None if that is gone.
Ask = Callable[..., Awaitable[Any]]


class NodeAway(Exception):
    """A node does not answer."""


class Sending:
    """Files between a project and the nodes that do not see it. For one event loop."""

    def __init__(self, name: str, places: Places, manifests: Manifests, ask: Ask) -> None:
        """``name`` is that of the nodes' plugin."""
        self._name = name
        self._places = places
        self._manifests = manifests
        self._ask = ask
        self._known: tuple[float, Manifest, bytes] | None = None
        self._listing = asyncio.Lock()
        self._turns: dict[str, asyncio.Lock] = {}

    async def check(self) -> None:
        """Raise `InvalidInput` if the project cannot be sent."""
        await self._project()

    async def send(self, found: Node, job: Task | Command) -> Sent:
        """See that a node has what an attempt needs. Raises `NodeAway`, OSError, `InvalidInput`."""
        project, packed = await self._project()
        own = await asyncio.to_thread(self._manifests.of_attempt, job, project)
        digest = hashlib.sha256(packed).hexdigest()
        wanted: dict[str, Path | bytes] = {digest: packed}
        for each in (*project.entries, *own):
            wanted[each.sha256] = self._places.of(each.area) / each.path
        async with self._turns.setdefault(found.incarnation, asyncio.Lock()):
            await self._supply(found, wanted)
        return Sent(
            manifest=digest,
            own=own,
            project=str(self._places.project),
            state=str(self._places.state),
        )

    async def _project(self) -> tuple[Manifest, bytes]:
        async with self._listing:
            if self._known is None or time.monotonic() - self._known[0] > _FRESH:
                manifest = await asyncio.to_thread(self._manifests.of_project)
                self._known = time.monotonic(), manifest, msgspec.msgpack.encode(manifest)
        return self._known[1], self._known[2]

    async def _supply(self, found: Node, wanted: dict[str, Path | bytes]) -> None:
        new = [each for each in wanted if each not in found.contents]
        if not new:
            return
        lacking = await self._call(found, calls.lacks, new)
        batch: list[Part] = []
        for digest in lacking:
            for part in _parts(digest, wanted[digest]):
                batch.append(part)
                if sum(len(each.data) for each in batch) >= PART:
                    await self._call(found, calls.receive, batch)
                    batch = []
        if batch:
            await self._call(found, calls.receive, batch)
        found.contents.update(wanted)

    # -- back --------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def following(
        self, found: Node, job: Task | Command, changed: asyncio.Event
    ) -> AsyncIterator[None]:
        """Keep a copy of an attempt's journal, as of each change; its folders go in the end."""
        following = []
        if isinstance(job, Task):
            following.append(asyncio.create_task(self._follow(found, job, changed)))
        try:
            yield
        finally:
            for each in following:
                each.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            with contextlib.suppress(NodeAway, OSError):
                await self._call(found, calls.release, job.attempt_id)

    async def _follow(self, found: Node, task: Task, changed: asyncio.Event) -> None:
        area: tuple[Area, str] = ("state", task.journal.relative_to(self._places.state).as_posix())
        identity = 0
        while True:
            await changed.wait()
            changed.clear()
            with contextlib.suppress(NodeAway, OSError):
                identity = await self._append(found, task, area, identity)

    async def _append(self, found: Node, task: Task, place: tuple[Area, str], identity: int) -> int:
        """Bring what a journal has more than our copy; return which file it is now."""
        path = task.journal
        while True:
            offset = path.stat().st_size if identity and path.exists() else 0
            now, data = await self._call(found, calls.read, task.attempt_id, place, offset, PART)
            if not now:  # there is none yet, or its notebook has been written
                return identity
            if now != identity and offset:  # it was written anew, shorter
                identity = 0
                continue
            with path.open("ab" if offset else "wb") as file:
                file.write(data)
            identity = now
            if len(data) < PART:
                return identity

    async def fetch(self, found: Node, job: Task | Command, made: Iterable[Made]) -> None:
        """Bring what an attempt has made, each file whole or not at all.

        Raises `NodeAway`, OSError.
        """
        attempt = job.attempt_id
        aside_name = hashlib.sha256(attempt.encode()).hexdigest()[:12]
        for each in made:
            if isinstance(job, Task) and self._places.state / each.path == job.journal:
                continue  # we have a copy
            target = self._target(each)
            if target is None:
                log.warning("Attempt %s made %s, which is not taken.", attempt, each.path)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.{aside_name}")
            try:
                with aside.open("wb") as file:
                    while file.tell() < each.size:
                        place = each.area, each.path
                        _, data = await self._call(
                            found, calls.read, attempt, place, file.tell(), PART
                        )
                        if not data:
                            raise OSError(f"{each.path} is not as long as it was")
                        file.write(data)
                if isinstance(job, Command) and target == job.log and target.exists():
                    with target.open("ab") as log_file, aside.open("rb") as file:
                        shutil.copyfileobj(file, log_file)
                else:
                    aside.chmod(each.mode)
                    aside.replace(target)
            finally:
                aside.unlink(missing_ok=True)

    def _target(self, made: Made) -> Path | None:
        """Return where a file goes; None if that is not for an attempt to write."""
        folder = self._places.of(made.area)
        path = folder / made.path
        inside = Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(folder))
        if not inside or ".." in Path(made.path).parts:
            return None
        if made.area == "state" and not made.path.startswith(("journals/", "logs/")):
            return None
        return path

    async def _call(self, found: Node, question: Callable[..., Any], *arguments: Any) -> Any:
        answer = await self._ask(found.address, question, self._name, *arguments)
        if answer is None:
            raise NodeAway
        return answer


def _parts(digest: str, source: Path | bytes) -> Iterator[Part]:
    if isinstance(source, bytes):
        yield Part(digest, 0, len(source), source)
        return
    size = source.stat().st_size
    with source.open("rb") as file:
        offset = 0
        while True:
            data = file.read(PART)
            yield Part(digest, offset, size, data)
            offset += len(data)
            if offset >= size or not data:
                return
