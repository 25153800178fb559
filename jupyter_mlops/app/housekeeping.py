"""House-keeping: finished runs that are old enough go, and what nothing refers to."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..core.exceptions import MlopsError
from ..core.runs import Run
from ..store import Store
from . import disk, submission
from . import messages as m
from .messages.housekeeping import Kind
from .projects import Project
from .recorder import Recorder
from .removal import Removal

log = logging.getLogger(__name__)

#: Seconds between two times that the retention is applied.
EVERY = 86_400.0

#: Seconds for which a snapshot is left alone that nothing refers to yet.
_FRESH = 3600.0


@dataclass(slots=True)
class _Plan:
    """What goes."""

    runs: list[Run] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    #: Runs that were removed earlier, and whose tracked runs still lie in the trash.
    trash: list[str] = field(default_factory=list)
    #: Bytes of artifacts.
    artifacts: int = 0
    files: dict[Kind, list[Path]] = field(default_factory=lambda: defaultdict(list))
    #: Of the files, those that belong to none of the runs.
    strays: dict[Kind, list[Path]] = field(default_factory=dict)
    events: int = 0


class HousekeepingUseCases:
    """What can be asked about the space that a project takes."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        removal: Removal,
        idle: Callable[[], Awaitable[None]],
    ) -> None:
        """``idle`` returns when nothing runs."""
        self._project = project
        self._store = store
        self._recorder = recorder
        self._removal = removal
        self._idle = idle

    async def clean(self, body: m.CleanRequest) -> m.CleanView:
        """Remove finished runs of some age and what nothing refers to, or tell what would go."""
        seconds = body.older_than
        if seconds is None and self._project.settings.retention is not None:
            seconds = self._project.settings.retention * 86_400
        before = None if seconds is None else datetime.now(UTC) - timedelta(seconds=seconds)
        async with self._removal.lock:
            plan = await self._plan(before)
            view = _view(plan, dry=body.dry)
            if not body.dry:
                await self._carry_out(plan, before)
        return view

    async def watch(self) -> None:
        """Clean at once, and then every day as soon as nothing runs, until cancelled."""
        while True:
            try:
                done = await self.clean(m.CleanRequest())
                if done.runs:
                    log.info("Removed %d runs that were older than retention.", len(done.runs))
            except (MlopsError, OSError) as error:
                log.warning("House-keeping: %s", error)
            await asyncio.sleep(EVERY)
            await self._idle()

    async def _plan(self, before: datetime | None) -> _Plan:
        plan = _Plan()
        if before is not None:
            await self._plan_runs(plan, before)
        await asyncio.to_thread(self._plan_files, plan, before)
        return plan

    async def _plan_runs(self, plan: _Plan, before: datetime) -> None:
        old = await asyncio.to_thread(self._store.inventory.finished, before)
        plan.kept = await self._removal.needed(old) if old else {}
        plan.runs = [run for run in old if run.id not in plan.kept]
        known = await asyncio.to_thread(self._store.inventory.runs)
        thrown = await self._recorder.call(lambda tracker, _: tracker.trashed(before))
        plan.trash = [each for each in thrown if each not in known]
        going = [*(run.id for run in plan.runs), *plan.trash]
        if going:
            plan.artifacts = await self._recorder.call(lambda tracker, _: tracker.footprint(going))

    def _plan_files(self, plan: _Plan, before: datetime | None) -> None:
        for kind, paths in disk.files_of(self._project, plan.runs).items():
            plan.files[kind] += paths
        doomed = {run.id for run in plan.runs}
        inventory = self._store.inventory
        # What is there is listed before we ask what is known, since files follow their records.
        snapshots = disk.snapshots(self._project, _long_ago())
        kinds: tuple[Kind, ...] = ("journals", "logs")
        owned = {kind: disk.by_run(self._project, kind) for kind in kinds}
        needed, known = inventory.snapshots(without=doomed), inventory.runs()
        plan.strays = {
            "snapshots": [path for path in snapshots if path.stem not in needed],
            **{
                kind: [path for path, run in found.items() if run not in known]
                for kind, found in owned.items()
            },
        }
        for kind, paths in plan.strays.items():
            plan.files[kind] += paths
        if before is not None:
            plan.events = inventory.events(before)

    async def _carry_out(self, plan: _Plan, before: datetime | None) -> None:
        await self._removal.remove(plan.runs, for_good=True)
        if plan.trash:
            await self._recorder.call(lambda tracker, _: tracker.purge(plan.trash))
        await asyncio.to_thread(self._remove_strays, plan, before)

    def _remove_strays(self, plan: _Plan, before: datetime | None) -> None:
        with submission.SNAPSHOTS:
            still = set(disk.snapshots(self._project, _long_ago()))
            plan.strays["snapshots"] = [p for p in plan.strays["snapshots"] if p in still]
            for kind, paths in plan.strays.items():
                disk.remove(paths, self._project.state / kind)
        if before is not None:
            self._store.pipelines.forget(before)
        if before is not None and plan.events:
            self._store.inventory.forget_events(before)


def _long_ago() -> float:
    """Return the time before which a snapshot is not new, in seconds since the epoch."""
    return datetime.now(UTC).timestamp() - _FRESH


def _view(plan: _Plan, *, dry: bool) -> m.CleanView:
    items = [
        m.CleanItem(kind=kind, count=len(paths), size=disk.size(paths))
        for kind, paths in plan.files.items()
        if paths
    ]
    going = len(plan.runs) + len(plan.trash)
    if plan.artifacts:
        items.append(m.CleanItem(kind="artifacts", count=going, size=plan.artifacts))
    if plan.events:
        items.append(m.CleanItem(kind="store", count=plan.events, size=0))
    return m.CleanView(
        dry=dry,
        runs=[run.id for run in plan.runs],
        items=sorted(items, key=lambda each: -each.size),
        size=sum(each.size for each in items),
        kept=plan.kept,
    )
