"""In-memory versions of the seams to the engines, for tests that need no engine."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.exceptions import (
    InvalidInput,
    NoModelLogged,
    NotFound,
    TrackingUnavailable,
)
from ..core.executors import (
    CellStarted,
    Command,
    ExecutorState,
    MetricsLogged,
    Outcome,
    Progress,
    Stopping,
    Task,
)
from ..core.model_names import check_alias, check_model_name
from ..core.models import ModelVersion
from ..core.ports import TrackedRun
from ..core.resources import Ledger
from ..core.runs import Attempt, MetricPoint, Reason, Run, Status, Sweep
from ..core.values import masked
from .cards import CardKeeper
from .searching import InMemorySearcher

__all__ = [
    "InMemoryExecutor",
    "InMemoryRegistry",
    "InMemorySearcher",
    "InMemoryTracker",
    "RecordedRun",
]


@dataclass(slots=True)
class RecordedRun:
    """What the in-memory tracker knows of a run."""

    id: str
    parent: str | None
    #: Ids of our sweep, run and attempt.
    sweep_id: str
    run_id: str | None
    attempt_id: str | None
    parameters: dict[str, str]
    status: Status = Status.RUNNING
    tags: dict[str, str] = field(default_factory=dict)
    points: list[MetricPoint] = field(default_factory=list)
    #: Names of the files that were kept.
    artifacts: list[str] = field(default_factory=list)
    #: Whether it was superseded or deleted.
    hidden: bool = False
    #: Whether its code logged a model.
    has_model: bool = False


class InMemoryTracker:
    """A tracker without a store. Set ``available`` to False to take it away."""

    def __init__(self) -> None:
        self.available = True
        #: All runs by their tracked id.
        self.recorded: dict[str, RecordedRun] = {}
        self._of_run: dict[str, list[RecordedRun]] = {}
        self._ids = (f"tracked{number}" for number in itertools.count(1))

    def connect(self) -> None:
        """See whether it is there."""
        self._check()

    def start_sweep(self, sweep: Sweep) -> str:
        """Record a sweep as a parent run and return its id."""
        self._check()
        for known in self.recorded.values():
            if known.sweep_id == sweep.id and known.run_id is None and not known.hidden:
                return known.id
        made = RecordedRun(next(self._ids), None, sweep.id, None, None, {})
        self.recorded[made.id] = made
        return made.id

    def start_attempt(
        self, sweep: Sweep, run: Run, attempt: Attempt, *, fresh: bool = False
    ) -> TrackedRun:
        """Record an attempt, and hide all of the run but the last."""
        self._check()
        made_before = self._of_run.setdefault(run.id, [])
        of_run = [each for each in made_before if each.id in self.recorded]
        found = [each for each in of_run if each.attempt_id == attempt.id]
        if not found:
            parent = sweep.mlflow_run_id
            made = RecordedRun(next(self._ids), parent, sweep.id, run.id, attempt.id, {})
            self.recorded[made.id] = made
            made_before.append(made)
            of_run.append(made)
            found = [made]
        found[0].parameters = _texts(run.parameters) | found[0].parameters
        for earlier in sorted(of_run, key=_number)[:-1]:
            earlier.hidden = True
            earlier.tags["mlops.superseded"] = "true"
        tracked_id = found[0].id
        return TrackedRun(id=tracked_id, environment={"MLFLOW_RUN_ID": tracked_id})

    def log_parameters(self, tracked_id: str, parameters: Mapping[str, Any]) -> list[str]:
        """Add parameters to a run. Raises `InvalidInput` if one has another value already."""
        self._check()
        known = self.recorded[tracked_id].parameters if tracked_id in self.recorded else {}
        for name, text in _texts(parameters).items():
            if known.setdefault(name, text) != text:
                raise InvalidInput(f"{name} has another value already.")
        return []

    def log_metrics(self, tracked_id: str, points: Sequence[MetricPoint]) -> None:
        """Add metric values; those that are there already are not added twice."""
        self._check()
        run = self.recorded.get(tracked_id)
        if run is not None:
            known = set(map(_identity, run.points))
            run.points += [point for point in points if _identity(point) not in known]

    def finish_attempt(
        self,
        tracked_id: str,
        outcome: Outcome,
        *,
        tags: dict[str, str],
        artifacts: Sequence[Path],
        points: Sequence[MetricPoint] = (),
    ) -> list[str]:
        """Set the final status, whatever client code set, and keep values and files' names."""
        self.log_metrics(tracked_id, points)
        run = self.recorded.get(tracked_id)
        if run is not None:
            run.status = outcome.status
            run.tags |= {"mlops.status": outcome.status.value} | tags
            run.artifacts = [path.name for path in artifacts]
        return []

    def finish_sweep(self, tracked_id: str, status: Status, *, tags: dict[str, str]) -> None:
        """Set the parent run's final status."""
        self._check()
        run = self.recorded.get(tracked_id)
        if run is not None:
            run.status = status
            run.tags |= {"mlops.status": status.value} | tags

    def forget(self) -> None:
        """Drop the attempts that have ended, to see what others keep in memory."""
        ended = [each for each in self.recorded.values() if each.run_id and each.status.finished]
        for each in ended:
            del self.recorded[each.id]
            self._of_run.pop(each.run_id or "", None)

    def tags(self, tracked_id: str) -> dict[str, str]:
        """Return the tags that client code gave to a run; nothing for a run that is gone."""
        run = self.recorded.get(tracked_id)
        tags = run.tags if run is not None else {}
        return {name: text for name, text in tags.items() if not name.startswith("mlops.")}

    def metrics(self, tracked_id: str) -> dict[str, float]:
        """Return the last value of every metric; nothing for a run that is gone."""
        return {point.key: point.value for point in self.series(tracked_id, None)}

    def series(self, tracked_id: str, key: str | None) -> list[MetricPoint]:
        """Return a metric's values by step, or all metrics' if no key is given."""
        self._check()
        run = self.recorded.get(tracked_id)
        points = [point for point in run.points if key in (None, point.key)] if run else []
        return sorted(points, key=lambda point: (point.key, point.step, point.time))

    def delete(self, tracked_ids: Sequence[str]) -> None:
        """Hide runs; unknown ids are ignored."""
        self._check()
        for tracked_id in tracked_ids:
            if tracked_id in self.recorded:
                self.recorded[tracked_id].hidden = True

    def trashed(self, before: datetime) -> list[str]:
        """Return our runs that have hidden runs, whenever they were hidden."""
        self._check()
        hidden = (run.run_id for run in self.recorded.values() if run.hidden)
        return sorted({run_id for run_id in hidden if run_id is not None})

    def footprint(self, run_ids: Sequence[str]) -> int:
        """Return 0: nothing lies on a disk."""
        self._check()
        return 0

    def purge(self, run_ids: Sequence[str]) -> None:
        """Forget the hidden runs of our runs."""
        self._check()
        for tracked_id, run in list(self.recorded.items()):
            if run.hidden and run.run_id in run_ids:
                del self.recorded[tracked_id]

    def close(self) -> None:
        """Do nothing."""

    def log_model(self, tracked_id: str) -> None:
        """Do what a notebook does that logs a model."""
        self.recorded[tracked_id].has_model = True

    def _check(self) -> None:
        if not self.available:
            raise TrackingUnavailable


class InMemoryRegistry(CardKeeper):
    """A registry of the models that runs of an in-memory tracker logged."""

    def __init__(self, tracker: InMemoryTracker) -> None:
        super().__init__()
        self._tracker = tracker

    def versions(self) -> list[ModelVersion]:
        """Return every version of every model, newest first within a model."""
        self._check()
        return [
            version
            for name in sorted(self._versions)
            for version in sorted(self._versions[name], key=lambda each: -each.version)
        ]

    def register(
        self, name: str, tracked_id: str, *, alias: str | None, tags: dict[str, str]
    ) -> ModelVersion:
        """Make the model of a tracked run a new version. Raises `NoModelLogged`, `InvalidInput`."""
        check_model_name(name)
        if alias is not None:
            check_alias(alias)
        self._check()
        if not self.has_model(tracked_id):
            raise NoModelLogged
        run = self._tracker.recorded[tracked_id]
        own = {"mlops.run": run.run_id, "mlops.sweep": run.sweep_id}
        version = ModelVersion(
            name=name,
            version=len(self._versions.get(name, [])) + 1,
            aliases=(),
            description="",
            tags={key: text for key, text in own.items() if text is not None} | tags,
            created_at=datetime.now(UTC),
            run_id=run.run_id,
            mlflow_run_id=tracked_id,
            metrics=self._tracker.metrics(tracked_id),
            parameters=dict(run.parameters),
        )
        self._versions.setdefault(name, []).append(version)
        return self.set_alias(name, alias, version.version) if alias else version

    def has_model(self, tracked_id: str) -> bool:
        """Whether a run logged a model. Raises `NotFound`."""
        run = self._tracker.recorded.get(tracked_id)
        if run is None:
            raise NotFound(f"There is no tracked run {tracked_id}.")
        return run.has_model

    def set_alias(self, name: str, alias: str, version: int) -> ModelVersion:
        """Point an alias at a version. Raises `NotFound`, `InvalidInput`."""
        check_model_name(name)
        check_alias(alias)
        self._check()
        if not any(each.version == version for each in self._versions.get(name, [])):
            raise NotFound(f"There is no model {name} v{version}.")
        self._point(name, alias, version)
        return next(each for each in self._versions[name] if each.version == version)

    def aliased(self, name: str, alias: str) -> int | None:
        """Return the version that an alias points at; None if there is none."""
        found = (each for each in self.versions() if each.name == name and alias in each.aliases)
        return next((each.version for each in found), None)

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias. Raises `NotFound`."""
        self._check()
        if not any(alias in each.aliases for each in self._versions.get(name, [])):
            raise NotFound(f"{name} has no alias {alias}.")
        self._point(name, alias, None)

    def protected(self, tracked_ids: Sequence[str]) -> dict[str, str]:
        """Return those runs that a version was made from, with the version as ``name vN``."""
        made = {each.mlflow_run_id: f"{each.name} v{each.version}" for each in self.versions()}
        return {each: made[each] for each in tracked_ids if each in made}

    def _check(self) -> None:
        if not self._tracker.available:
            raise TrackingUnavailable


def _texts(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in masked(parameters).items()}


def _number(attempt: RecordedRun) -> int:
    return int((attempt.attempt_id or "").rpartition(".")[2])


def _identity(point: MetricPoint) -> tuple[object, ...]:
    value = "nan" if math.isnan(point.value) else point.value
    return point.key, point.step, int(point.time * 1000), value


class InMemoryExecutor:
    """Executes nothing: attempts end as ``decide`` says, when they are let go."""

    name = "local"
    remote = False
    problem: str | None = None
    ledger: Ledger

    def __init__(self, decide: Callable[[Task], Outcome] | None = None) -> None:
        self._decide = decide or (lambda _: Outcome(status=Status.SUCCEEDED))
        #: Attempts under way, and the most that there were at a time.
        self.running: dict[str, asyncio.Event] = {}
        self.most = 0
        #: Attempts that were cancelled before they began.
        self._early: set[str] = set()
        #: Set: attempts end at once. Cleared: they end when cancelled or when it is set.
        self.open = asyncio.Event()
        self.open.set()
        #: The metrics that an attempt logs.
        self.log: Callable[[Task], Iterable[MetricPoint]] = lambda _: ()

    async def prepare(self) -> None:
        """It is ready."""

    def state(self) -> ExecutorState:
        """Nothing is to be told."""
        return ExecutorState(runs_on="memory")

    async def execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        """End as decided, or cancelled."""
        stop = self.running[task.attempt_id] = asyncio.Event()
        self.most = max(self.most, len(self.running))
        if task.attempt_id in self._early:
            stop.set()
        report(CellStarted(cell=1))
        for point in self.log(task):
            report(MetricsLogged(points=(point,)))
        try:
            waits = [asyncio.create_task(each.wait()) for each in (stop, self.open)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()
        finally:
            del self.running[task.attempt_id]
        if stop.is_set():
            report(Stopping(stage="interrupt"))
            return Outcome(status=Status.CANCELLED, reason=Reason.USER, has_output=False)
        return self._decide(task)

    async def run(self, command: Command) -> int:
        """Succeed."""
        return 0

    async def cancel(self, attempt_id: str) -> None:
        """Let an attempt end as cancelled, at its beginning if it has not begun."""
        if attempt_id in self.running:
            self.running[attempt_id].set()
        else:
            self._early.add(attempt_id)

    async def close(self) -> None:
        """Let all attempts end as cancelled."""
        for stop in self.running.values():
            stop.set()
