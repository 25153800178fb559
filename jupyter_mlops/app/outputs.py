"""Use cases of what runs put out: the last lines while they run, and the notebook so far."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from ..core.exceptions import Conflict, NotFound, StoreUnavailable
from ..core.executors import Outcome
from ..core.runs import Attempt, Run, Status
from ..execution.assembly import assemble
from ..store import Store
from . import messages as m
from .live import Live
from .projects import Project
from .tasks import journal_path, output_path

log = logging.getLogger(__name__)


class OutputUseCases:
    """What can be asked of the outputs of runs."""

    def __init__(self, project: Project, store: Store, live: Live) -> None:
        self._project = project
        self._store = store
        self._live = live

    async def tail(self, run_id: str) -> m.TailView:
        """Tell what a run is printing; nothing if it is not running."""
        run = await asyncio.to_thread(self._store.history.run, run_id)
        activity = self._live.of(run_id)
        if activity is None:
            return m.TailView(run_id=run_id, status=run.status)
        now = time.monotonic()
        began = activity.cell_began
        return m.TailView(
            run_id=run_id,
            status=run.status,
            cell=activity.cell,
            cells=activity.cells,
            text=activity.text,
            elapsed=now - activity.began,
            cell_elapsed=now - began if began is not None else None,
            cell_times=list(activity.cell_times),
        )

    async def partial_notebook(self, run_id: str) -> m.NotebookFile:
        """Write the output notebook as far as the run has come."""
        return await asyncio.to_thread(self._partial_notebook, run_id)

    def _partial_notebook(self, run_id: str) -> m.NotebookFile:
        run = self._store.history.run(run_id)
        attempts = self._store.history.attempts(run_id)
        if not run.notebook:
            raise NotFound(f"{run_id} is a session, which has no output notebook.")
        output = output_path(self._project, run)
        if attempts:
            last = attempts[-1]
            abandoned = last.status is not Status.RUNNING
            try:
                assemble(journal_path(self._project, last), output, abandoned=abandoned)
            except OSError as error:
                raise StoreUnavailable(
                    f"The notebook cannot be written: {error.strerror}. Free some space."
                ) from error
        if not output.exists():
            raise Conflict(f"{run_id} has no output notebook yet. Try again when it has begun.")
        path = output.relative_to(self._project.root).as_posix()
        return m.NotebookFile(path=path, finished=run.status.finished)


def settle(project: Project, run: Run, attempt: Attempt, outcome: Outcome) -> Outcome:
    """Have a notebook of an attempt that ended before its notebook could be written.

    Returns the outcome, which says whether there is one now.
    """
    output = output_path(project, run)
    try:
        written = assemble(journal_path(project, attempt), output, abandoned=True)
    except OSError as error:
        log.warning("The notebook of attempt %s cannot be written: %s", attempt.id, error)
        written = False
    return replace(outcome, has_output=written or output.exists())
