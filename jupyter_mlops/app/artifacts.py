"""Use cases of the files that runs keep: which there are, their hashes, and their bytes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from threading import Lock

from ..core.artifacts import Artifact, ArtifactStore, checked_path, media_type
from ..core.exceptions import MlopsError, NotFound, TrackingUnavailable
from ..core.runs import Run
from ..core.values import quote
from ..store import Store
from ..tracking import OneFile
from . import messages as m
from .projects import Project
from .recorder import Recorder
from .tasks import output_path

#: Files that are listed of one run.
MOST = 5_000
#: Files that are fetched, or read for their hash, at a time; each takes a thread, and some a disk.
_PARALLEL = 4
#: Hashes that are remembered.
_REMEMBERED = 10_000

Stores = Mapping[str, ArtifactStore]


@dataclass(frozen=True, slots=True)
class Content:
    """The beginning, or all, of a file. Whoever has it closes the file."""

    file: BufferedReader
    #: Bytes that are meant.
    size: int


class ArtifactUseCases:
    """What can be asked of the files that runs keep."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        stores: Callable[[str], Stores],
    ) -> None:
        """``stores`` returns the stores of a tracked run by the folder each stands for."""
        self._project = project
        self._store = store
        self._recorder = recorder
        self._stores = stores
        self._places = asyncio.Semaphore(_PARALLEL)
        self._hashes = _Hashes()

    async def list_artifacts(self, run_id: str) -> m.ArtifactsView:
        """List what a run kept; what can be listed is, even if the tracking server is away."""
        run = await asyncio.to_thread(self._store.history.run, run_id)
        stores, problem = await self._known(run)
        found: dict[str, Artifact] = {}
        for folder, store in stores:
            try:
                listed = await asyncio.to_thread(store.list, MOST + 1 - len(found))
            except MlopsError as error:
                problem = error.message
                continue
            for each in listed:
                path = f"{folder}/{each.path}" if folder else each.path
                found.setdefault(path, each)
        return m.ArtifactsView(
            run_id=run_id,
            artifacts=[_view(path, found[path].size) for path in sorted(found)[:MOST]],
            more=len(found) > MOST,
            problem=problem,
        )

    async def get_artifact(self, run_id: str, query: m.ArtifactQuery) -> m.ArtifactView:
        """Return a file with its hash, which is read for that unless it has not changed."""
        async with self._places:
            file = await self._open(run_id, query.path)
            with file:
                size, sha256 = await asyncio.to_thread(self._hashes.of, file)
        view = _view(query.path, size)
        view.sha256 = sha256
        return view

    async def read_artifact(self, run_id: str, query: m.ContentQuery) -> Content:
        """Open a file, or as much of its beginning as is asked for."""
        async with self._places:
            file = await self._open(run_id, query.path)
        size = os.fstat(file.fileno()).st_size
        return Content(file, size if query.first is None else min(size, query.first))

    async def _open(self, run_id: str, path: str) -> BufferedReader:
        """Open a file. Raises `NotAllowedPath` and `NotFound`."""
        checked_path(path)
        run = await asyncio.to_thread(self._store.history.run, run_id)
        stores, problem = await self._known(run)
        for folder, store in stores:
            prefix = f"{folder}/" if folder else ""
            if path.startswith(prefix):
                with contextlib.suppress(NotFound):
                    return await asyncio.to_thread(store.open, path.removeprefix(prefix))
        if problem is not None:
            raise TrackingUnavailable(problem)
        raise NotFound(
            f"Run {run_id} kept no {quote(path)}. "
            f"See what it kept: jupyter mlops runs show {run_id}",
            field="path",
        )

    async def _known(self, run: Run) -> tuple[list[tuple[str, ArtifactStore]], str | None]:
        """Return a run's stores with their folders, and why some are missing.

        The output notebook is there in any case.
        """
        found: list[tuple[str, ArtifactStore]] = []
        problem = self._recorder.problem  # it would only be waited for once more
        tracked_id = run.mlflow_run_id
        if tracked_id is not None and problem is None:
            try:
                # The tracker brings a store up to date that was moved with its project.
                await self._recorder.call(lambda tracker, _: tracker.connect())
                found += (await asyncio.to_thread(self._stores, tracked_id)).items()
            except TrackingUnavailable as error:
                problem = error.message
        if run.notebook:
            found.append(("", OneFile(output_path(self._project, run))))
        return found, problem


class _Hashes:
    """Hashes of files, by what changes whenever a file does."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[int, ...], str] = {}

    def of(self, file: BufferedReader) -> tuple[int, str]:
        """Return the size and sha256 of an open file."""
        stat = os.fstat(file.fileno())
        key = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = hashlib.file_digest(file, "sha256").hexdigest()
            with self._lock:
                while len(self._known) >= _REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[key] = known
        return stat.st_size, known


def _view(path: str, size: int | None) -> m.ArtifactView:
    return m.ArtifactView(path=path, size=size, media_type=media_type(path))
