"""Schedules, triggers, and what became of each of their occasions.

What is due is claimed in the transaction that notes it as decided, by the one worker that holds the
lease: a worker that is killed neither loses an occasion nor has it come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from ..core.exceptions import Conflict, LeaseLost, NotFound
from ..core.occasions import (
    Ending,
    Fire,
    FireState,
    Missed,
    Overlap,
    Schedule,
    Trigger,
    TriggerKind,
)
from . import reading
from .base import Database, Transaction
from .schema import fires, leases, schedules
from .schema import triggers as trigger_table

#: Name of the lease of the worker that decides.
OCCASIONS = "schedules"

#: How long it is kept what became of an occasion.
_KEPT = timedelta(days=90)

_OPEN = (FireState.CLAIMED, FireState.WAITING)


R = TypeVar("R", Schedule, Trigger)


class Occasions:
    """Reads and writes the schedules and triggers of a project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- schedules and triggers --------------------------------------------------------------------

    def add(self, record: Schedule | Trigger) -> None:
        """Add a schedule or a trigger. Raises `Conflict` if its name is taken."""
        table = schedules if isinstance(record, Schedule) else trigger_table
        with self._database.transaction() as transaction:
            taken = sa.select(table.c.id).where(
                self._database.mine(table), table.c.name == record.name
            )
            if transaction.connection.execute(taken).first() is not None:
                raise Conflict(f"The name {record.name} is taken. Choose another one with --name.")
            values = asdict(record) | {"project": self._database.project}
            if isinstance(record, Trigger):
                values["accept"] = list(record.accept)
            transaction.connection.execute(table.insert().values(values))
            transaction.emit("schedule", data={"added": record.origin})

    def schedules(self) -> list[Schedule]:
        """List the schedules, oldest first."""
        query = sa.select(schedules).where(self._database.mine(schedules))
        rows = self._all(query.order_by(schedules.c.created_at, schedules.c.id))
        return [
            Schedule(
                **_without_project(row)
                | {"missed": Missed(row.missed), "overlap": Overlap(row.overlap)}
            )
            for row in rows
        ]

    def triggers(self) -> list[Trigger]:
        """List the triggers, oldest first."""
        query = sa.select(trigger_table).where(self._database.mine(trigger_table))
        rows = self._all(query.order_by(trigger_table.c.created_at, trigger_table.c.id))
        return [
            Trigger(
                **_without_project(row)
                | {
                    "kind": TriggerKind(row.kind),
                    "ending": Ending(row.ending) if row.ending else None,
                    "accept": tuple(row.accept),
                }
            )
            for row in rows
        ]

    def exist(self) -> bool:
        """Whether there is a schedule or a trigger."""
        queries = (
            sa.select(table.c.id).where(self._database.mine(table)).limit(1)
            for table in (schedules, trigger_table)
        )
        return any(self._all(query) for query in queries)

    def remove(self, record: Schedule | Trigger) -> None:
        """Remove a schedule or a trigger with its fires; what it has started goes on."""
        table = schedules if isinstance(record, Schedule) else trigger_table
        with self._database.transaction() as transaction:
            transaction.connection.execute(
                table.delete().where(self._database.mine(table), table.c.id == record.id)
            )
            transaction.connection.execute(
                fires.delete().where(self._database.mine(fires), fires.c.origin == record.origin)
            )
            transaction.emit("schedule", data={"removed": record.origin})

    # -- decisions ---------------------------------------------------------------------------------

    def decide(
        self, schedule: Schedule, until: datetime, found: Sequence[Fire], *, fence: int
    ) -> bool:
        """Claim what was due up to a time; False if that was decided already.

        Raises `LeaseLost` if another worker decides now.
        """
        change = (
            schedules.update()
            .where(
                self._database.mine(schedules),
                schedules.c.id == schedule.id,
                schedules.c.decided_until == schedule.decided_until,
            )
            .values(decided_until=until)
        )
        return self._decide(change, found, fence)

    def advance(self, trigger: Trigger, state: Any, found: Sequence[Fire], *, fence: int) -> bool:
        """Note how things stand for a trigger and claim what follows; False if that was done.

        Raises `LeaseLost` if another worker decides now.
        """
        change = (
            trigger_table.update()
            .where(
                self._database.mine(trigger_table),
                trigger_table.c.id == trigger.id,
                trigger_table.c.turn == trigger.turn,
            )
            .values(state=state, turn=trigger.turn + 1)
        )
        return self._decide(change, found, fence)

    def _decide(self, change: sa.Update, found: Sequence[Fire], fence: int) -> bool:
        with self._database.transaction() as transaction:
            self._check_lease(transaction, fence)
            if not transaction.connection.execute(change).rowcount:
                return False
            for fire in found:
                self._add(transaction, fire)
            return True

    def _add(self, transaction: Transaction, fire: Fire) -> None:
        record = asdict(fire) | {"project": self._database.project, "chain": list(fire.chain)}
        transaction.connection.execute(fires.insert().values(record))
        transaction.connection.execute(
            fires.delete().where(
                self._database.mine(fires),
                fires.c.origin == fire.origin,
                fires.c.time < fire.time - _KEPT,
                fires.c.state.not_in(_OPEN),
            )
        )
        _tell(transaction, fire.id, fire.origin, fire.state)

    def call(self, fire: Fire) -> None:
        """Claim what a call set off. Any worker may: nothing else decides on it."""
        with self._database.transaction() as transaction:
            self._add(transaction, fire)

    def _check_lease(self, transaction: Transaction, fence: int) -> None:
        query = sa.select(leases.c.fence).where(
            self._database.mine(leases), leases.c.name == OCCASIONS, leases.c.fence == fence
        )
        if transaction.connection.execute(query).first() is None:
            raise LeaseLost

    # -- fires -------------------------------------------------------------------------------------

    def open(self) -> list[Fire]:
        """List what is about to be started or waits for that, oldest first."""
        query = sa.select(fires).where(self._database.mine(fires), fires.c.state.in_(_OPEN))
        return [_fire(row) for row in self._all(query.order_by(fires.c.time, fires.c.id))]

    def fires(
        self, origin: str | None = None, *, limit: int | None = None, offset: int = 0
    ) -> list[Fire]:
        """List what became of occasions, newest first."""
        query = sa.select(fires).where(self._database.mine(fires))
        if origin is not None:
            query = query.where(fires.c.origin == origin)
        query = query.order_by(fires.c.time.desc(), fires.c.due.desc(), fires.c.id)
        return [_fire(row) for row in self._all(query.limit(limit).offset(offset))]

    def last_started(self, origin: str) -> Fire | None:
        """Return the last fire that started something, or is about to."""
        query = (
            sa.select(fires)
            .where(
                self._database.mine(fires),
                fires.c.origin == origin,
                fires.c.state.in_([FireState.STARTED, FireState.CLAIMED]),
            )
            .order_by(fires.c.time.desc())
            .limit(1)
        )
        return next((_fire(row) for row in self._all(query)), None)

    def settle(
        self, fire: Fire, state: FireState, *, reason: str, kind: str | None, started: str | None
    ) -> None:
        """Note what became of a fire."""
        with self._database.transaction() as transaction:
            transaction.connection.execute(
                fires.update()
                .where(self._database.mine(fires), fires.c.id == fire.id)
                .values(state=state, reason=reason, kind=kind, started=started)
            )
            _tell(transaction, fire.id, fire.origin, state, started)

    def _all(self, query: sa.Select[Any]) -> Sequence[reading.Row]:
        with self._database.transaction() as transaction:
            return transaction.connection.execute(query).all()


def find(records: Sequence[R], wanted: str, noun: str) -> R:
    """Return the record of a name, an id or the beginning of one. Raises `NotFound`."""
    exact = [each for each in records if wanted in (each.id, each.name, each.origin)]
    found = exact or [each for each in records if wanted and each.id.startswith(wanted)]
    if len(found) != 1:
        problem = f"{wanted} may mean several {noun}s" if found else f"There is no {noun} {wanted}"
        raise NotFound(f"{problem}. See: jupyter mlops {noun}s list", field="id")
    return found[0]


def _tell(
    transaction: Transaction, fire: str, origin: str, state: FireState, started: str | None = None
) -> None:
    data = {"origin": origin, "fire": fire, "state": state.value}
    transaction.emit("schedule", data=data | ({"started": started} if started else {}))


def _fire(row: reading.Row) -> Fire:
    return Fire(
        **_without_project(row) | {"state": FireState(row.state), "chain": tuple(row.chain)}
    )


def _without_project(row: reading.Row) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "project"}
