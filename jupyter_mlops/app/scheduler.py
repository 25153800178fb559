"""The scheduler: claims queued runs while there are cores, and sees each attempt to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dotenv import dotenv_values

from ..core import values
from ..core.exceptions import LeaseLost, StoreUnavailable
from ..core.ports import (
    CellStarted,
    Executor,
    KernelStarted,
    MetricsLogged,
    Outcome,
    Progress,
    Stopping,
    Task,
)
from ..core.resources import thread_limits
from ..core.runs import ATTEMPT_VARIABLE, PROJECT_VARIABLE, Attempt, Reason, Run, Status, Sweep
from ..execution.slots import Hold, Shortage, Slots
from ..mlflow_client import kernel_defaults
from ..store import Store
from ..tracking import REPLACED_VARIABLES
from .admission import Admission, Turns
from .projects import Project
from .submission import snapshot_path

if TYPE_CHECKING:
    from .recorder import Recorder

T = TypeVar("T")
log = logging.getLogger(__name__)

#: Seconds after which we look again for cores that another project holds. Locks of files cannot
#: be awaited several at a time.
LOOK_AGAIN = 0.25

#: Seconds between two tries to write to a store that refuses, as on a full disk.
STORE_PAUSE = 2.0


@dataclass(slots=True)
class _Active:
    """An attempt under way."""

    attempt: Attempt
    sweep: Sweep
    #: What it holds; no cores while it waits for runs of its own, None when it has ended.
    hold: Hold | None
    #: Number of connections by which it waits.
    waits: int = 0


class Scheduler:
    """Drives the executors for one project."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        executors: dict[str, Executor],
        slots: Slots,
        *,
        worker: str,
        fence: int,
    ) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        self._executors = executors
        self._slots = slots
        self._admission = Admission(store, slots.own)
        self._worker = worker
        self._fence = fence
        self._active: dict[str, _Active] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._environments: dict[str, dict[str, str]] = {}
        self._wake = asyncio.Event()
        self.draining = False
        #: What keeps the queue from going on, in one line; None while it does.
        self.problem: str | None = None

    # -- what others may ask -----------------------------------------------------------------------

    def wake(self) -> None:
        """Look at the queue again."""
        self._wake.set()

    def set_environment(self, sweep_id: str, environment: dict[str, str]) -> None:
        """Remember the submitter's variables for a sweep's kernels, in memory only."""
        self._environments[sweep_id] = environment

    async def cancel(self, run_ids: list[str]) -> None:
        """Stop the attempts of running runs."""
        for active in list(self._active.values()):
            if active.attempt.run_id in run_ids:
                await self._executors[active.sweep.executor].cancel(active.attempt.id)

    @contextlib.contextmanager
    def waiting(self, attempt_id: str | None) -> Iterator[None]:
        """Let an attempt hold no cores for as long as it only waits for other runs."""
        active = self._active.get(attempt_id or "")
        if active is None:
            yield
            return
        active.waits += 1
        if active.hold is not None and active.hold.cores:
            self._slots.suspend(active.hold)
            self._wake.set()
        try:
            yield
        finally:
            active.waits -= 1
            self._wake.set()

    @property
    def running(self) -> int:
        """Number of attempts under way."""
        return len(self._tasks)

    # -- the loop ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Claim and execute until cancelled."""
        while True:
            timeout = None
            try:
                timeout = await self._claim_all()
                self.problem = None
                if self._slots.waiting:
                    timeout = LOOK_AGAIN
            except StoreUnavailable as error:
                self._pause(error)
                timeout = STORE_PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout)
            self._wake.clear()

    async def close(self) -> None:
        """End all attempts at once. They are recorded as lost, and so tried again later."""
        self.draining = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for executor in self._executors.values():
            await executor.close()

    async def _claim_all(self) -> float | None:
        """Claim what there are cores for; return the seconds until a retry is due."""
        turns = Turns()
        owed = not self._resume_waiters()
        while not self.draining and not owed and not turns.over:
            running = Counter(each.sweep.id for each in self._active.values())
            found = await asyncio.to_thread(self._store.queue.peek, running, skip=turns.skipped)
            if found is None:
                if not turns.skipped:
                    self._slots.content()
                return await asyncio.to_thread(self._store.queue.pause)
            sweep, run = found
            request = await asyncio.to_thread(self._admission.request, sweep)
            if not turns.may_go(sweep, request):
                continue
            hold = self._slots.acquire(request)
            if isinstance(hold, Shortage):
                turns.refuse(sweep, hold)
                continue
            attempt = await asyncio.to_thread(
                self._store.queue.claim, run.id, worker=self._worker, fence=self._fence
            )
            if attempt is None:
                self._slots.release(hold)
                continue
            active = self._active[attempt.id] = _Active(attempt, sweep, hold)
            task = asyncio.create_task(self._see_through(active, run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return None

    def _resume_waiters(self) -> bool:
        """Give cores back to attempts that waited for their own runs and go on.

        Return whether none of them still waits for cores.
        """
        return all(
            self._slots.resume(active.hold, active.sweep.cpus)
            for active in self._active.values()
            if active.hold is not None and not active.hold.cores and not active.waits
        )

    # -- one attempt -------------------------------------------------------------------------------

    async def _see_through(self, active: _Active, run: Run) -> None:
        try:
            outcome = await self._execute(active, run)
            await self._finish(active, run, outcome)
        except LeaseLost as error:
            log.warning("%s", error.message)
        except asyncio.CancelledError:
            lost = Outcome(
                status=Status.FAILED, reason=Reason.LOST, error="The worker was stopped."
            )
            with contextlib.suppress(StoreUnavailable, LeaseLost):
                self._store.attempts.finish(active.attempt, lost, output=None, synced=False)
        finally:
            self._give_back(active)

    def _give_back(self, active: _Active) -> None:
        self._active.pop(active.attempt.id, None)
        self._release(active)

    def _release(self, active: _Active) -> None:
        if active.hold is not None:
            self._slots.release(active.hold)
            active.hold = None
        self._wake.set()

    async def _execute(self, active: _Active, run: Run) -> Outcome:
        sweep, attempt = active.sweep, active.attempt
        tracking = await self._recorder.begin(sweep, run, attempt)
        try:
            task = self._task(active, run, tracking)
        except OSError as error:
            return Outcome(
                status=Status.FAILED,
                reason=Reason.DISK_FULL,
                error=f"The output cannot be written: {error.strerror}. Free some space.",
                has_output=False,
            )
        reports: asyncio.Queue[Progress | None] = asyncio.Queue()
        writer = asyncio.create_task(self._write_progress(attempt, reports))
        try:
            return await self._executors[sweep.executor].execute(task, reports.put_nowait)
        finally:
            reports.put_nowait(None)
            await writer
            if not task.log.stat().st_size:
                task.log.unlink()

    async def _finish(self, active: _Active, run: Run, outcome: Outcome) -> None:
        sweep, attempt = active.sweep, active.attempt
        self._release(active)
        metrics = await self._recorder.finish(sweep, run, attempt, outcome)
        output = output_path(self._project, run) if outcome.has_output else None
        ended = await self._stored(
            partial(
                self._store.attempts.finish,
                attempt,
                outcome,
                output=output.relative_to(self._project.root).as_posix() if output else None,
                metrics=metrics,
                synced=metrics is not None,
            )
        )
        if ended.status.finished:
            await self._recorder.finish_sweep(sweep.id)
            result_path(self._project, attempt).unlink(missing_ok=True)

    async def _write_progress(
        self, attempt: Attempt, reports: asyncio.Queue[Progress | None]
    ) -> None:
        while (progress := await reports.get()) is not None:
            write = partial(self._store.attempts.progress, attempt)
            match progress:
                case KernelStarted(process=process, start=start, cells=cells):
                    await self._stored(partial(write, process=process, start=start, cells=cells))
                case CellStarted(cell=cell):
                    await self._stored(partial(write, cell=cell))
                case Stopping(stage=stage):
                    await self._stored(partial(write, stopping=stage))
                case MetricsLogged(points=points):
                    await self._stored(partial(write, logged=points))
                    self._recorder.logged(attempt)

    async def _stored(self, write: Callable[[], T]) -> T:
        """Write to the store, again and again until it takes it."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except StoreUnavailable as error:
                self._pause(error)
                await asyncio.sleep(STORE_PAUSE)

    def _pause(self, error: StoreUnavailable) -> None:
        if self.problem is None:
            log.error("The queue pauses. %s", error.message)
        self.problem = error.message

    def _task(self, active: _Active, run: Run, tracking: dict[str, str]) -> Task:
        sweep, attempt = active.sweep, active.attempt
        output = output_path(self._project, run)
        output.parent.mkdir(parents=True, exist_ok=True)
        result = result_path(self._project, attempt)
        result.parent.mkdir(exist_ok=True)
        log_path = self._project.state / "logs" / f"{attempt.id}.log"
        log_path.touch()
        return Task(
            attempt_id=attempt.id,
            source=sweep.notebook,
            snapshot=snapshot_path(self._project, sweep.notebook_hash),
            output=output,
            result=result,
            log=log_path,
            cwd=(self._project.root / sweep.notebook).parent,
            parameters=run.parameters,
            kernel=sweep.kernel,
            language=sweep.context.get("language", "python"),
            secrets=frozenset(name for name in run.parameters if values.looks_secret(name)),
            environment=self._environment(active) | tracking,
            cpus=sweep.cpus,
            memory=sweep.memory,
            gpus=sweep.gpus,
            timeout=sweep.timeout,
            cell_timeout=sweep.cell_timeout,
        )

    def _environment(self, active: _Active) -> dict[str, str]:
        """Variables of the kernel: the submitter's, those of .env, the limits of its share."""
        sweep, attempt = active.sweep, active.attempt
        base = self._environments.get(sweep.id) or {**os.environ, **kernel_defaults()}
        extra = {k: v for k, v in dotenv_values(self._project.root / ".env").items() if v}
        chosen = {k: v for k, v in {**base, **extra}.items() if k not in REPLACED_VARIABLES}
        own = {k: v for k, v in os.environ.items() if k.startswith("JUPYTER_MLOPS_")}
        limits = thread_limits(sweep.cpus)
        ids = {ATTEMPT_VARIABLE: attempt.id, PROJECT_VARIABLE: str(self._project.root)}
        return limits | chosen | own | ids | _devices(active.hold)


def _devices(hold: Hold | None) -> dict[str, str]:
    """Show an attempt the GPUs that it holds; one that asked for none sees what there is."""
    return {"CUDA_VISIBLE_DEVICES": ",".join(hold.gpus)} if hold is not None and hold.gpus else {}


def output_path(project: Project, run: Run) -> Path:
    """Return where a run's output notebook lies: ``runs/<notebook>/<sweep>/<run>.ipynb``."""
    folder = project.root / "runs" / Path(run.notebook).with_suffix("")
    return folder / run.sweep_id / f"{run.id}.ipynb"


def result_path(project: Project, attempt: Attempt) -> Path:
    """Return where an attempt's outcome is left for the case that nobody listens any more."""
    return project.state / "journals" / f"{attempt.id}.json"
