"""Runs and attempts for tests of tracking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jupyter_mlops.core.runs import (
    Attempt,
    MetricPoint,
    Run,
    Status,
    Sweep,
    attempt_id,
    run_id,
)

#: MLflow 3.17 uses a loader strategy that SQLAlchemy 2.1 deprecates.
MLFLOW_WARNING = "ignore:The ``noload`` loader strategy:DeprecationWarning"


def a_run(sweep: Sweep, index: int = 1, **changes: Any) -> Run:
    """Return a running run of a sweep."""
    now = datetime.now(UTC)
    base = Run(
        id=run_id(sweep.id, index),
        sweep_id=sweep.id,
        index=index,
        notebook=sweep.notebook,
        parameters={"x": index},
        status=Status.RUNNING,
        reason=None,
        error=None,
        metrics={},
        attempts=1,
        lost=0,
        cell=None,
        cells=None,
        created_at=now,
        started_at=now,
        finished_at=None,
        duration=None,
        output=None,
        mlflow_run_id=None,
        experiment=sweep.experiment,
    )
    return replace(base, **changes)


def an_attempt(run: Run, number: int = 1) -> Attempt:
    """Return a run's attempt that has just begun."""
    return Attempt(
        id=attempt_id(run.id, number),
        run_id=run.id,
        number=number,
        status=Status.RUNNING,
        reason=None,
        error=None,
        worker="worker",
        fence=1,
        executor="local",
        processes=(),
        start="cold",
        mlflow_run_id=None,
        started_at=datetime.now(UTC),
        finished_at=None,
        duration=None,
        failed_cell=None,
    )


def points(key: str, *values: float) -> list[MetricPoint]:
    """Return a metric's values at steps 0, 1, 2 and so on."""
    return [
        MetricPoint(key=key, value=value, step=step, time=1000.0 + step)
        for step, value in enumerate(values)
    ]
