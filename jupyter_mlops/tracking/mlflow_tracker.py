"""Sweeps and attempts as MLflow runs, written with `MlflowClient` only.

An earlier attempt of a run is tagged ``mlops.superseded`` and put into MLflow's trash, from where
``restore_run`` brings it back; its files stay until somebody runs ``mlflow gc``. It is only tagged
if a model version was made from it.

A run that the user deleted in MLflow stays deleted: what would be added to it is dropped.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import mlflow_client
from ..core.executors import Outcome
from ..core.ports import TrackedRun
from ..core.runs import Attempt, MetricPoint, Run, Status, Sweep
from ..mlflow_client import ATTEMPT, DETACHED, METRIC, PARAMETER, SWEEP, translated
from . import local_store, lookup, recording, relatives
from .artifacts import ArtifactKeeper
from .environment import kernel_environment
from .experiments import Experiments
from .glance import Facts, Glance, facts_of
from .recording import SUPERSEDED
from .sending import send
from .trash import TrashKeeper

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

log = logging.getLogger(__name__)

#: Error codes of MLflow when a run or experiment is missing or in the trash.
_GONE = mlflow_client.MISSING | {"INVALID_PARAMETER_VALUE", "INVALID_STATE"}


@dataclass(slots=True)
class _Held:
    """What waits to be sent to a run together with other facts."""

    tags: dict[str, str]
    parameters: dict[str, str]
    #: The newest logged model when the run began.
    last_model: int | None = None


class MlflowTracker(ArtifactKeeper, TrashKeeper):
    """The tracker that keeps its runs in MLflow.

    ``artifacts`` is the folder for new experiments' artifacts; None leaves it to the server.
    ``database`` is the project's own SQLite file, whose statistics are kept fresh.
    """

    def __init__(self, uri: str, *, artifacts: Path | None, database: Path | None = None) -> None:
        #: The tracking URI, the same for our process and for kernels.
        self.uri = uri
        self._artifacts = artifacts
        self._database = database
        self._glance = None if database is None else Glance(database)
        self._held: dict[str, _Held] = {}
        #: Runs whose code may have started others before they were recorded.
        self._late: set[str] = set()

    # -- the port ----------------------------------------------------------------------------------

    def connect(self) -> None:
        """Import MLflow and connect."""
        with translated(self.uri):
            self._client  # noqa: B018 - made when it is first asked for

    def start_sweep(self, sweep: Sweep) -> str:
        """Record a sweep as a parent run and return its id."""
        client = self._client
        with translated(self.uri):
            known = {SWEEP: sweep.id, recording.KIND: sweep.kind.value}
            experiment = self._experiments.id_of(sweep.experiment)
            run = next(lookup.tagged(client, experiment, known), None) or self._create(
                sweep.experiment,
                recording.sweep_name(sweep),
                recording.sweep_tags(sweep),
                sweep.created_at,
            )
        return str(run.info.run_id)

    def start_attempt(
        self, sweep: Sweep, run: Run, attempt: Attempt, *, fresh: bool = False
    ) -> TrackedRun:
        """Record an attempt, and hide all of the run but the last.

        In the project's own store, parameters of a fresh one wait for the first other facts.
        """
        client = self._client
        with translated(self.uri):
            experiment = self._experiments.id_of(sweep.experiment)
            known = None if fresh else lookup.recorded(client, experiment, attempt.id)
            tracked = known or self._create(
                sweep.experiment,
                recording.run_name(sweep, run),
                recording.attempt_tags(sweep, run, attempt),
                attempt.started_at,
            )
            tracked_id = str(tracked.info.run_id)
            self._write(tracked_id, lambda: self._add_parameters(sweep, run, tracked, hold=fresh))
            if not fresh:
                relatives.adopt_strays(client, experiment, tracked_id, attempt.id)
                self._late.add(tracked_id)
            if attempt.number > 1 or not fresh:
                relatives.supersede(client, experiment, run.id)
            self._make_experiments(sweep)
        environment = kernel_environment(
            self.uri, tracked.info.experiment_id, tracked_id, sweep, run
        )
        notes = self._keep_whole(tracked_id, run.parameters)
        return TrackedRun(id=tracked_id, environment=environment, notes=tuple(notes))

    def log_parameters(self, tracked_id: str, parameters: Mapping[str, Any]) -> list[str]:
        """Add parameters to a run. Raises `InvalidInput` if one has another value already."""
        texts, cut = recording.parameter_texts(parameters)
        tags = recording.truncation_tags(cut) | recording.renaming_tags(PARAMETER, parameters)
        self._write(tracked_id, lambda: self._send(tracked_id, tags=tags, parameters=texts))
        return self._keep_whole(tracked_id, parameters)

    def log_metrics(self, tracked_id: str, points: Sequence[MetricPoint]) -> None:
        """Add metric values; those that are there already are not added twice."""
        self._write(tracked_id, lambda: self._send(tracked_id, points=points))

    def finish_attempt(
        self,
        tracked_id: str,
        outcome: Outcome,
        *,
        tags: dict[str, str],
        artifacts: Sequence[Path],
        points: Sequence[MetricPoint] = (),
    ) -> list[str]:
        """Set the final status, whatever client code set, and keep metric values and files.

        A file that cannot be kept is told in the tag ``mlops.artifact_error``.
        """
        notes: list[str] = []

        def end() -> None:
            notes[:] = self._end_attempt(tracked_id, outcome, tags, points)

        if self._write(tracked_id, end):
            notes += self._keep_texts(tracked_id, "tags", recording.cut_tags(tags))
            for path in artifacts:
                notes += self._keep(tracked_id, path)
        self._held.pop(tracked_id, None)
        self._late.discard(tracked_id)
        return notes

    def finish_sweep(self, tracked_id: str, status: Status, *, tags: dict[str, str]) -> None:
        """Set the parent run's final status."""

        def end() -> None:
            self._send(tracked_id, tags=recording.limited(tags) | {"mlops.status": status.value})
            self._client.set_terminated(tracked_id, recording.STATUSES[status])

        self._write(tracked_id, end)
        if self._database is not None:
            self._refresh_statistics(self._database)

    def metrics(self, tracked_id: str) -> dict[str, float]:
        """Return the last value of every metric; nothing for a run that is gone.

        Where the notebook chose another experiment and made one run there, its metrics count.
        """
        facts = None if self._glance is None else self._glance.facts(tracked_id)
        if facts is not None and DETACHED not in facts.tags:
            return mlflow_client.named(facts.metrics, facts.tags)
        found: dict[str, float] = {}
        for run in self._sources(tracked_id):
            found = mlflow_client.metrics_of(run) | found
        return found

    def tags(self, tracked_id: str) -> dict[str, str]:
        """Return the tags that client code gave to a run; nothing for a run that is gone."""
        facts = None if self._glance is None else self._glance.facts(tracked_id)
        if facts is not None and DETACHED not in facts.tags:
            return recording.given_tags(facts.tags)
        found: dict[str, str] = {}
        for run in self._sources(tracked_id):
            found = recording.given_tags(run.data.tags) | found
        return found

    def series(self, tracked_id: str, key: str | None) -> list[MetricPoint]:
        """Return a metric's values by step, or all metrics' if no key is given."""
        points: dict[str, list[MetricPoint]] = {}
        for run in self._sources(tracked_id):
            tags = run.data.tags
            for stored in run.data.metrics:
                name = tags.get(f"{METRIC}{stored}", stored)
                if name not in points and key in (None, name):
                    points[name] = self._history(run.info.run_id, stored, name)
        return [point for name in sorted(points) for point in points[name]]

    def delete(self, tracked_ids: Sequence[str]) -> None:
        """Put runs, and those that their code started, into MLflow's trash."""
        client = self._client
        with translated(self.uri):
            families = lookup.Families(client)
            for tracked_id in tracked_ids:
                for member in reversed(families.members(tracked_id)):
                    client.delete_run(member)

    def close(self) -> None:
        """Release connections; they are made again when needed."""
        client = self.__dict__.pop("_client", None)
        self.__dict__.pop("_experiments", None)
        if self._glance is not None:
            self._glance.close()
        if client is not None:
            mlflow_client.dispose(client)

    # -- plumbing ----------------------------------------------------------------------------------

    @cached_property
    def _experiments(self) -> Experiments:
        return Experiments(self._client, self._artifacts)

    def _refresh_statistics(self, database: Path) -> None:
        try:
            local_store.refresh_statistics(database)
        except sqlite3.Error as error:  # it only makes searches faster
            log.info("The statistics of %s were not refreshed: %s", database, error)

    def _create(
        self, experiment: str, name: str, tags: dict[str, str], started: datetime
    ) -> MlflowRun:
        from mlflow.exceptions import MlflowException

        def create() -> MlflowRun:
            return self._client.create_run(
                self._experiments.id_of(experiment),
                start_time=int(started.timestamp() * 1000),
                tags=recording.limited(tags),
                run_name=name,
            )

        try:
            made = create()
        except MlflowException as error:
            if error.error_code not in _GONE:
                raise
            self._experiments.forget(experiment)  # it was deleted since we last looked
            made = create()
        self._keep_texts(made.info.run_id, "tags", recording.cut_tags(tags))
        return made

    def _make_experiments(self, sweep: Sweep) -> None:
        """Make those that the notebook chooses, so that their artifacts lie where ours do."""
        for name in (sweep.context.get("mlflow") or {}).get("experiments", ()):
            if name and self._artifacts is not None:
                self._experiments.id_of(name)

    def _add_parameters(self, sweep: Sweep, run: Run, tracked: MlflowRun, *, hold: bool) -> None:
        """Log a run's parameters now, or when the notebook has logged its own."""
        run_id = str(tracked.info.run_id)
        texts, cut = recording.parameter_texts(run.parameters)
        renamed = recording.renaming_tags(PARAMETER, run.parameters)
        held = _Held(recording.truncation_tags(cut) | renamed, texts)
        if recording.logs_parameters(sweep):
            held.tags |= recording.pending_tags(texts)
            held.parameters = {}
        if hold and self._glance is not None:
            held.last_model = self._glance.last_model()
            self._held[run_id] = held
        else:
            known = tracked.data.params
            missing = {key: text for key, text in held.parameters.items() if key not in known}
            self._send(run_id, tags=held.tags, parameters=missing)

    def _send(
        self,
        tracked_id: str,
        *,
        tags: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        points: Sequence[MetricPoint] = (),
    ) -> None:
        """Add facts to a run, and those that were held back for it."""
        held = self._held.get(tracked_id)
        if held is None or not (held.tags or held.parameters):
            send(self._client, tracked_id, tags=tags, parameters=parameters, points=points)
            return
        known = self._facts(tracked_id).parameters
        waiting = {key: text for key, text in held.parameters.items() if key not in known}
        send(
            self._client,
            tracked_id,
            tags={**held.tags, **(tags or {})},
            parameters={**waiting, **(parameters or {})},
            points=points,
        )
        held.tags, held.parameters = {}, {}

    def _facts(self, tracked_id: str) -> Facts:
        """Return what a run has. Raises MLflow's exceptions."""
        found = None if self._glance is None else self._glance.facts(tracked_id)
        return found or facts_of(self._client.get_run(tracked_id))

    def _end_attempt(
        self,
        tracked_id: str,
        outcome: Outcome,
        tags: dict[str, str],
        points: Sequence[MetricPoint],
    ) -> list[str]:
        """End an attempt's run; return the names that are others in MLflow."""
        facts = self._facts(tracked_id)
        renamed = recording.renaming_tags(METRIC, (point.key for point in points))
        held = self._held.get(tracked_id)
        pending = recording.pending_texts({**facts.tags, **(held.tags if held else {})})
        self._send(
            tracked_id,
            tags=recording.limited(recording.outcome_tags(outcome) | tags),
            parameters={k: text for k, text in pending.items() if k not in facts.parameters},
            points=points,
        )
        status = recording.STATUSES[outcome.status]
        took = int(outcome.duration * 1000)
        end = facts.start_time + took if took else None
        self._client.set_terminated(tracked_id, status, end)
        glance = self._glance
        newest = held.last_model if held else None
        if tracked_id in self._late:
            attempt, run = facts.tags[ATTEMPT], self._client.get_run(tracked_id)
            relatives.adopt_strays(self._client, run.info.experiment_id, tracked_id, attempt)
        if glance is None or glance.has_child(tracked_id) is not False:
            relatives.end_children(self._client, self._client.get_run(tracked_id), status)
        if glance is None or glance.has_model(tracked_id, newest) is not False:
            relatives.adopt_models(self._client, self._client.get_run(tracked_id))
        return recording.renaming_notes({**facts.tags, **renamed})

    def _write(self, tracked_id: str, write: Callable[[], None]) -> bool:
        """Write to a run; False if it is gone. What is hidden by us comes out for the moment."""
        from mlflow.exceptions import MlflowException

        client = self._client
        with translated(self.uri):
            try:
                write()
            except MlflowException as error:
                if error.error_code not in _GONE:
                    raise
                run = mlflow_client.get_run(client, tracked_id)
                if run is not None and run.info.lifecycle_stage == "active":
                    raise
                if run is None or SUPERSEDED not in run.data.tags:
                    log.info("Run %s was deleted in MLflow and is not written to.", tracked_id)
                    return False
                client.restore_run(tracked_id)
                try:
                    write()
                finally:
                    client.delete_run(tracked_id)
        return True

    def _sources(self, tracked_id: str) -> list[MlflowRun]:
        """Return the run, and the only run that its code made if it chose where."""
        client = self._client
        with translated(self.uri):
            run = mlflow_client.get_run(client, tracked_id)
            if run is None:
                return []
            made = mlflow_client.children(client, run) if DETACHED in run.data.tags else []
        return [run, *made] if len(made) == 1 else [run]

    def _history(self, run_id: str, stored: str, name: str) -> list[MetricPoint]:
        with translated(self.uri):
            points = [
                MetricPoint(
                    key=name,
                    value=mlflow_client.restored(each.value),
                    step=each.step,
                    time=each.timestamp / 1000,
                )
                for each in self._client.get_metric_history(run_id, stored)
            ]
        return sorted(points, key=lambda point: (point.step, point.time))
