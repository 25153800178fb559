"""What the tracker has of runs: written in one thread, and known here by the tracker's ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.exceptions import NotFound
from ..core.executors import Outcome
from ..core.imports import without_garbage_collection
from ..core.ports import TrackedRun, Tracker
from ..core.runs import Attempt, MetricPoint, Run, Sweep, SweepKind
from ..store import Store, Tally
from ..tracking.locks import told
from . import views

#: Metric points that are sent at a time.
_MANY = 500


class Record:
    """Brings attempts and sweeps to the tracker. Raises what that raises."""

    def __init__(
        self,
        store: Store,
        open_tracker: Callable[[], Tracker],
        output_path: Callable[[Run], Path | None],
        context_path: Callable[[Attempt], Path] | None = None,
    ) -> None:
        self._store = store
        self._open_tracker = open_tracker
        self._output_path = output_path
        self._context_path = context_path
        self._tracker: Tracker | None = None
        #: Attempts that have logged anything at all.
        self.logged: set[str] = set()
        #: The tracker's ids of attempts that were begun here, and of their sweeps.
        self._tracked: dict[str, str] = {}
        self._parents: dict[str, str] = {}

    @property
    def tracker(self) -> Tracker:
        """The tracker, opened when it is first needed."""
        if self._tracker is None:
            with without_garbage_collection():  # it imports MLflow
                self._tracker = self._open_tracker()
        return self._tracker

    def close(self) -> None:
        """Release the tracker."""
        if self._tracker is not None:
            self._tracker.close()

    def has_begun(self, attempt: Attempt) -> bool:
        """Whether an attempt was begun here."""
        return attempt.id in self._tracked

    def forget(self, attempt: Attempt) -> None:
        """Begin an attempt again with its end, which brings all that is missing."""
        self._tracked.pop(attempt.id, None)

    def begin(self, sweep: Sweep, run: Run, attempt: Attempt, *, fresh: bool = False) -> TrackedRun:
        """Record that an attempt begins; ``fresh`` says that it does so at this moment."""
        tracked = self.tracker.start_attempt(self._with_parent(sweep), run, attempt, fresh=fresh)
        self._tracked[attempt.id] = tracked.id
        self.note(attempt, tracked.notes)
        return tracked

    def add_parameters(self, attempt: Attempt, parameters: Mapping[str, Any]) -> bool:
        """Record parameters that a session adds; False if its beginning is missing."""
        if (tracked_id := self._tracked_id(attempt)) is None:
            return False
        self.note(attempt, self.tracker.log_parameters(tracked_id, parameters))
        return True

    def transfer(self, attempt: Attempt) -> None:
        """Send all metric points that are missing, and what the tracker has held back."""
        tracked_id = self._tracked_id(attempt)
        if tracked_id is None:
            return
        points, last = self._transfer_most(attempt, tracked_id)
        self.tracker.log_metrics(tracked_id, points)
        if points:
            self._store.attempts.mark_synced(attempt, point=last)

    def finish(
        self, sweep: Sweep, run: Run, attempt: Attempt, outcome: Outcome
    ) -> dict[str, float]:
        """Record how an attempt ended; return all its metrics."""
        if attempt.id not in self._tracked:  # by an earlier worker, or not at all
            tracked = self.begin(sweep, run, attempt)
            self._store.attempts.tracked(attempt, tracked.id)
            self.logged.add(attempt.id)
        tracked_id = self._tracked[attempt.id]
        output = self._output_path(run) if outcome.has_output else None
        facts = self._context_path(attempt) if self._context_path is not None else None
        about, marked = _environment(facts)
        tags = about | {
            "mlops.status": outcome.status.value,
            "mlops.reason": outcome.reason.value if outcome.reason else "",
            "mlops.error": outcome.error or "",
            "mlops.duration": f"{outcome.duration:.3f}",
        }
        notes = self.tracker.finish_attempt(
            tracked_id,
            outcome,
            tags={name: text for name, text in tags.items() if text},
            artifacts=[each for each in (output, facts) if each and each.exists()],
            points=self._transfer_most(attempt, tracked_id)[0],
        )
        self.note(attempt, [*notes, *marked])
        metrics = self.tracker.metrics(tracked_id)
        self._store.attempts.set_tags(attempt, self.tracker.tags(tracked_id))
        self._tracked.pop(attempt.id)
        self.logged.discard(attempt.id)
        return metrics

    def finish_parent(self, sweep: Sweep, tally: Tally) -> bool:
        """Record the final status of a sweep."""
        parent = self._with_parent(sweep).mlflow_run_id or ""
        counts = {f"mlops.{each}": str(number) for each, number in tally.counts.items()}
        self.tracker.finish_sweep(parent, views.status_of(tally), tags=counts)
        return True

    def note(self, attempt: Attempt, lines: Sequence[str]) -> None:
        """Say of an attempt what could not be recorded as it is."""
        if lines:
            self._store.notes.add(attempt.id, lines)

    def _with_parent(self, sweep: Sweep) -> Sweep:
        """Return the sweep with its parent run, recorded now if it was not yet."""
        if sweep.kind is not SweepKind.SWEEP or sweep.mlflow_run_id is not None:
            return sweep
        parent = self._parents.get(sweep.id) or self._store.history.sweep(sweep.id).mlflow_run_id
        if parent is None:
            parent = self.tracker.start_sweep(sweep)
            self._store.attempts.sweep_tracked(sweep.id, parent, synced=False)
        self._parents[sweep.id] = parent
        return replace(sweep, mlflow_run_id=parent)

    def _tracked_id(self, attempt: Attempt) -> str | None:
        if attempt.id in self._tracked:
            return self._tracked[attempt.id]
        for each in self._store.history.attempts(attempt.run_id):
            if each.id == attempt.id:
                return each.mlflow_run_id
        raise NotFound(f"Attempt {attempt.id} was deleted.")

    def _transfer_most(self, attempt: Attempt, tracked_id: str) -> tuple[list[MetricPoint], int]:
        """Send missing metric points but the last few; return those, and their last number."""
        while attempt.id in self.logged:
            points, last = self._store.attempts.unsynced_points(attempt, _MANY)
            if len(points) < _MANY:
                return points, last
            self.tracker.log_metrics(tracked_id, points)
            self._store.attempts.mark_synced(attempt, point=last)
        return [], 0


def _environment(context: Path | None) -> tuple[dict[str, str], list[str]]:
    """Return tags that name the environment of an attempt, and what is to be said of it."""
    try:
        found = json.loads(context.read_bytes()) if context is not None else {}
    except (OSError, ValueError):
        return {}, []
    packages = (found.get("environment") or {}).get("packages_sha256") or ""
    tags = {"mlops.environment": packages[:12]}
    lock = found.get("lock")
    if not lock:
        return tags, []
    differences = lock["differences"]
    tags["mlops.lock"] = "differs" if differences else "same"
    line = f"Its environment is not that of {lock['path']}: {told(differences)}."
    return tags, [line] if differences else []
