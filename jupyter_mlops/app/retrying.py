"""Use cases of runs that failed and are to run again, from the start or from where they failed."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass

from ..core.exceptions import Conflict, StoreUnavailable
from ..core.runs import Attempt, Resume, Run, Status, Sweep, SweepKind
from ..notebooks.files import read_notebook
from ..notebooks.prefix import check_same_beginning
from ..store import Store, of_run, unpruned
from . import messages as m
from . import submission
from .projects import Project
from .removal import Removal
from .scheduler import Scheduler
from .sweeps import SweepUseCases
from .tasks import kept_path, output_path


@dataclass(frozen=True, slots=True)
class _Resumption:
    """A run that can go on, and the notebook as it is now."""

    run: Run
    failed: Attempt
    cell: int
    notebook: submission.Notebook


class RetryUseCases:
    """What can be asked of runs that did not succeed."""

    def __init__(
        self,
        project: Project,
        store: Store,
        scheduler: Scheduler,
        removal: Removal,
        sweeps: SweepUseCases,
    ) -> None:
        self._project = project
        self._store = store
        self._scheduler = scheduler
        self._removal = removal
        self._sweeps = sweeps

    # -- from the start ----------------------------------------------------------------------------

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
        run, sweep = await asyncio.to_thread(self._find, run_id)
        _refuse_session(sweep)
        async with self._removal.lock:
            if not await asyncio.to_thread(self._store.queue.retry, of_run(run_id)):
                raise Conflict(
                    f"Run {run_id} is {run.status}. Only failed or cancelled runs are retried."
                )
        self._scheduler.wake()
        return (await self._sweeps.get_run(run_id)).run

    # -- from the failed cell ----------------------------------------------------------------------

    async def resumption(self, run_id: str) -> m.ResumptionView:
        """Tell what retrying a run from its failed cell would execute again."""
        found = await asyncio.to_thread(self._resumption, run_id)
        times = found.failed.cell_times
        sweep = await asyncio.to_thread(self._store.history.sweep, found.run.sweep_id)
        executed = found.failed.notebook_hash or sweep.notebook_hash
        return m.ResumptionView(
            run_id=run_id,
            notebook=found.run.notebook,
            cell=found.cell,
            seconds=sum(times[: found.cell - 1]) if times is not None else None,
            changed=found.notebook.hash != executed,
        )

    async def resume_run(self, run_id: str, body: m.ResumeRequest) -> m.RunView:
        """Queue a failed run again, its earlier cells only to restore the kernel's state."""
        async with self._removal.lock:
            found = await asyncio.to_thread(self._resumption, run_id)
            if not body.agreed and found.cell > 1:
                raise Conflict(
                    f"The {found.cell - 1} cells before the failed one would be executed again, to "
                    "restore the kernel's state. Say --yes if they may be."
                )
            await asyncio.to_thread(self._resume, found)
        self._scheduler.wake()
        return (await self._sweeps.get_run(run_id)).run

    def _resumption(self, run_id: str) -> _Resumption:
        """Raises `Conflict` where it is not possible, `NotebookUnreadable`."""
        run, sweep = self._find(run_id)
        _refuse_session(sweep)
        if run.status is not Status.FAILED:
            raise Conflict(
                f"Run {run_id} is {run.status}. Only failed runs go on from their failed cell."
            )
        failed = self._store.history.attempts(run_id)[-1]
        output = output_path(self._project, run)
        if failed.failed_cell is None or not output.exists():
            raise Conflict(
                f"It is not known at which cell {run_id} failed. "
                f"Run it from the start: jupyter mlops runs retry {run_id}"
            )
        notebook = submission.read(self._project, sweep.notebook)
        executed = failed.notebook_hash or sweep.notebook_hash
        check_same_beginning(
            read_notebook(output),
            read_notebook(submission.snapshot_path(self._project, executed)),
            {"cells": notebook.cells},
            first=failed.failed_cell,
            name=sweep.notebook,
        )
        return _Resumption(run, failed, failed.failed_cell, notebook)

    def _resume(self, found: _Resumption) -> None:
        run = found.run
        try:
            submission.keep_snapshot(self._project, found.notebook)
            shutil.copyfile(
                output_path(self._project, run), kept_path(self._project, found.failed.id)
            )
        except OSError as error:
            raise StoreUnavailable(
                f"The outputs of {run.id} cannot be kept: {error.strerror}. Free some space."
            ) from error
        resume = Resume(cell=found.cell, attempt=found.failed.id, notebook_hash=found.notebook.hash)
        if not self._store.resuming.queue(run.id, resume):
            raise Conflict(f"Run {run.id} has been retried meanwhile.")

    def _find(self, run_id: str) -> tuple[Run, Sweep]:
        run = self._store.history.run(run_id)
        return run, self._store.history.sweep(run.sweep_id)


def _refuse_session(sweep: Sweep) -> None:
    if sweep.kind is SweepKind.SESSION:
        raise Conflict("An interactive session cannot be retried.")
