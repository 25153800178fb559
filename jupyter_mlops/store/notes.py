"""What is worth knowing of attempts beyond how they ended: what could not be kept as it is."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from .base import Database, Transaction
from .schema import notes

#: Characters of a line.
LONGEST = 500


class Notes:
    """Lines about attempts, each told once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, attempt_id: str, lines: Iterable[str]) -> None:
        """Add lines that are not there yet."""
        with self._database.transaction() as transaction:
            add_notes(transaction, self._database.project, attempt_id, lines)

    def of(self, attempt_id: str) -> list[str]:
        """Return the lines about an attempt, in order."""
        with self._database.transaction() as transaction:
            lines = transaction.connection.scalars(_lines(self._database.project, attempt_id))
            return list(lines)


def add_notes(
    transaction: Transaction, project: str, attempt_id: str, lines: Iterable[str]
) -> None:
    """Add lines about an attempt that are not there yet."""
    known = set(transaction.connection.scalars(_lines(project, attempt_id)))
    rows = [
        {"project": project, "attempt_id": attempt_id, "line": line}
        for line in dict.fromkeys(each[:LONGEST] for each in lines)
        if line not in known
    ]
    if rows:
        transaction.connection.execute(notes.insert(), rows)


def _lines(project: str, attempt_id: str) -> sa.Select[str]:
    return (
        sa.select(notes.c.line)
        .where(notes.c.project == project, notes.c.attempt_id == attempt_id)
        .order_by(notes.c.id)
    )
