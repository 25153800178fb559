"""What attempts report while they run, written for many of them at once.

Each transaction costs milliseconds, which counts where attempts are short.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from ..core.runs import Attempt, MetricPoint, ProcessIdentity, Status
from .base import Database, Transaction, changing
from .notes import add_notes
from .schema import attempts, points, runs


@dataclass(slots=True)
class Step:
    """What is new of an attempt; None means nothing."""

    attempt: Attempt
    #: Everything that was started for it, earlier processes included.
    processes: tuple[ProcessIdentity, ...] | None = None
    start: str | None = None
    #: Number of code cells, and the one that is executed, from 1.
    cells: int | None = None
    cell: int | None = None
    stopping: str | None = None
    mlflow_run_id: str | None = None
    #: Metric values, each with the cell that logged it.
    logged: list[tuple[int | None, MetricPoint]] = field(default_factory=list)
    #: What could not be kept, in one line each.
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self == Step(self.attempt)


_ALIVE = sa.select(attempts.c.id).where(
    attempts.c.project == sa.bindparam("project"),
    attempts.c.id == sa.bindparam("id"),
    attempts.c.fence == sa.bindparam("fence"),
    attempts.c.status == Status.RUNNING,
)
_RUN = sa.select(runs.c.sweep_id, runs.c.metrics).where(
    runs.c.project == sa.bindparam("project"), runs.c.id == sa.bindparam("id")
)
_ADD_POINTS = points.insert()


class ProgressLog:
    """Writes what a worker learns of the attempts that run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, steps: Iterable[Step]) -> None:
        """Record what is new. What belongs to another worker, or has ended, is left out."""
        with self._database.transaction() as transaction:
            for step in steps:
                if self._is_ours(transaction, step.attempt):
                    self.add(transaction, step)

    def add(self, transaction: Transaction, step: Step) -> None:
        """Record what is new of an attempt that is known to be ours."""
        self._change(
            transaction,
            attempts,
            step.attempt.id,
            {
                "processes": step.processes and [asdict(each) for each in step.processes],
                "start": step.start,
                "mlflow_run_id": step.mlflow_run_id,
            },
        )
        run_id = step.attempt.run_id
        run = transaction.connection.execute(_RUN, self._of(run_id)).one()
        metrics = {point.key: point.value for _, point in step.logged}
        self._change(
            transaction,
            runs,
            run_id,
            {
                "cells": step.cells,
                "cell": step.cell,
                "stopping": step.stopping,
                "mlflow_run_id": step.mlflow_run_id,
                "metrics": {**run.metrics, **metrics} if metrics else None,
            },
        )
        if step.logged:
            self._add_points(transaction, step)
        if step.notes:
            add_notes(transaction, self._database.project, step.attempt.id, step.notes)
        self._tell(transaction, step, run.sweep_id, sorted(metrics))

    def _tell(
        self, transaction: Transaction, step: Step, sweep_id: str, metrics: list[str]
    ) -> None:
        told: list[tuple[str, dict[str, Any]]] = []
        if step.cells is not None or step.cell is not None:
            told.append(("run", {"cell": step.cell, "cells": step.cells}))
        if step.stopping is not None:
            told.append(("run", {"stopping": step.stopping}))
        if metrics:
            told.append(("metrics", {"keys": metrics}))
        for kind, data in told:
            transaction.emit(
                kind,
                sweep_id=sweep_id,
                run_id=step.attempt.run_id,
                status=Status.RUNNING,
                data=data,
            )

    def _add_points(self, transaction: Transaction, step: Step) -> None:
        known = {"project": self._database.project, "attempt_id": step.attempt.id}
        transaction.connection.execute(
            _ADD_POINTS,
            [{**known, "cell": cell, **asdict(point)} for cell, point in step.logged],
        )

    def _is_ours(self, transaction: Transaction, attempt: Attempt) -> bool:
        bound = self._of(attempt.id) | {"fence": attempt.fence}
        return transaction.connection.scalar(_ALIVE, bound) is not None

    def _change(
        self, transaction: Transaction, table: sa.Table, row: str, values: dict[str, Any]
    ) -> None:
        new = {name: value for name, value in values.items() if value is not None}
        if new:
            transaction.connection.execute(*changing(table, self._database.project, row, new))

    def _of(self, row: str) -> dict[str, Any]:
        return {"project": self._database.project, "id": row}
