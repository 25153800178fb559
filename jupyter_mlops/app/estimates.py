"""How long runs take: what has passed, and what is left by what earlier runs took."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from ..core.runs import Run, Status, SweepKind
from ..store import Store, Timing
from .live import Activity, Live

#: Earlier runs of a notebook that are asked, and how many of the same sweep are enough.
_ASKED = 20
_ENOUGH = 3

#: Seconds for which an answer of the store is believed.
_KEPT = 5.0


class Estimates:
    """Tells elapsed and remaining seconds. Blocking; may be called from any thread."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._live = live
        self._known: dict[str, tuple[float, list[Timing]]] = {}

    def of_run(self, run: Run, kind: SweepKind) -> tuple[float | None, float | None]:
        """Return the seconds since a run's attempt began and those left; None where unknown.

        Nobody knows when interactive work ends.
        """
        if run.status is not Status.RUNNING or run.started_at is None:
            return None, None
        activity = self._live.of(run.id)
        if activity is not None:
            elapsed = time.monotonic() - activity.began
        else:
            elapsed = max(0.0, (datetime.now(UTC) - run.started_at).total_seconds())
        if kind is SweepKind.SESSION:
            return elapsed, None
        timings = self._timings(run.notebook)
        same = [each for each in timings if each.sweep_id == run.sweep_id]
        chosen = same if len(same) >= _ENOUGH else timings
        return elapsed, remaining(activity, elapsed, chosen)

    def usual(self, notebook: str) -> float | None:
        """Return the seconds that a run of a notebook usually takes."""
        timings = self._timings(notebook)
        return statistics.median(each.duration for each in timings) if timings else None

    def _timings(self, notebook: str) -> list[Timing]:
        now = time.monotonic()
        asked, found = self._known.get(notebook, (0.0, []))
        if not asked or now - asked > _KEPT:
            found = self._store.history.timings(notebook, _ASKED)
            self._known[notebook] = now, found
        return found


def remaining(activity: Activity | None, elapsed: float, timings: Sequence[Timing]) -> float | None:
    """Estimate the seconds that a run still takes, cell by cell if the cells are the same ones."""
    if not timings:
        return None
    usual = _usual_cells(timings, activity.cells if activity is not None else None)
    if activity is None or usual is None:
        return max(0.0, statistics.median(each.duration for each in timings) - elapsed)
    done = len(activity.cell_times)
    left = sum(usual[done:])
    if activity.cell_began is None or done >= len(usual):
        return left
    return left - min(usual[done], time.monotonic() - activity.cell_began)


def _usual_cells(timings: Sequence[Timing], cells: int | None) -> list[float] | None:
    """Return what each cell usually takes; None if no earlier run had as many."""
    fitting = [each.cell_times for each in timings if len(each.cell_times) == cells]
    if not fitting:
        return None
    return [statistics.median(times) for times in zip(*fitting, strict=True)]
