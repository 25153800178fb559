"""What every part of the store shares: the engine, the project, and the event log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..core.clock import Clock
from ..core.exceptions import StoreUnavailable
from ..core.runs import Status
from .schema import counters, events


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
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            raise StoreUnavailable(
                f"The project's state cannot be written: {error.orig}. "
                "Check free disk space and the permissions of the state folder."
            ) from error
        if transaction.emitted:
            for listener in self.changed:
                listener()

    def mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Return the condition that a row of ``table`` is this project's."""
        return table.c.project == self.project


class Transaction:
    """A connection that can also write events."""

    def __init__(self, connection: Connection, project: str) -> None:
        self.connection = connection
        self.emitted = 0
        self._project = project

    def emit(
        self,
        kind: str,
        *,
        sweep_id: str | None = None,
        run_id: str | None = None,
        status: Status | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Write an event; its number follows the project's last without a gap."""
        bump = (
            counters.update()
            .where(counters.c.project == self._project)
            .values(seq=counters.c.seq + 1)
            .returning(counters.c.seq)
        )
        seq = self.connection.scalar(bump)
        if seq is None:
            seq = 1
            self.connection.execute(counters.insert().values(project=self._project, seq=seq))
        self.connection.execute(
            events.insert().values(
                project=self._project,
                seq=seq,
                time=datetime.now(UTC),
                kind=kind,
                sweep_id=sweep_id,
                run_id=run_id,
                status=status,
                data=data or {},
            )
        )
        self.emitted += 1
