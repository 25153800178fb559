"""Removing runs: their files, what was tracked of them, and their records, in that order.

A crash on the way leaves the record, so that the rest can be removed by asking again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from ..core.exceptions import Conflict
from ..core.runs import Run
from ..store import Store, of_runs
from . import disk
from .projects import Project
from .recorder import Recorder

#: Runs that are removed at a time, between which others may use the tracker.
_BATCH = 100


class Removal:
    """Removes finished runs that no model version needs."""

    def __init__(self, project: Project, store: Store, recorder: Recorder) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        #: Held while runs are removed, and by those that would let them run again.
        self.lock = asyncio.Lock()

    async def needed(self, runs: Sequence[Run]) -> dict[str, str]:
        """Return the runs that a model version was made from, with the version as ``name vN``.

        Raises `TrackingUnavailable`.
        """
        tracked = await asyncio.to_thread(self._store.inventory.tracked)
        owners = {each: run.id for run in runs for each in tracked.get(run.id, ())}
        asked = list(owners)
        made = await self._recorder.call(lambda _, registry: registry.protected(asked))
        versions = await self._recorder.call(lambda _, registry: registry.versions())
        by_tag = {each.run_id: f"{each.name} v{each.version}" for each in versions if each.run_id}
        named = {run.id: by_tag[run.id] for run in runs if run.id in by_tag}
        return named | {owners[tracked_id]: version for tracked_id, version in made.items()}

    async def remove(self, runs: Sequence[Run], *, for_good: bool = False) -> None:
        """Remove runs, which must have finished and be needed by none. The caller holds the lock.

        Their tracked runs go into the tracker's trash; ``for_good`` empties it of them. Raises
        `Conflict`, `TrackingUnavailable`.
        """
        ids = [run.id for run in runs]
        if await asyncio.to_thread(self._store.inventory.unfinished, ids):
            raise Conflict("It has not finished yet. Cancel it first, then delete it.")
        for start in range(0, len(runs), _BATCH):
            await self._remove(runs[start : start + _BATCH], for_good)

    async def _remove(self, runs: Sequence[Run], for_good: bool) -> None:
        ids = [run.id for run in runs]
        tracked = await asyncio.to_thread(self._tracked, runs)
        await self._recorder.call(lambda tracker, _: tracker.delete(tracked))
        if for_good:
            await self._recorder.call(lambda tracker, _: tracker.purge(ids))
        await asyncio.to_thread(self._remove_files, runs)
        await asyncio.to_thread(self._store.queue.delete, of_runs(ids))

    def _tracked(self, runs: Sequence[Run]) -> list[str]:
        """Return the tracked runs of runs, and of the sweeps of which no run is left."""
        found = [
            attempt.mlflow_run_id
            for run in runs
            if run.attempts
            for attempt in self._store.history.attempts(run.id)
            if attempt.mlflow_run_id
        ]
        for sweep_id, number in Counter(run.sweep_id for run in runs).items():
            sweep = self._store.history.sweep(sweep_id)
            counts = self._store.history.tallies([sweep_id])[sweep_id].counts
            if sum(counts.values()) == number and sweep.mlflow_run_id:
                found.append(sweep.mlflow_run_id)
        return found

    def _remove_files(self, runs: Sequence[Run]) -> None:
        outputs = self._project.root / "runs"
        for kind, paths in disk.files_of(self._project, runs).items():
            disk.remove(paths, outputs if kind == "runs" else self._project.state / kind)
