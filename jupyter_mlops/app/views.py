"""Records to views: secrets masked, NaN encoded, the best run found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from ..core import values
from ..core.models import ModelVersion
from ..core.occasions import Fire, Schedule, Trigger
from ..core.runs import Attempt, Event, MetricPoint, Run, Status, Sweep
from ..core.search import points_of
from ..store import Tally
from . import messages as m

#: Tag with the hash of every file of a model, which no list needs.
_HASHES = "mlops.sha256"


def run(
    record: Run,
    sweep: Sweep,
    times: tuple[float | None, float | None] = (None, None),
    *,
    unsynced: bool = False,
) -> m.RunView:
    """Show a run. ``times`` are the seconds that have passed and those that are left."""
    fields = _fields(record, m.RunView)
    fields |= {
        "kind": sweep.kind,
        "parameters": _encoded(values.masked(record.parameters)),
        "metrics": _encoded(record.metrics),
        "metric": sweep.metric,
        "value": values.encode(record.metrics.get(sweep.metric)) if sweep.metric else None,
        "maximize": sweep.maximize,
        "elapsed": times[0],
        "remaining": times[1],
        "not_before": record.not_before if record.status is Status.QUEUED else None,
        "stage": sweep.stage and sweep.stage.name,
        "pipeline_id": sweep.stage and sweep.stage.pipeline_id,
        "unsynced": unsynced,
    }
    return m.RunView(**fields)


def attempt(record: Attempt, notes: Iterable[str] = ()) -> m.AttemptView:
    """Show an attempt."""
    return m.AttemptView(**_fields(record, m.AttemptView), notes=list(notes))


def sweep(
    record: Sweep,
    tally: Tally,
    best: Run | None,
    *,
    slots: int,
    source_changed: bool,
    usual: float | None = None,
) -> m.SweepView:
    """Show a sweep. ``slots`` is the number of cores that it may use.

    ``usual`` is what a run of its notebook takes, in seconds, for as long as none has finished.
    """
    fields = _fields(record, m.SweepView)
    finished = None if tally.unfinished else tally.finished_at
    parallel = max(1, min(slots // record.cpus, tally.unfinished))
    remaining = None
    each = tally.mean_duration if tally.mean_duration is not None else usual
    if tally.unfinished and each is not None:
        remaining = each * tally.unfinished / parallel
    fields |= {
        "counts": m.Counts(
            **{status.value: n for status, n in tally.counts.items()}, pruned=tally.pruned
        ),
        "status": status_of(tally),
        "best": _best(record, best),
        "started_at": tally.started_at,
        "finished_at": finished,
        "duration": max(0.0, (finished - tally.started_at).total_seconds())
        if finished and tally.started_at
        else None,
        "remaining": remaining,
        "source_changed": source_changed,
        "search": _search(record),
        "pruning": record.pruning and m.PruningView(**_shallow(record.pruning)),
    }
    return m.SweepView(**fields)


def _search(record: Sweep) -> m.SearchView | None:
    if record.search is None:
        return None
    search = record.search
    return m.SearchView(
        sampler=search.sampler,
        seed=search.seed,
        trials=search.trials,
        exhaustive=points_of(search.dimensions.values()) <= search.trials,
    )


def status_of(tally: Tally) -> Status:
    """Sum up the states of a sweep's runs: what goes on first, then what went wrong.

    That runs were pruned is as it should be.
    """
    for status in (Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELLED):
        wanted = tally.pruned if status is Status.CANCELLED else 0
        if tally.counts.get(status, 0) > wanted:
            started = status is Status.QUEUED and tally.started_at is not None
            return Status.RUNNING if started else status
    return Status.SUCCEEDED


def best_run(record: Sweep, runs: Iterable[Run]) -> Run | None:
    """Return the succeeded run with the best value of the sweep's metric; NaN is never best."""
    key = record.metric
    if key is None:
        return None
    ranked = [
        each
        for each in runs
        if each.status is Status.SUCCEEDED
        and key in each.metrics
        and each.metrics[key] == each.metrics[key]
    ]
    choose = max if record.maximize else min
    return choose(ranked, key=lambda each: each.metrics[key], default=None)


def _best(record: Sweep, best: Run | None) -> m.BestView | None:
    if best is None or record.metric is None:
        return None
    return m.BestView(
        run_id=best.id,
        value=values.encode(best.metrics[record.metric]),
        parameters=_encoded(values.masked(best.parameters)),
    )


def event(record: Event) -> m.EventView:
    """Show an event."""
    return m.EventView(**{**_shallow(record), "data": _encoded(record.data)})


def series(run_id: str, points: Iterable[MetricPoint]) -> list[m.MetricSeries]:
    """Gather a run's points by metric."""
    found: dict[str, m.MetricSeries] = {}
    for point in points:
        line = found.setdefault(
            point.key, m.MetricSeries(run_id=run_id, key=point.key, steps=[], values=[], times=[])
        )
        line.steps.append(point.step)
        line.values.append(values.encode(point.value))
        line.times.append(point.time)
    return list(found.values())


def model(record: ModelVersion) -> m.ModelVersionView:
    """Show a model version."""
    fields = _shallow(record)
    complete = record.tags.get("mlops.complete", "")
    fields |= {
        "complete": int(complete) if complete.isdecimal() else None,
        "aliases": list(record.aliases),
        "tags": {name: text for name, text in record.tags.items() if name != _HASHES},
        "metrics": _encoded(record.metrics),
        "parameters": {
            name: values.MASK if values.looks_secret(name) else value
            for name, value in record.parameters.items()
        },
    }
    return m.ModelVersionView(**fields)


def fire(record: Fire) -> m.FireView:
    """Show what became of an occasion."""
    return m.FireView(**_fields(record, m.FireView))


def shared(record: Schedule | Trigger, view: type[m.View]) -> dict[str, Any]:
    """Return what a schedule or trigger has in common with its view."""
    return _fields(record, view)


def _fields(record: Any, view: type[m.View]) -> dict[str, Any]:
    """Return what a record and its view have in common."""
    names = (each for each in dataclasses.fields(record) if each.name in _names(view))
    return {each.name: getattr(record, each.name) for each in names}


@lru_cache
def _names(view: type[m.View]) -> frozenset[str]:
    return frozenset(each.name for each in msgspec.structs.fields(view))


def _shallow(record: Any) -> dict[str, Any]:
    return {each.name: getattr(record, each.name) for each in dataclasses.fields(record)}


def _encoded(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.encode(value) for name, value in mapping.items()}
