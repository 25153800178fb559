"""Rows to records."""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from ..core.runs import (
    Attempt,
    Environment,
    Event,
    MetricPoint,
    ProcessIdentity,
    Reason,
    Resume,
    Run,
    Status,
    Sweep,
    SweepKind,
)
from ..core.search import Pruning, Search
from ..core.stages import ErrorRule, Stage

Row = sa.Row[Any]


@lru_cache
def _names(cls: type) -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(cls))


def _known(cls: type, row: Row) -> dict[str, Any]:
    names = _names(cls)
    return {name: value for name, value in row._mapping.items() if name in names}


def _reason(value: str | None) -> Reason | None:
    return Reason(value) if value else None


def sweep(row: Row) -> Sweep:
    """Make a sweep of a row."""
    known = _known(Sweep, row)
    known |= {"kind": SweepKind(row.kind), "kernel_argv": tuple(row.kernel_argv)}
    known["retry_on"] = tuple(row.retry_on)
    known["search"] = Search.unpack(row.search) if row.search else None
    known["pruning"] = Pruning.unpack(row.pruning) if row.pruning else None
    known["stage"] = _stage(row.stage) if row.stage else None
    return Sweep(**known)


def _stage(facts: dict[str, Any]) -> Stage:
    return Stage(**{**facts, "errors": ErrorRule(facts["errors"])})


def run(row: Row) -> Run:
    """Make a run of a row."""
    known = _known(Run, row)
    known |= {"status": Status(row.status), "reason": _reason(row.reason)}
    known["resume"] = Resume(**row.resume) if row.resume else None
    known["environment"] = Environment(row.environment) if row.environment else None
    return Run(**known)


def attempt(row: Row) -> Attempt:
    """Make an attempt of a row."""
    known = _known(Attempt, row)
    known |= {
        "status": Status(row.status),
        "reason": _reason(row.reason),
        "processes": tuple(ProcessIdentity(**each) for each in row.processes),
        "cell_times": None if row.cell_times is None else tuple(row.cell_times),
    }
    return Attempt(**known)


def event(row: Row) -> Event:
    """Make an event of a row."""
    return Event(**_known(Event, row))


def point(row: Row) -> MetricPoint:
    """Make a metric point of a row."""
    value = math.nan if row.value is None else row.value
    return MetricPoint(key=row.key, value=value, step=row.step, time=row.time)
