"""Use cases of the project as a whole: who answers, how it stands, what is wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from .. import __version__
from ..core import formats
from ..core.exceptions import InvalidInput, MlopsError
from ..core.runs import Status
from ..execution.kernelspecs import kernel_names
from ..execution.slots import Slots
from ..store import Store, network_file_system
from . import disk, executor_views, views
from . import messages as m
from .projects import Project, read_settings
from .recorder import Recorder
from .scheduler import Scheduler

#: Free bytes below which doctor warns.
_LITTLE_SPACE = 1_000_000_000


class Sender(Protocol):
    """What sends something away, such as notifications, and may have a problem with that."""

    @property
    def problem(self) -> str | None:
        """What keeps it from sending, in one line; None while nothing does."""
        ...

    async def findings(self) -> list[m.Finding]:
        """Say how it stands."""
        ...


class HealthUseCases:
    """What can be asked of the worker itself."""

    def __init__(
        self,
        project: Project,
        store: Store,
        scheduler: Scheduler,
        recorder: Recorder,
        slots: Slots,
        senders: Sequence[Sender],
        stop: Callable[[], None],
        upcoming: Callable[[], m.UpcomingView | None],
    ) -> None:
        self._upcoming = upcoming
        self._project = project
        self._store = store
        self._scheduler = scheduler
        self._recorder = recorder
        self._slots = slots
        self._senders = senders
        self._stop = stop
        self._started = datetime.now(UTC)

    async def health(self) -> m.HealthView:
        """Say who answers."""
        return m.HealthView(
            version=__version__,
            protocol=m.PROTOCOL,
            pid=os.getpid(),
            python=sys.executable,
            project=str(self._project.root),
            started_at=self._started,
            draining=self._scheduler.draining,
        )

    async def drain(self, body: m.DrainRequest) -> m.Empty:
        """End when the running attempts have ended, or now."""
        self._scheduler.draining = True
        if body.now:
            self._stop()
        return m.Empty()

    async def status(self) -> m.StatusView:
        """Tell how the project stands."""
        totals = await asyncio.to_thread(self._store.history.totals)
        missing, values = await self._missing()
        return m.StatusView(
            queued=totals.get(Status.QUEUED, 0),
            running=totals.get(Status.RUNNING, 0),
            cores_used=self._slots.held,
            cores_held=self._slots.held_by_all(),
            cores=self._slots.limit,
            problem=await asyncio.to_thread(self._problem, missing, values),
            unsynced=missing,
            seq=await asyncio.to_thread(self._store.history.last_seq),
            upcoming=await asyncio.to_thread(self._upcoming),
            unsynced_values=values,
            clusters=self._clusters(),
        )

    def _clusters(self) -> list[m.ClusterLoad]:
        executors = self._scheduler.executors.values()
        loads = (executor_views.load(each) for each in executors if each.remote)
        return [each for each in loads if each.cores_used]

    async def _missing(self) -> tuple[int, int]:
        """Count the runs and the metric values that wait to be recorded."""
        runs = len(await self._recorder.waiting())
        return runs, await self._recorder.waiting_values() if runs else 0

    def _problem(self, missing: int = 0, values: int = 0) -> str | None:
        if self._scheduler.problem is not None:
            return f"The queue pauses. {self._scheduler.problem}"
        if self._recorder.problem is not None:
            return f"{self._recorder.problem}{_waiting(missing, values)}"
        kind = network_file_system(self._project.state)
        if kind is not None:
            return (
                f"The state lies on a network file system ({kind}), where databases break. "
                "Set state_dir in mlops.toml to a local folder."
            )
        found = (each.problem for each in self._senders if each.problem)
        return next(found, None) or self._changed_settings()

    def _changed_settings(self) -> str | None:
        """Say that the settings are no longer those that the worker has read."""
        try:
            if read_settings(self._project.root) == self._project.settings:
                return None
        except InvalidInput as error:
            return error.message
        return (
            "The settings have changed since the worker started. For them to count, stop it: "
            "jupyter mlops worker --stop"
        )

    async def events(self, query: m.EventsQuery) -> list[m.EventView]:
        """List events after a number."""
        found = await asyncio.to_thread(self._store.history.events, query.after, query.limit)
        return [views.event(each) for each in found]

    async def doctor(self) -> list[m.Finding]:
        """Check the store, tracking, kernels, cores, disk and notifications."""
        return [
            await self._tracking(),
            *self._spool(),
            await asyncio.to_thread(self._kernels),
            self._cores(),
            await asyncio.to_thread(self._disk),
            self._file_system(),
            *await asyncio.to_thread(self._settings),
            *[found for each in self._senders for found in await each.findings()],
        ]

    async def _tracking(self) -> m.Finding:
        try:
            versions = await self._recorder.call(lambda _, registry: registry.versions())
        except MlopsError as error:
            line = f"{error.message}{_waiting(*await self._missing())}"
            return m.Finding(name="tracking", ok=False, message=line)
        line = f"MLflow answers; {formats.counted(len(versions), 'model version')}."
        missing = await self._missing()
        if any(missing):
            self._recorder.catch_up(now=True)
        return m.Finding(name="tracking", ok=True, message=f"{line}{_waiting(*missing)}")

    def _spool(self) -> list[m.Finding]:
        """Name the files of sessions that could not be taken in."""
        return [
            m.Finding(
                name="spool",
                ok=False,
                message=f"Metrics of the session {path.stem} could not be taken in. "
                f"They are kept in {path}; look there, then delete it.",
            )
            for path in sorted((self._project.state / "spool").glob("*.refused"))
        ]

    def _kernels(self) -> m.Finding:
        found = kernel_names()
        line = f"Kernels: {', '.join(found)}." if found else "No kernel: pip install ipykernel."
        return m.Finding(name="kernels", ok=bool(found), message=line)

    def _cores(self) -> m.Finding:
        whole, own = self._slots.machine, self._slots.own
        line = (
            f"{whole.cores} of {os.cpu_count()} cores are granted, {own.cores} used here; "
            f"{formats.size(own.memory)} of memory, {len(own.gpus) or 'no'} GPUs."
        )
        return m.Finding(name="cores", ok=True, message=line)

    def _disk(self) -> m.Finding:
        free = shutil.disk_usage(self._project.state).free
        line = f"{formats.size(free)} free; used here: {disk.told(self._project)}."
        if free < _LITTLE_SPACE:
            line += " Free some space, or remove old runs: jupyter mlops clean --older-than 30d"
        return m.Finding(name="disk", ok=free >= _LITTLE_SPACE, message=line)

    def _settings(self) -> list[m.Finding]:
        problem = self._changed_settings()
        return [m.Finding(name="settings", ok=False, message=problem)] if problem else []

    def _file_system(self) -> m.Finding:
        kind = network_file_system(self._project.state)
        line = "The state lies on a local file system." if kind is None else self._problem() or ""
        return m.Finding(name="state", ok=kind is None, message=line)


def _waiting(runs: int, values: int) -> str:
    """Say what waits to be recorded."""
    if not runs:
        return ""
    what = f" with {formats.counted(values, 'metric value')}" if values else ""
    wait = "waits" if runs == 1 else "wait"
    return f" {formats.counted(runs, 'run')}{what} {wait} here to be recorded."
