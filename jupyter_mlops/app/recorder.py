"""Recording in the tracking store: at once if it answers, later if it does not.

Tracking never holds up a run. What could not be recorded is known to the store and made good when
the tracking server is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ..core.exceptions import MlopsError, NotFound, StoreUnavailable, TrackingUnavailable
from ..core.executors import Outcome
from ..core.ports import Registry, Tracker
from ..core.runs import SESSION, Attempt, Run, Status, Sweep, SweepKind
from ..store import Store, Tally
from . import views
from .kernel_tracking import KernelTracking
from .record import Record

T = TypeVar("T")
log = logging.getLogger(__name__)

#: Seconds between two transfers of metrics, and the longest pause while the server is away.
EVERY = 1.0
LONGEST_PAUSE = 60.0
#: Seconds after which a tracker that fails is silent: runs do not wait for it again.
_SILENT = 1.0
#: Seconds that a worker may still record what is missing when it ends.
_ENDING = 30.0


class Recorder:
    """Brings what the store knows to the tracker, from one thread of its own."""

    def __init__(
        self,
        store: Store,
        open_tracker: Callable[[], Tracker],
        open_registry: Callable[[], Registry],
        output_path: Callable[[Run], Path | None],
        *,
        while_away: Callable[[Sweep, Run, Attempt], dict[str, str]],
        sweep_ended: Callable[[Sweep, Tally], Awaitable[None]] | None = None,
        kernels: KernelTracking | None = None,
        context_path: Callable[[Attempt], Path] | None = None,
    ) -> None:
        """``while_away`` tells what a kernel gets that starts while the tracker is away.

        ``context_path`` is the file with an attempt's context, if there is one.

        ``sweep_ended`` is told when all runs of a sweep have ended.
        """
        self._sweep_ended = sweep_ended
        #: Sees to it that their own MLflow reaches the store.
        self.kernels = kernels
        self._store = store
        self._record = Record(store, open_tracker, output_path, context_path)
        self._open_registry = open_registry
        self._while_away = while_away
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tracking")
        self._registry: Registry | None = None
        #: Attempts with something to transfer.
        self._logging: dict[str, Attempt] = {}
        #: Attempts under way whose beginning or parameters the tracker lacks.
        self._late: dict[str, Attempt] = {}
        #: Whether something may be missing in the tracker that only the store knows of.
        self._behind = True
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        #: What is wrong with tracking, in one line; None while it works.
        self.problem: str | None = None
        #: That problem, if it took long to notice.
        self._silence: str | None = None
        #: Whether all that the tracker lacked when it was away has been recorded since.
        self._caught_up = True

    # -- called by the scheduler and the sessions --------------------------------------------------

    async def begin(
        self,
        sweep: Sweep,
        run: Run,
        attempt: Attempt,
        note: Callable[[Attempt, str], None] | None = None,
    ) -> dict[str, str]:
        """Record that an attempt begins and return variables for its kernel.

        If the tracker is away the attempt is recorded afterwards. The tracker's id is stored, or
        left to ``note``: it can be found again by the attempt's.
        """
        found = await self._attempt_to(lambda: self._record.begin(sweep, run, attempt, fresh=True))
        if found is None:
            self._late[attempt.id] = attempt
            return self._while_away(sweep, run, attempt)
        if note is not None:
            note(attempt, found.id)
        else:
            await asyncio.to_thread(self._store.attempts.tracked, attempt, found.id)
        self._transfer_soon(attempt)
        return found.environment

    def logged(self, attempt: Attempt) -> None:
        """Have new metric points of an attempt transferred soon."""
        self._record.logged.add(attempt.id)
        self._transfer_soon(attempt)

    async def add_parameters(self, attempt: Attempt, parameters: dict[str, Any]) -> None:
        """Record parameters that a session adds, which the store has already."""
        if not await self._attempt_to(lambda: self._record.add_parameters(attempt, parameters)):
            self._late[attempt.id] = attempt
            self._wake.set()

    async def finish(
        self, sweep: Sweep, run: Run, attempt: Attempt, outcome: Outcome
    ) -> dict[str, float] | None:
        """Record how an attempt ended; return all its metrics, or None if the tracker is away."""
        self._logging.pop(attempt.id, None)
        if self._late.pop(attempt.id, None) is not None:
            self._record.forget(attempt)
        found = await self._attempt_to(lambda: self._record.finish(sweep, run, attempt, outcome))
        if found is None:
            self.catch_up()
        return found

    async def finish_sweep(self, sweep_id: str) -> None:
        """Record the final status of a sweep, once all its runs have ended, and tell of it."""
        if not await asyncio.to_thread(self._store.history.has_ended, sweep_id):
            return
        sweep = await asyncio.to_thread(self._store.history.sweep, sweep_id)
        tallies = await asyncio.to_thread(self._store.history.tallies, [sweep_id])
        tally = tallies[sweep_id]
        if tally.unfinished:  # somebody has just queued a run again
            return
        synced = sweep.kind is not SweepKind.SWEEP or bool(
            await self._attempt_to(lambda: self._record.finish_parent(sweep, tally))
        )
        if not synced:
            self.catch_up()
        await asyncio.to_thread(
            self._store.attempts.sweep_tracked,
            sweep_id,
            synced=synced,
            ended=views.status_of(tally),
        )
        if self._sweep_ended is not None:
            await self._sweep_ended(sweep, tally)

    async def call(self, use: Callable[[Tracker, Registry], T]) -> T:
        """Use the tracker and the registry in their thread. Raises what they raise."""
        return await self._in_thread(lambda: use(self._record.tracker, self._get_registry()))

    async def waiting(self) -> set[str]:
        """Return the runs of which the tracker lacks something.

        Of runs under way those count that wait for a tracker which is or was away.
        """
        late = {attempt.run_id for attempt in self._late.values()}
        waiting = self._store.history.waiting
        return await asyncio.to_thread(waiting, running=not self._caught_up, late=late)

    async def waiting_values(self) -> int:
        """Count the metric values that such runs lack there."""
        waiting = self._store.history.waiting_values
        return await asyncio.to_thread(waiting, running=not self._caught_up)

    # -- the loop ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Transfer metrics, and make good what is missing, until cancelled."""
        pause = EVERY
        while True:
            if self._caught_up:
                await self._wake.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):  # gathers points; each transfer costs something
                    await self._hurry.wait()
            self._hurry.clear()
            self._wake.clear()
            done = await self._catch_up()
            pause = EVERY if done else min(pause * 2, LONGEST_PAUSE)

    def catch_up(self, *, now: bool = False) -> None:
        """Have everything that is missing recorded soon, or ``now`` since the tracker answers."""
        self._behind = True
        self._wake.set()
        if now:
            self._hurry.set()

    def _transfer_soon(self, attempt: Attempt) -> None:
        self._logging[attempt.id] = attempt
        self._wake.set()

    async def close(self) -> None:
        """Transfer what is left, if the tracker answers, and release it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ENDING):
                await self._catch_up()
        if self.kernels is not None:
            await self.kernels.close()
        await self._in_thread(self._record.close)
        self._thread.shutdown(wait=False)

    async def _catch_up(self) -> bool:
        """Record all that is missing, step by step: between two of them runs begin and end."""
        steps = self._missing()
        while more := await self._attempt_to(lambda: next(steps, False), patient=True):
            pass
        if more is None:
            return False
        self._caught_up = True
        return True

    # -- in the tracking thread --------------------------------------------------------------------

    def _missing(self) -> Iterator[bool]:
        """Record what is missing; yield after each part of it."""
        self._record.tracker.connect()
        for attempt in list(self._late.values()):
            self._carefully(attempt, self._begin_late)
            self._late.pop(attempt.id, None)
            yield True
        for attempt in list(self._logging.values()):
            self._carefully(attempt, self._record.transfer)
            self._logging.pop(attempt.id, None)
            yield True
        if self._behind:
            self._behind = False
            try:
                yield from self._make_good()
            except BaseException:
                self._behind = True
                raise

    def _begin_late(self, attempt: Attempt) -> None:
        """Record the beginning of an attempt under way, and all its parameters."""
        run = self._store.history.run(attempt.run_id)
        if run.status is Status.RUNNING and run.attempts == attempt.number:
            tracked = self._record.begin(self._store.history.sweep(run.sweep_id), run, attempt)
            self._store.attempts.tracked(attempt, tracked.id)
            self._logging[attempt.id] = attempt

    def _finish_late(self, attempt: Attempt) -> None:
        run = self._store.history.run(attempt.run_id)
        sweep = self._store.history.sweep(run.sweep_id)
        metrics = self._record.finish(sweep, run, attempt, _outcome_of(attempt))
        self._store.attempts.add_metrics(attempt, metrics)

    def _carefully(self, attempt: Attempt, record: Callable[[Attempt], None]) -> None:
        """Record something of an attempt; what the tracker refuses is noted, and left at that.

        Trying it again would only keep the others waiting.
        """
        try:
            record(attempt)
        except (TrackingUnavailable, StoreUnavailable):
            raise
        except NotFound as error:
            log.info("%s", error.message)
        except MlopsError as error:
            log.warning("Attempt %s was not recorded: %s", attempt.id, error.message)
            self._record.note(attempt, [f"MLflow did not take all of it: {error.message}"])

    def _make_good(self) -> Iterator[bool]:
        """Record what the store knows and the tracker does not."""
        for attempt in self._store.history.running():
            if attempt.executor == SESSION and not self._record.has_begun(attempt):
                self._record.logged.add(attempt.id)
                self._carefully(attempt, self._begin_late)
                self._carefully(attempt, self._record.transfer)
                yield True
        for attempt in self._store.history.unsynced():
            self._carefully(attempt, self._finish_late)
            self._store.attempts.mark_synced(attempt, everything=True)
            yield True
        sweeps = self._store.history.unsynced_sweeps()
        tallies = self._store.history.tallies([each.id for each in sweeps])
        for sweep in sweeps:
            if not tallies[sweep.id].unfinished:
                self._record.finish_parent(sweep, tallies[sweep.id])
                self._store.attempts.sweep_tracked(sweep.id, synced=True)
                yield True

    # -- plumbing ----------------------------------------------------------------------------------

    async def _attempt_to(self, work: Callable[[], T], *, patient: bool = False) -> T | None:
        """Do something with the tracker; None, with the problem noted, if it is away.

        Only the ``patient`` ask one that was silent.
        """
        try:
            result = await self._in_thread(lambda: self._ask(work, patient))
        except TrackingUnavailable as error:
            if self.problem is None:
                log.warning("%s", error.message)
            self.problem = error.message
            self._caught_up = False
            self._wake.set()
            return None
        except MlopsError as error:
            log.warning("Tracking: %s", error.message)
            return None
        self.problem = None
        return result

    def _ask(self, work: Callable[[], T], patient: bool) -> T:
        if self._silence is not None and not patient:
            raise TrackingUnavailable(self._silence)
        begun = time.monotonic()
        try:
            result = work()
        except TrackingUnavailable as error:
            self._silence = error.message if time.monotonic() - begun > _SILENT else None
            raise
        self._silence = None
        return result

    def _in_thread(self, work: Callable[[], T]) -> Coroutine[Any, Any, T]:
        async def run() -> T:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)

        return run()

    def _get_registry(self) -> Registry:
        if self._registry is None:
            self._registry = self._open_registry()
        return self._registry


def _outcome_of(attempt: Attempt) -> Outcome:
    return Outcome(
        status=Status(attempt.status),
        reason=attempt.reason,
        error=attempt.error,
        failed_cell=attempt.failed_cell,
        duration=attempt.duration or 0.0,
    )
