"""The worker: the one process per project that owns its state and drives its runs.

Here the engines and the use cases are put together; `jupyter_mlops.app.worker` is the way in.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import signal
import sys
import time
from pathlib import Path

from ..core.exceptions import LeaseLost, MlopsError, StoreUnavailable
from ..core.files import write_atomically
from ..core.runs import ENGINE_VARIABLE, new_id
from ..execution.executors.local import LocalExecutor
from ..execution.monitor import Monitor
from ..execution.processes import identify, is_alive
from ..pipeline.launch import Launched
from ..store import TTL, Store
from ..tracking import KeptFiles
from . import unfinished
from .admission import open_ledger
from .artifacts import ArtifactUseCases
from .client import connect
from .comparing import ComparisonUseCases
from .door import Actions, Door
from .executors import Executors
from .health import HealthUseCases
from .hosts import Hosts
from .housekeeping import HousekeepingUseCases
from .hub import EventHub
from .mirroring import Mirrors
from .models import ModelUseCases
from .notifying import Notifier
from .occasions import Occasions, wall
from .opening import open_recorder, open_serving, open_templates
from .operations import DOWNLOADS, OPERATIONS
from .outputs import OutputUseCases
from .pipeline_runs import PipelineRunner
from .pipelines import PipelineUseCases
from .projects import Project, find_project
from .recovery import recover
from .removal import Removal
from .retrying import RetryUseCases
from .runtime import SUCCESSOR, address, keep_fresh, make_state, runtime_dir, try_lock
from .scheduler import Scheduler
from .schedules import ScheduleUseCases
from .searching import SearchUseCases
from .sessions import SessionUseCases
from .sharing import SharingUseCases
from .stage_runs import StageRuns
from .stages import StageRunner
from .starting import Starter
from .sweeps import SweepUseCases
from .triggers import TriggerUseCases

log = logging.getLogger(__name__)

_LEASE = "worker"
#: Seconds between two renewals of the lease, and two looks whether there is anything to do.
_RENEW_EVERY = 10.0
_LOOK_EVERY = 2.0
#: Seconds that an ending worker may take.
_ENDING = 30.0


class Worker:
    """Composes the engines and the use cases of one project and runs them."""

    def __init__(
        self,
        project: Project,
        store: Store,
        fence: int,
        *,
        stay: bool,
        hosted: Launched | None = None,
    ) -> None:
        """``stay`` keeps it although there is nothing to do; ``hosted`` runs DVC already."""
        self._stay = stay
        self._project = project
        self._store = store
        self._fence = fence
        self._stop = asyncio.Event()
        self._active_at = time.monotonic()
        self._succeed = False
        worker = new_id()
        self._slots = open_ledger(runtime_dir(), project)
        mark = {ENGINE_VARIABLE: str(project.root)}
        warm = open_templates(project, self._slots, mark)
        self._local = LocalExecutor(
            project.state / "logs" / "runner.log",
            self._slots,
            warm,
            mark,
            Monitor(self._slots.machine),
        )
        self._executors = executors = Executors(project, self._local, mark)
        self._notifier = Notifier(project, store)
        self._recorder, resolved = open_recorder(project, store, self._notifier)
        self._mirrors = Mirrors(project, store, self._recorder)
        self._scheduler = Scheduler(
            project, store, self._recorder, executors, worker=worker, fence=fence
        )
        self._sessions = SessionUseCases(
            project,
            store,
            self._recorder,
            self._scheduler.contexts,
            worker=worker,
            fence=fence,
        )
        removal = Removal(project, store, self._recorder)
        sweeps = SweepUseCases(
            project,
            store,
            self._scheduler,
            self._recorder,
            self._slots,
            removal,
            executors,
            resolved,
        )
        retrying = RetryUseCases(project, store, self._scheduler, removal, sweeps)
        self._housekeeping = HousekeepingUseCases(
            project, store, self._recorder, removal, self._scheduler.idle
        )
        self._endpoints, *serving = open_serving(project, store, self._recorder, sweeps)
        self._kept = KeptFiles(resolved)
        self._hosts = Hosts(project, hosted)
        runs = StageRuns(project, store, sweeps, EventHub(store))
        self._stages = runner = StageRunner(project, executors, runs)
        self._pipelines = PipelineRunner(store, runner, self._hosts.logs, self._notifier)
        self._pipeline_cases = PipelineUseCases(project, store, self._pipelines, self._hosts)
        starter = Starter(store, sweeps, self._pipeline_cases)
        self._occasions = Occasions(
            project, store, self._recorder, starter, self._notifier, self._is_draining
        )
        wake = self._occasions.wake
        schedules = ScheduleUseCases(project, store, starter, wake, wall)
        triggers = TriggerUseCases(project, store, self._recorder, starter, wake, wall)
        health = HealthUseCases(
            project,
            store,
            self._scheduler,
            self._recorder,
            self._slots,
            (executors, self._notifier, self._mirrors),
            self.stop,
            schedules.upcoming,
        )
        actions = _collect(
            health,
            executors,
            sweeps,
            SharingUseCases(project, store, self._slots, executors),
            SearchUseCases(store, self._recorder, self._scheduler.live),
            ComparisonUseCases(project, store, self._recorder, self._scheduler.live),
            retrying,
            OutputUseCases(project, store, self._scheduler.live),
            ArtifactUseCases(project, store, self._recorder, self._kept.stores),
            self._sessions,
            ModelUseCases(project, store, self._recorder, sweeps),
            self._endpoints,
            *serving,
            self._housekeeping,
            self._pipeline_cases,
            schedules,
            triggers,
            self._notifier,
        )
        self._door = Door(actions, EventHub(store), self._waiting, self._touch)
        recover(
            project,
            store,
            self._scheduler.contexts,
            worker=worker,
            fence=fence,
            spared=self._hosts.pids,
        )

    def stop(self, why: str = "a client asked for it") -> None:
        """End soon."""
        log.info("The worker ends: %s.", why)
        self._stop.set()

    async def serve(self, socket: Path, ready: int | None) -> bool:
        """Listen and work until stopped or idle. ``ready`` is told when we listen.

        Returns whether there is work left for a successor, since a client of another version
        asked us to end.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, f"signal {number}")
        self._door.open(socket)
        await self._sessions.import_spool()
        await self._pipeline_cases.resume()
        await self._endpoints.resume()
        preparing = asyncio.create_task(self._prepare())
        if not self._hosts.expected:
            await preparing
        if ready is not None:
            os.write(ready, b"1")
            os.close(ready)
        loops = [
            asyncio.create_task(each)
            for each in (
                self._scheduler.run(),
                self._recorder.run(),
                self._mirrors.run(),
                self._sessions.watch(),
                self._housekeeping.watch(),
                self._pipelines.run(),
                self._occasions.run(),
                self._renew(),
                self._end_when_idle(),
            )
        ]
        stopping = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([*loops, stopping], return_when=asyncio.FIRST_COMPLETED)
        self._door.hide(socket)
        for task in (*loops, stopping, preparing):
            task.cancel()
        await asyncio.gather(*loops, stopping, preparing, return_exceptions=True)
        await self._scheduler.close()
        self._stages.close()
        await self._hosts.close()
        # A successor takes over what answers.
        await self._endpoints.close(keep=self._succeed)
        await self._mirrors.close()
        await self._recorder.close()
        await self._notifier.close()
        await self._door.close()
        self._kept.close()
        for task in done:
            if task.cancelled():
                log.error("The worker ends: %s was cancelled.", task.get_coro())
            elif (error := task.exception()) is not None:
                raise error
        return self._succeed and await asyncio.to_thread(self._has_work)

    async def _prepare(self) -> None:
        """Get ready for runs, but let the pipeline first that we were started for.

        A run that comes earlier finds what it needs by itself.
        """
        if self._hosts.expected:
            await self._pipelines.first_rest()
        else:
            await self._hosts.prepare()
        await self._local.prepare()
        waiting = await asyncio.to_thread(self._store.queue.executors)
        await self._executors.go_on(waiting - {self._local.name})
        self._recorder.catch_up()

    async def _renew(self) -> None:
        """Keep our lease; without it another worker may run what we run, so we end."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(_RENEW_EVERY)
            try:
                await asyncio.to_thread(self._store.leases.renew, _LEASE, self._fence)
                renewed = time.monotonic()
                keep_fresh()
            except StoreUnavailable:
                if self._store.shared and time.monotonic() - renewed > TTL:
                    raise LeaseLost from None

    async def _end_when_idle(self) -> None:
        patience = self._project.settings.idle_minutes * 60
        while True:
            await asyncio.sleep(min(_LOOK_EVERY, patience))
            busy = self._scheduler.running > 0 or self._pipelines.busy
            busy = busy or self._notifier.pending > 0
            with contextlib.suppress(StoreUnavailable):
                busy = busy or await asyncio.to_thread(self._has_work)
                unfinished.mark(self._project, busy)
            if self._scheduler.draining and not self._scheduler.running:
                self._succeed = True
                self.stop("a client of another version asked for it")
            elif busy or self._stay:
                self._touch()
            elif time.monotonic() - self._active_at > patience:
                self.stop("it was idle")

    def _waiting(self, attempt: str | None) -> contextlib.AbstractContextManager[None]:
        found = self._stages.waiting(attempt) if attempt is not None else None
        return found or self._scheduler.waiting(attempt)

    def _has_work(self) -> bool:
        """Whether runs wait or run, something may start by itself, or a model is served."""
        waits = bool(self._store.history.totals()) or self._store.occasions.exist()
        return waits or self._store.endpoints.exist()

    def _is_draining(self) -> bool:
        return self._scheduler.draining

    def _touch(self) -> None:
        self._active_at = time.monotonic()


def _collect(*use_cases: object) -> Actions:
    """Find the method that carries out each operation."""
    return {
        operation.name: getattr(owner, operation.name)
        for operation in (*OPERATIONS, *DOWNLOADS)
        for owner in use_cases
        if hasattr(owner, operation.name)
    }


def serve(project: Path, ready: int | None, *, stay: bool, hosted: Launched | None) -> int:
    """Serve a project until the end; returns the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # It tells of each change, which the worker does itself where one matters.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    try:
        found = find_project(project)
        if stay:
            os.chdir(found.root)
        succeed = _serve(found, ready, stay=stay, hosted=hosted)
        if succeed and stay:
            return SUCCESSOR
        if succeed:
            connect(found)
    except MlopsError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def _wait_for_lock(path: Path, seconds: float) -> int:
    """Take the project's lock, if need be after the worker that is just ending."""
    deadline = time.monotonic() + seconds
    while (lock := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise StoreUnavailable("Another worker serves this project, but does not answer.")
        time.sleep(0.1)  # a lock cannot be awaited for a limited time
    return lock


def _serve(project: Project, ready: int | None, *, stay: bool, hosted: Launched | None) -> bool:
    """Serve until the end; return whether a successor is wanted."""
    make_state(project)
    where = address(project)
    lock = _wait_for_lock(where.lock, math.inf if stay else _ENDING)
    settings = project.settings
    store = Store(
        project.id,
        url=settings.store,
        state=project.state,
        mirrors=settings.trackers,
        moves=settings.store is None,
    )
    fence = store.leases.acquire(_LEASE, identify(os.getpid()), is_alive)
    if fence is None:
        raise StoreUnavailable(
            "A worker on another machine, or of another JUPYTER_MLOPS_RUNTIME_DIR, serves this "
            "project. Stop it there, or wait for its end."
        )
    record = {"python": sys.executable, "pid": os.getpid()}
    write_atomically(project.state / "worker.json", json.dumps(record).encode())
    succeed = False
    try:
        succeed = asyncio.run(_run(project, store, fence, where.socket, ready, stay, hosted))
    except LeaseLost as error:
        log.warning("%s", error.message)
    finally:
        with contextlib.suppress(MlopsError):
            store.leases.release(_LEASE, fence)
        store.close()
        os.close(lock)
    return succeed


async def _run(
    project: Project,
    store: Store,
    fence: int,
    socket: Path,
    ready: int | None,
    stay: bool,
    hosted: Launched | None,
) -> bool:
    worker = Worker(project, store, fence, stay=stay, hosted=hosted)
    return await worker.serve(socket, ready)
