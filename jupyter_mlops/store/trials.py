"""What a sampler and a pruner want to know of a sweep's runs."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ..core.runs import MetricPoint, Run, Status
from . import reading
from .base import Database
from .schema import attempts, points, runs

_FINISHED = [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED]


class Trials:
    """Reads a sweep's runs as the trials of a study."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ended(self, sweep_id: str) -> dict[int, int]:
        """Return the runs that have finished after at least one attempt: index to attempts."""
        query = sa.select(runs.c.index, runs.c.attempts).where(
            self._database.mine(runs),
            runs.c.sweep_id == sweep_id,
            runs.c.status.in_(_FINISHED),
            runs.c.attempts > 0,
        )
        with self._database.transaction() as transaction:
            return {int(row[0]): int(row[1]) for row in transaction.connection.execute(query)}

    def runs(self, sweep_id: str, indexes: Iterable[int] | None = None) -> list[Run]:
        """List the runs that were begun, in the order of their ends; the others come last.

        ``indexes`` are those to look at; None means all.
        """
        query = (
            sa.select(runs)
            .where(self._database.mine(runs), runs.c.sweep_id == sweep_id, runs.c.attempts > 0)
            .order_by(runs.c.finished_at.nulls_last(), runs.c.index)
        )
        wanted = None if indexes is None else list(indexes)
        if wanted is not None:
            query = query.where(runs.c.index.in_(wanted))
        with self._database.transaction() as transaction:
            return [reading.run(row) for row in transaction.connection.execute(query)]

    def series(self, sweep_id: str, key: str) -> dict[int, list[MetricPoint]]:
        """Return a metric of each run's last attempt, in the order in which it was logged."""
        query = (
            sa.select(runs.c.index.label("run"), points)
            .join(attempts, attempts.c.run_id == runs.c.id)
            .join(points, points.c.attempt_id == attempts.c.id)
            .where(
                self._database.mine(runs),
                self._database.mine(attempts),
                self._database.mine(points),
                runs.c.sweep_id == sweep_id,
                attempts.c.number == runs.c.attempts,
                points.c.key == key,
            )
            .order_by(points.c.id)
        )
        found: dict[int, list[MetricPoint]] = {}
        with self._database.transaction() as transaction:
            for row in transaction.connection.execute(query):
                found.setdefault(row.run, []).append(reading.point(row))
        return found
