"""What every part of the store shares: the engine, the project, and the event log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..core.clock import Clock
from ..core.exceptions import StoreUnavailable
from ..core.runs import Status
from .schema import counters, events

#: Option of a connection that will not write.
READING = "mlops_reading"


@dataclass(frozen=True, slots=True)
class Database:
    """A database and the project whose rows we see. ``changed`` is called after each commit."""

    engine: Engine
    project: str
    #: What pauses are measured by.
    clock: Clock = field(default_factory=Clock)
    changed: list[Callable[[], None]] = field(default_factory=list)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Do several things or none. Raises `StoreUnavailable` if the database refuses."""
        try:
            with self.engine.begin() as connection:
                transaction = Transaction(connection, self.project)
                yield transaction
                transaction.write_events()
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            raise StoreUnavailable(
                f"The project's state cannot be written: {error.orig}. "
                "Check free disk space and the permissions of the state folder."
            ) from error
        if transaction.has_events:
            for listener in self.changed:
                listener()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Read at one moment, without keeping writers waiting. Raises `StoreUnavailable`."""
        try:
            with self.engine.connect().execution_options(**{READING: True}) as connection:
                yield connection
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            raise StoreUnavailable(
                f"The project's state cannot be read: {error.orig}. "
                "Check the permissions of the state folder."
            ) from error

    def mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Return the condition that a row of ``table`` is this project's."""
        return table.c.project == self.project


class Transaction:
    """A connection that can also write events."""

    def __init__(self, connection: Connection, project: str) -> None:
        self.connection = connection
        self._project = project
        self._events: list[dict[str, Any]] = []

    @property
    def has_events(self) -> bool:
        """Whether something was emitted."""
        return bool(self._events)

    def emit(
        self,
        kind: str,
        *,
        sweep_id: str | None = None,
        run_id: str | None = None,
        status: Status | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Have an event written at the end of the transaction."""
        self._events.append(
            {
                "project": self._project,
                "time": datetime.now(UTC),
                "kind": kind,
                "sweep_id": sweep_id,
                "run_id": run_id,
                "status": status,
                "data": data or {},
            }
        )

    def write_events(self) -> None:
        """Write what was emitted; the numbers follow the project's last without a gap."""
        number = len(self._events)
        if not number:
            return
        bound = {"by_project": self._project, "by_number": number}
        last = self.connection.scalar(_COUNT, bound)
        if last is None:
            last = number
            self.connection.execute(counters.insert().values(project=self._project, seq=last))
        for seq, event in enumerate(self._events, start=last - number + 1):
            event["seq"] = seq
        self.connection.execute(_ADD_EVENTS, self._events)


_COUNT = (
    counters.update()
    .where(counters.c.project == sa.bindparam("by_project"))
    .values(seq=counters.c.seq + sa.bindparam("by_number", type_=sa.BigInteger))
    .returning(counters.c.seq)
)
_ADD_EVENTS = events.insert()


def changing(
    table: sa.Table, project: str, row: str, values: dict[str, Any]
) -> tuple[sa.Update, dict[str, Any]]:
    """Return what `Connection.execute` needs to change a row, whose primary key is its id.

    The statement is made once for the same columns: making it costs as much as executing it.
    """
    bound = {f"to_{name}": value for name, value in values.items()}
    return _changing(table, tuple(sorted(values))), bound | {"by_project": project, "by_id": row}


@lru_cache(maxsize=200)
def _changing(table: sa.Table, columns: tuple[str, ...]) -> sa.Update:
    return (
        table.update()
        .where(table.c.project == sa.bindparam("by_project"), table.c.id == sa.bindparam("by_id"))
        .values({each: sa.bindparam(f"to_{each}", type_=table.c[each].type) for each in columns})
    )
