"""What a new worker does first: see what became of the attempts that an earlier one left."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from ..core.ports import Outcome
from ..core.runs import SESSION, Reason, Status
from ..execution.processes import end, is_alive
from ..store import Store
from .outputs import settle
from .projects import Project
from .search import as_pruned
from .tasks import output_path, result_path

log = logging.getLogger(__name__)

_LOST = Outcome(status=Status.FAILED, reason=Reason.LOST, error="Its worker went away.")


def recover(project: Project, store: Store, *, worker: str, fence: int) -> None:
    """Settle every attempt that is recorded as running though its worker is gone.

    One that ended after its worker is recorded by the result that it left. The processes of the
    others are ended, and they are lost, so that their runs are tried again. What their notebooks
    had come to is assembled from their journals. Sessions whose process lives are taken over.
    """
    store.queue.settle()
    for attempt in store.history.running():
        if attempt.executor == SESSION:
            if any(is_alive(each) is not False for each in attempt.processes):
                store.attempts.adopt(attempt, worker=worker, fence=fence)
            continue
        end(attempt.processes)
        run = store.history.run(attempt.run_id)
        outcome = _left_result(result_path(project, attempt)) or _LOST
        if attempt.reason is Reason.PRUNED:
            outcome = as_pruned(outcome, attempt.error)
        outcome = settle(project, run, attempt, outcome)
        output = output_path(project, run) if outcome.has_output else None
        store.attempts.finish(
            attempt,
            outcome,
            output=output.relative_to(project.root).as_posix() if output else None,
            synced=False,
        )
        log.info("Attempt %s: %s %s", attempt.id, outcome.status, outcome.reason or "")


def _left_result(path: Path) -> Outcome | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Outcome)
    except (OSError, msgspec.DecodeError):
        return None
