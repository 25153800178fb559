"""The scheduler: claims queued runs while there are cores, and sees each attempt to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ..core.exceptions import LeaseLost, StoreUnavailable
from ..core.executors import Executor, Outcome, Progress
from ..core.ports import Searcher
from ..core.resources import Hold, Ledger, Request
from ..core.runs import MetricPoint, Reason, Run, Status, Sweep
from ..mlflow_client import kernel_defaults
from ..search import open_searcher
from ..store import Store
from . import tasks
from .active import Active
from .admission import Admission, Round
from .contexts import Contexts
from .live import Live
from .outputs import settle
from .progress import ProgressWriter
from .projects import Project
from .search import Searches, as_pruned

if TYPE_CHECKING:
    from .recorder import Recorder

T = TypeVar("T")
log = logging.getLogger(__name__)

#: Seconds after which we look again for cores that another project holds. Locks of files cannot
#: be awaited several at a time.
LOOK_AGAIN = 0.25

#: Seconds between two tries to write to a store that refuses, as on a full disk.
STORE_PAUSE = 2.0


class Scheduler:
    """Drives the executors for one project."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        executors: Mapping[str, Executor],
        *,
        worker: str,
        fence: int,
        open_searcher: Callable[[Sweep], Searcher] = open_searcher,
    ) -> None:
        self.contexts = Contexts(project)
        self._project = project
        self._store = store
        self._recorder = recorder
        self._searches = Searches(store, open_searcher)
        self.executors = executors
        self._ledgers = {name: each.ledger for name, each in executors.items()}
        self._progress = ProgressWriter(store, self._stored)
        self._admission = Admission(store, self._ledgers)
        self._worker = worker
        self._fence = fence
        self._active: dict[str, Active] = {}
        #: Runs that are being claimed, and whether somebody cancelled them meanwhile.
        self._claiming: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._environments: dict[str, dict[str, str]] = {}
        self._wake = asyncio.Event()
        for ledger in self._ledgers.values():
            ledger.released.append(self._wake.set)
        self.draining = False
        #: What the attempts under way are doing right now.
        self.live = Live()
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
                await self.executors[active.sweep.executor].cancel(active.attempt.id)
        for run_id in self._claiming.keys() & run_ids:
            self._claiming[run_id] = True

    @contextlib.contextmanager
    def waiting(self, attempt_id: str | None) -> Iterator[None]:
        """Let an attempt hold no cores for as long as it only waits for other runs."""
        active = self._active.get(attempt_id or "")
        if active is None:
            yield
            return
        active.waits += 1
        if active.hold is not None and active.hold.cores:
            self._ledger(active).suspend(active.hold)
            self._wake.set()
        try:
            yield
        finally:
            active.waits -= 1
            self._wake.set()

    async def idle(self) -> None:
        """Return when nothing runs."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

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
                if any(each.waiting for each in self._ledgers.values()):
                    timeout = LOOK_AGAIN
            except StoreUnavailable as error:
                self._pause(error)
                timeout = STORE_PAUSE
            with contextlib.suppress(TimeoutError):
                # Python 3.11's wait_for may swallow that we are cancelled.
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            self._wake.clear()

    async def close(self) -> None:
        """End all attempts at once. They are recorded as lost, and so tried again later."""
        self.draining = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._progress.close()
        for executor in self.executors.values():
            await executor.close()
        self._searches.close()

    async def _claim_all(self) -> float | None:
        """Claim what there are cores for; return the seconds until a retry is due."""
        owed = self._resume_waiters()
        given = Round({name: each for name, each in self._ledgers.items() if name not in owed})
        while not self.draining and (executors := given.open):
            holders = (each for each in self._active.values() if each.hold is not None)
            running = Counter(each.sweep.id for each in holders)
            peek = partial(self._store.queue.peek, running, skip=given.skipped, executors=executors)
            found = await asyncio.to_thread(peek)
            if found is None:
                given.content()
                await self._expect(given)
                return await asyncio.to_thread(self._store.queue.pause)
            sweep, run = found
            request = await asyncio.to_thread(self._admission.request, sweep)
            hold = given.take(sweep, request)
            if hold is not None:
                await self._begin(sweep, run, hold)
        await self._expect(given)
        return None

    async def _expect(self, given: Round) -> None:
        """Tell executors that may grow what they had not enough for."""
        for name, executor in self.executors.items():
            if executor.remote:
                refused, queued = given.refused.get(name), 0
                if refused is not None or executor.ledger.full:
                    queued = await asyncio.to_thread(self._store.queue.waiting, name)
                executor.ledger.expect("queue", refused or Request(cpus=1), queued)

    async def _begin(self, sweep: Sweep, run: Run, hold: Hold) -> None:
        """Begin an attempt with what it holds, unless its run is no longer queued."""
        chosen = attempt = None
        self._claiming[run.id] = False
        try:
            chosen = await self._searches.choose(sweep, run)
            if chosen is not None:
                attempt = await asyncio.to_thread(
                    self._store.queue.claim,
                    run.id,
                    worker=self._worker,
                    fence=self._fence,
                    parameters=chosen.parameters,
                    node=hold.place,
                )
        finally:
            cancelled = self._claiming.pop(run.id)
            if attempt is None:
                self._ledgers[sweep.executor].release(hold)
        if chosen is None:
            await self._recorder.finish_sweep(sweep.id)
        elif attempt is not None:
            active = self._active[attempt.id] = Active(attempt, sweep, hold)
            if cancelled:
                await self.executors[sweep.executor].cancel(attempt.id)
            task = asyncio.create_task(self._see_through(active, chosen))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _resume_waiters(self) -> set[str]:
        """Give cores back to attempts that waited for their own runs and go on.

        Return the executors where some still wait for cores.
        """
        return {
            active.sweep.executor
            for active in self._active.values()
            if active.hold is not None
            and not active.hold.cores
            and not active.waits
            and not self._ledger(active).resume(active.hold, active.sweep.cpus)
        }

    def _ledger(self, active: Active) -> Ledger:
        return self._ledgers[active.sweep.executor]

    # -- one attempt -------------------------------------------------------------------------------

    async def _see_through(self, active: Active, run: Run) -> None:
        try:
            outcome = await self._outcome(active, run)
            active.step = await self._progress.settle(active.attempt)
            await self._finish(active, run, as_pruned(outcome, active.pruned))
        except LeaseLost as error:
            log.warning("%s", error.message)
        except asyncio.CancelledError:
            if not active.recorded:
                self._record_lost(active, run)
        finally:
            self._give_back(active)

    def _record_lost(self, active: Active, run: Run) -> None:
        """Record an attempt that the end of this worker ends."""
        sweep, attempt = active.sweep, active.attempt
        lost = Outcome(status=Status.FAILED, reason=Reason.LOST, error="The worker was stopped.")
        lost = settle(self._project, run, attempt, lost)
        lost = self.contexts.keep(sweep, run, attempt, lost, active.environment)
        with contextlib.suppress(StoreUnavailable, LeaseLost):
            output = tasks.recorded_output(self._project, run, lost)
            self._store.attempts.finish(attempt, lost, output=output, synced=False)

    def _give_back(self, active: Active) -> None:
        self._active.pop(active.attempt.id, None)
        self._progress.forget(active.attempt)
        self._release(active)

    def _release(self, active: Active) -> None:
        if active.hold is not None:
            self._ledger(active).release(active.hold)
            active.hold = None
        self._wake.set()

    async def _outcome(self, active: Active, run: Run) -> Outcome:
        """Execute an attempt; whatever goes wrong, there is an outcome."""
        try:
            return await self._execute(active, run)
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("Attempt %s could not be executed.", active.attempt.id)
            line = f"{type(error).__name__}: {error}".split("\n", 1)[0]
            return Outcome(
                status=Status.FAILED, reason=Reason.INTERNAL, error=line, has_output=False
            )

    async def _execute(self, active: Active, run: Run) -> Outcome:
        sweep, attempt = active.sweep, active.attempt
        self._progress.follow(attempt, partial(self._logged, active, run))
        tracking = await self._recorder.begin(sweep, run, attempt, self._progress.note_tracked)
        gpus = active.hold.gpus if active.hold is not None else ()
        executor = self.executors[sweep.executor]
        base = kernel_defaults() if executor.remote else self._environments.get(sweep.id)
        environment = tasks.environment(self._project, sweep, attempt, base, gpus) | tracking
        if self._recorder.kernels is not None and sweep.context.get("language") == "python":
            known = sweep.kernel_argv
            environment = await self._recorder.kernels.of_kernel(attempt, known, environment)
        try:
            task = tasks.make_task(self._project, sweep, run, attempt, environment, active.hold)
        except OSError as error:
            return Outcome(
                status=Status.FAILED,
                reason=Reason.DISK_FULL,
                error=tasks.why_unwritable(error),
                has_output=False,
            )
        active.environment = environment
        self.contexts.prepare(sweep, environment)
        activity = self.live.begin(attempt)

        def report(progress: Progress) -> None:
            activity.note(progress)
            self._progress.note(attempt, progress)

        try:
            return await executor.execute(task, report)
        finally:
            self.live.end(activity)
            with contextlib.suppress(FileNotFoundError):
                if not task.log.stat().st_size:
                    task.log.unlink()

    async def _finish(self, active: Active, run: Run, outcome: Outcome) -> None:
        sweep, attempt = active.sweep, active.attempt
        if sweep.search is None:
            self._release(active)
        # Else the next point is asked for once this result is known.
        lost = outcome.reason is not None and outcome.reason.lost
        if lost or not outcome.has_output:
            outcome = await asyncio.to_thread(settle, self._project, run, attempt, outcome)
        keep = partial(self.contexts.keep, sweep, run, attempt, outcome, active.environment)
        outcome = await asyncio.to_thread(keep)
        metrics = await self._recorder.finish(sweep, run, attempt, outcome)
        ended = await self._stored(
            partial(
                self._store.attempts.finish,
                attempt,
                outcome,
                output=tasks.recorded_output(self._project, run, outcome),
                metrics=metrics,
                synced=metrics is not None,
                step=active.step,
            )
        )
        active.recorded = True
        if outcome.status is Status.SUCCEEDED and outcome.peak_memory is not None:
            self._admission.learn(sweep.notebook, outcome.peak_memory)
        tasks.result_path(self._project, attempt).unlink(missing_ok=True)
        if ended.status.finished:
            self._searches.ended(sweep)
            if not self._goes_on(sweep):
                await self._recorder.finish_sweep(sweep.id)
            if run.resume is not None:
                kept = tasks.kept_path(self._project, run.resume.attempt)
                kept.unlink(missing_ok=True)

    def _goes_on(self, sweep: Sweep) -> bool:
        """Whether another attempt of a sweep is under way, which will look whether it was the last.

        It saves asking the store.
        """
        others = (each for each in self._active.values() if each.sweep.id == sweep.id)
        return any(not each.recorded for each in others)

    async def _logged(self, active: Active, run: Run, points: Sequence[MetricPoint]) -> None:
        """Make use of metrics that have been stored."""
        self._recorder.logged(active.attempt)
        with contextlib.suppress(LeaseLost):
            await self._judge(active, run, points)

    async def _judge(self, active: Active, run: Run, points: Sequence[MetricPoint]) -> None:
        """Stop an attempt whose metric shows that it is not worth going on."""
        if active.pruned is not None:
            return
        active.pruned = line = await self._searches.judge(active.sweep, run, points)
        if line is not None:
            await self._stored(partial(self._store.attempts.prune, active.attempt, line))
            await self.executors[active.sweep.executor].cancel(active.attempt.id)

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
