"""Whose turn it is: found by looks into an index, however many runs wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from ..core.runs import Run, Status, Sweep
from . import reading
from .base import Database, Transaction
from .schema import runs, sweeps

_PROJECT: sa.BindParameter[str] = sa.bindparam("project")


def _queued(*more: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[bool], ...]:
    return (runs.c.project == _PROJECT, runs.c.status == Status.QUEUED, *more)


def _waiting() -> sa.Select[Any]:
    """Select the sweeps that have queued runs, each found from the one before."""
    least = sa.func.min(runs.c.sweep_id)
    found = sa.select(sa.select(least).where(*_queued()).scalar_subquery().label("id")).cte(
        "found", recursive=True
    )
    following = sa.select(least).where(*_queued(runs.c.sweep_id > found.c.id)).scalar_subquery()
    found = found.union_all(sa.select(following).where(found.c.id.is_not(None)))
    return sa.select(found.c.id).where(found.c.id.is_not(None))


_WAITING = _waiting()
_SWEEP = sa.select(sweeps).where(sweeps.c.project == _PROJECT, sweeps.c.id == sa.bindparam("id"))
_FIRST = (
    sa.select(runs)
    .where(
        *_queued(
            runs.c.sweep_id == sa.bindparam("sweep"),
            runs.c.not_before.is_(None) | (runs.c.not_before <= sa.bindparam("now")),
        )
    )
    .order_by(runs.c.not_before.nulls_first(), runs.c.index)
    .limit(1)
)


class TurnTaking:
    """Finds the run that comes next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: The sweeps that had queued runs when we last looked: they cost more to read than to keep.
        self._known: dict[str, Sweep] = {}

    def first(
        self,
        running: Mapping[str, int],
        skip: Collection[str],
        executors: Collection[str] | None = None,
    ) -> tuple[Sweep, Run] | None:
        """Return the run whose turn it is, in sweeps that are not to be skipped.

        With ``executors`` only sweeps of these count.

        By priority, then the sweep with the fewest ``running`` attempts, then by age. Within a
        sweep by place, those that are tried again after those that were not tried.
        """
        with self._database.transaction() as transaction:
            bound: dict[str, Any] = {"project": self._database.project}
            waiting = transaction.connection.scalars(_WAITING, bound).all()
            self._known = {each: self._sweep(transaction, each) for each in waiting}
            turns = sorted(
                (
                    each
                    for each in self._known.values()
                    if each.id not in skip and (executors is None or each.executor in executors)
                ),
                key=lambda each: (
                    -each.priority,
                    running.get(each.id, 0),
                    each.created_at,
                    each.id,
                ),
            )
            bound["now"] = self._database.clock.now()
            for sweep in turns:
                bound["sweep"] = sweep.id
                row = transaction.connection.execute(_FIRST, bound).one_or_none()
                if row is not None:
                    return sweep, reading.run(row)
        return None

    def _sweep(self, transaction: Transaction, sweep: str) -> Sweep:
        known = self._known.get(sweep)
        if known is not None:
            return known
        bound = {"project": self._database.project, "id": sweep}
        return reading.sweep(transaction.connection.execute(_SWEEP, bound).one())
