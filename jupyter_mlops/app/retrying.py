"""Use cases of runs that failed and are to run again, from the start or from where they failed."""

from __future__ import annotations

import asyncio

from ..core.exceptions import Conflict
from ..core.runs import Run, Sweep, SweepKind
from ..store import Store, of_run, unpruned
from . import messages as m
from .removal import Removal
from .scheduler import Scheduler
from .sweeps import SweepUseCases


class RetryUseCases:
    """What can be asked of runs that did not succeed."""

    def __init__(
        self, store: Store, scheduler: Scheduler, removal: Removal, sweeps: SweepUseCases
    ) -> None:
        self._store = store
        self._scheduler = scheduler
        self._removal = removal
        self._sweeps = sweeps

    async def retry_sweep(self, sweep_id: str) -> m.SweepView:
        """Queue the failed and cancelled runs again, but for those that were pruned.

        Those that wait for a retry wait no longer.
        """
        sweep = await asyncio.to_thread(self._store.history.sweep, sweep_id)
        _refuse_session(sweep)
        async with self._removal.lock:
            if not await asyncio.to_thread(self._store.queue.retry, unpruned(sweep_id)):
                raise Conflict(f"Sweep {sweep_id} has no failed or cancelled run.")
        self._scheduler.wake()
        return await self._sweeps.get_sweep(sweep_id)

    async def retry_run(self, run_id: str) -> m.RunView:
        """Queue a failed or cancelled run again; one that waits for a retry waits no longer."""
        run, sweep = await self._find(run_id)
        _refuse_session(sweep)
        async with self._removal.lock:
            if not await asyncio.to_thread(self._store.queue.retry, of_run(run_id)):
                raise Conflict(
                    f"Run {run_id} is {run.status}. Only failed or cancelled runs are retried."
                )
        self._scheduler.wake()
        return (await self._sweeps.get_run(run_id)).run

    async def _find(self, run_id: str) -> tuple[Run, Sweep]:
        run = await asyncio.to_thread(self._store.history.run, run_id)
        return run, await asyncio.to_thread(self._store.history.sweep, run.sweep_id)


def _refuse_session(sweep: Sweep) -> None:
    if sweep.kind is SweepKind.SESSION:
        raise Conflict("An interactive session cannot be retried.")
