"""The seams between the use cases and the engines that serve them.

Each port has a version in `jupyter_mlops.testing` that needs no engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from .executors import Outcome
from .models import ModelVersion, Tracked
from .runs import (
    Attempt,
    MetricPoint,
    Run,
    Status,
    Sweep,
)
from .search import Standing
from .values import Value

# -- adaptive search ------------------------------------------------------------------------------


class Searcher(Protocol):
    """Chooses the points of one sweep, and which of its runs are not worth going on.

    Runs are known by their index in the sweep. What it learns lives in memory only: another one
    is told again what became of the earlier runs. Blocking; used by one thread at a time. Raises
    `SearchFailed` if its engine refuses.
    """

    def ask(self, index: int) -> dict[str, Value]:
        """Choose the parameters of a run: the same ones for the same answers so far."""
        ...

    def add(self, index: int, parameters: Mapping[str, Value]) -> None:
        """Take note of a run whose parameters were chosen before."""
        ...

    def report(self, index: int, step: int, value: float) -> Standing | None:
        """Tell a value of the metric; return where the run stands if it should be stopped."""
        ...

    def tell(self, index: int, value: float | None, *, pruned: bool = False) -> None:
        """Tell the metric of a run that has ended; None if it has none, as after a failure."""
        ...


# -- tracking -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedRun:
    """A run in the tracking store, and the variables that make plain client code land in it."""

    id: str
    environment: dict[str, str]
    #: What the store could not take as it is, in one line each.
    notes: tuple[str, ...] = ()


class Tracker(Protocol):
    """Where sweeps and attempts are recorded. Blocking; called from one thread only.

    Every method raises `TrackingUnavailable` if the store cannot be reached, and may be called
    again with the same arguments afterwards.
    """

    def connect(self) -> None:
        """Connect, which may take a while the first time; the other methods do so if need be."""
        ...

    def start_sweep(self, sweep: Sweep) -> str:
        """Record a sweep as a parent run and return its id."""
        ...

    def start_attempt(
        self, sweep: Sweep, run: Run, attempt: Attempt, *, fresh: bool = False
    ) -> TrackedRun:
        """Record an attempt. All of the run but the last are tagged superseded and hidden.

        They may come in another order: what one worker left behind, the next one records later.
        Nobody has tried to record a ``fresh`` one before. Its parameters may be held back until
        other facts are sent, or `log_metrics` is called, by this tracker.
        """
        ...

    def log_parameters(self, tracked_id: str, parameters: Mapping[str, Any]) -> Sequence[str]:
        """Add parameters to a run. Raises `InvalidInput` if one has another value already.

        Returns what the store could not take as it is, in one line each.
        """
        ...

    def log_metrics(self, tracked_id: str, points: Sequence[MetricPoint]) -> None:
        """Add metric values."""
        ...

    def finish_attempt(
        self,
        tracked_id: str,
        outcome: Outcome,
        *,
        tags: dict[str, str],
        artifacts: Sequence[Path],
        points: Sequence[MetricPoint] = (),
    ) -> Sequence[str]:
        """Set the final status, whatever client code set, and keep metric values and files.

        Returns what the store could not take as it is, in one line each.
        """
        ...

    def finish_sweep(self, tracked_id: str, status: Status, *, tags: dict[str, str]) -> None:
        """Set the parent run's final status."""
        ...

    def metrics(self, tracked_id: str) -> dict[str, float]:
        """Return the last value of every metric, those logged by plain client code included."""
        ...

    def tags(self, tracked_id: str) -> dict[str, str]:
        """Return the tags that client code gave to an attempt's run."""
        ...

    def series(self, tracked_id: str, key: str | None) -> list[MetricPoint]:
        """Return a metric's values by step, or all metrics' if no key is given."""
        ...

    def delete(self, tracked_ids: Sequence[str]) -> None:
        """Put runs into the tracker's trash; unknown ids are ignored."""
        ...

    def trashed(self, before: datetime) -> list[str]:
        """Return the ids of our runs whose tracked runs were put into the trash before a time."""
        ...

    def footprint(self, run_ids: Sequence[str]) -> int:
        """Return how many bytes `purge` would free if all of our runs' were in the trash."""
        ...

    def purge(self, run_ids: Sequence[str]) -> None:
        """Remove for good what lies in the trash of our runs, if the store is the project's own.

        What a model version needs stays.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class Registry(Protocol):
    """The registered models. Blocking; called from the tracker's thread."""

    def versions(self) -> list[ModelVersion]:
        """Return every version of every model, newest first within a model."""
        ...

    def register(
        self, name: str, tracked_id: str, *, alias: str | None, tags: dict[str, str]
    ) -> ModelVersion:
        """Make the model of a tracked run a new version. Raises `NoModelLogged`, `InvalidInput`."""
        ...

    def set_alias(self, name: str, alias: str, version: int) -> ModelVersion:
        """Point an alias at a version. Raises `NotFound`, `InvalidInput`."""
        ...

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias. Raises `NotFound`."""
        ...

    def aliased(self, name: str, alias: str) -> int | None:
        """Return the version that an alias points at; None if there is none. Asks but once."""
        ...

    def discard(self, name: str, version: int) -> None:
        """Remove a version that came to nothing, and its model if that has no other."""
        ...

    def find(
        self, name: str, *, version: int | None = None, alias: str | None = None
    ) -> ModelVersion:
        """Return a version by its number or an alias, else the latest one. Raises `NotFound`."""
        ...

    def fetch(self, name: str, version: int, folder: Path) -> Path:
        """Copy a version's files below a folder; return where they are. Raises `NotFound`."""
        ...

    def fetch_model(self, tracked_id: str, folder: Path) -> Path:
        """Copy the files of a run's model below a folder. Raises `NoModelLogged`, `NotFound`."""
        ...

    def kept_of(self, tracked_id: str) -> Tracked:
        """Return what the tracker kept of a run, in whichever run its code put it."""
        ...

    def keep(self, name: str, version: int, folder: Path, tags: dict[str, str]) -> None:
        """Keep files with a version, among the artifacts of its run, and tag it."""
        ...

    def kept(self, name: str, version: int, folder: Path) -> Path | None:
        """Copy what was kept with a version below a folder; None if nothing was."""
        ...

    def annotate(
        self, name: str, version: int, *, tags: dict[str, str], notes: str | None = None
    ) -> ModelVersion:
        """Tag a version, and write notes on it. Raises `NotFound`, `InvalidInput`."""
        ...

    def protected(self, tracked_ids: Sequence[str]) -> dict[str, str]:
        """Return those runs that a version was made from, with the version as ``name vN``."""
        ...
