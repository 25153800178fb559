"""What a new worker does first: see what became of the attempts that an earlier one left."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from ..core.exceptions import LeaseLost
from ..core.executors import Outcome
from ..core.runs import ATTEMPT_VARIABLE, ENGINE_VARIABLE, SESSION, Attempt, Reason, Status
from ..execution import results
from ..execution.processes import end, is_alive, with_variables
from ..store import Step, Store, of_stages
from .contexts import Contexts
from .outputs import settle
from .projects import Project
from .search import as_pruned
from .tasks import environment, log_path, recorded_output, result_path

log = logging.getLogger(__name__)

_LOST = results.Result(
    outcome=Outcome(status=Status.FAILED, reason=Reason.LOST, error="Its worker went away.")
)


def recover(
    project: Project,
    store: Store,
    contexts: Contexts,
    *,
    worker: str,
    fence: int,
    spared: Collection[int] = (),
) -> None:
    """Settle every attempt that is recorded as running though its worker is gone.

    One that has ended is recorded by the result that it left. The processes of the others are
    ended, and they are lost, so that their runs are tried again. What their notebooks had come to
    is assembled from their journals. Sessions whose process lives are taken over. Nobody waits any
    more for runs of stages: a pipeline that goes on makes new ones.
    """
    store.queue.settle()
    running = store.history.running()
    _end_processes(project, store, running, spared)
    for attempt in running:
        if attempt.executor == SESSION:
            if any(is_alive(each) is not False for each in attempt.processes):
                store.attempts.adopt(attempt, worker=worker, fence=fence)
            continue
        # A worker that lost its lease may still record how its attempts end.
        with suppress(LeaseLost):
            _record(project, store, contexts, attempt)
        _remove_if_empty(log_path(project, attempt))
    store.queue.cancel(of_stages())
    _remove_remains(project)


def _record(project: Project, store: Store, contexts: Contexts, attempt: Attempt) -> None:
    """Record how an attempt ended, or that it was lost, and its context."""
    run = store.history.run(attempt.run_id)
    left = results.read(result_path(project, attempt)) or _LOST
    outcome = left.outcome
    if attempt.reason is Reason.PRUNED:
        outcome = as_pruned(outcome, attempt.error)
    outcome = settle(project, run, attempt, outcome)
    sweep = store.history.sweep(run.sweep_id)
    variables = environment(project, sweep, attempt, None, ())
    outcome = contexts.keep(sweep, run, attempt, outcome, variables)
    store.attempts.finish(
        attempt,
        outcome,
        output=recorded_output(project, run, outcome),
        synced=False,
        step=Step(attempt, logged=left.unknown(store.attempts.count_points(attempt))),
    )
    log.info("Attempt %s: %s %s", attempt.id, outcome.status, outcome.reason or "")


def _end_processes(
    project: Project, store: Store, running: Sequence[Attempt], spared: Collection[int]
) -> None:
    """End what an earlier worker has left: its attempts, and what executed them.

    Not all of it is recorded, and some of it may not have noticed yet that the worker is gone.
    """
    lost = {attempt.id for attempt in running if attempt.executor != SESSION}
    root = str(project.root)
    pipelines = {each.id for each in store.pipelines.unfinished()}

    def is_left(variables: dict[str, str]) -> bool:
        attempt = variables.get(ATTEMPT_VARIABLE, "")
        # The commands of a stage belong to ``<pipeline run>/<stage>``.
        ours = attempt in lost or attempt.partition("/")[0] in pipelines
        return ours or variables.get(ENGINE_VARIABLE) == root

    left = [each for each in with_variables(is_left) if each.pid not in spared]
    known = [each for attempt in running if attempt.id in lost for each in attempt.processes]
    end([*left, *(each for each in known if is_alive(each))])


def _remove_remains(project: Project) -> None:
    """Remove what nobody reads any more: results, and files that were being written."""
    for path in (project.state / "journals").glob("*.result"):
        path.unlink(missing_ok=True)
    for folder in (project.state, project.state / "journals", project.state / "snapshots"):
        for pattern in (".*.[0-9]*", "*.jsonl.new"):
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)


def _remove_if_empty(path: Path) -> None:
    if path.exists() and not path.stat().st_size:
        path.unlink(missing_ok=True)
