"""Runs that go on where they failed: what is kept of the attempt that did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from ..core.runs import Resume, Status
from .base import Database, Transaction
from .schema import points, runs


class Resuming:
    """Queues runs so that their next attempts keep what earlier cells put out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue(self, run: str, resume: Resume) -> bool:
        """Queue a failed run to go on somewhere; False if it is no longer failed."""
        with self._database.transaction() as transaction:
            row = transaction.connection.execute(
                runs.update()
                .where(self._database.mine(runs), runs.c.id == run, runs.c.status == Status.FAILED)
                .values(
                    status=Status.QUEUED,
                    reason=None,
                    error=None,
                    finished_at=None,
                    tries=0,
                    lost=0,
                    cancel=False,
                    not_before=None,
                    delay=None,
                    resume=asdict(resume),
                )
                .returning(runs.c.sweep_id)
            ).one_or_none()
            if row is None:
                return False
            data = {"resume": resume.cell}
            transaction.emit(
                "run", sweep_id=row.sweep_id, run_id=run, status=Status.QUEUED, data=data
            )
            return True


def carry_over(
    transaction: Transaction, project: str, resume: Resume, attempt: str
) -> dict[str, float]:
    """Give an attempt the metric values of the cells that are kept; return the last of each."""
    kept = (
        sa.select(points)
        .where(
            points.c.project == project,
            points.c.attempt_id == resume.attempt,
            points.c.cell < resume.cell,
        )
        .order_by(points.c.id)
    )
    rows: list[dict[str, Any]] = [
        {**row._mapping, "attempt_id": attempt} for row in transaction.connection.execute(kept)
    ]
    for row in rows:
        del row["id"]
    if rows:
        transaction.connection.execute(points.insert(), rows)
    return {row["key"]: float("nan") if row["value"] is None else row["value"] for row in rows}
