"""Which runs other trackers are still to get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from .base import Database, Transaction
from .schema import mirrored


class Mirrored:
    """The runs that are to be sent to other trackers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, tracker: str, limit: int) -> list[str]:
        """Return attempts that a tracker lacks, those first that were tried least."""
        query = (
            sa.select(mirrored.c.attempt_id)
            .where(self._of(tracker), mirrored.c.sent.is_(False))
            .order_by(mirrored.c.tries, mirrored.c.attempt_id)
            .limit(limit)
        )
        with self._database.transaction() as transaction:
            return [str(row[0]) for row in transaction.connection.execute(query)]

    def counts(self, tracker: str) -> tuple[int, int]:
        """Return how many runs a tracker lacks, and how many it got."""
        query = (
            sa.select(mirrored.c.sent, sa.func.count().label("number"))
            .where(self._of(tracker))
            .group_by(mirrored.c.sent)
        )
        with self._database.transaction() as transaction:
            rows = transaction.connection.execute(query).all()
        found = {bool(row.sent): int(row.number) for row in rows}
        return found.get(False, 0), found.get(True, 0)

    def problem(self, tracker: str) -> str | None:
        """Return what went wrong the last time with a run that waits."""
        query = (
            sa.select(mirrored.c.problem)
            .where(self._of(tracker), mirrored.c.sent.is_(False), mirrored.c.problem.is_not(None))
            .order_by(mirrored.c.tries.desc())
            .limit(1)
        )
        with self._database.transaction() as transaction:
            return transaction.connection.scalar(query)

    def sent(self, tracker: str, attempt_id: str) -> None:
        """Note that a tracker has a run."""
        self._change(tracker, attempt_id, sent=True, problem=None)

    def failed(self, tracker: str, attempt_id: str, problem: str) -> None:
        """Note why a run could not be sent."""
        self._change(tracker, attempt_id, tries=mirrored.c.tries + 1, problem=problem)

    def _change(self, tracker: str, attempt_id: str, **values: Any) -> None:
        with self._database.transaction() as transaction:
            transaction.connection.execute(
                mirrored.update()
                .where(self._of(tracker), mirrored.c.attempt_id == attempt_id)
                .values(**values)
            )

    def _of(self, tracker: str) -> sa.ColumnElement[bool]:
        return self._database.mine(mirrored) & (mirrored.c.tracker == tracker)


def add_mirrored(
    transaction: Transaction, project: str, attempt_id: str, trackers: Sequence[str]
) -> None:
    """Have a run sent to trackers."""
    known = {"project": project, "attempt_id": attempt_id, "sent": False, "tries": 0}
    rows = [{**known, "tracker": tracker} for tracker in dict.fromkeys(trackers)]
    if rows:
        transaction.connection.execute(mirrored.insert(), rows)
