"""What has ended, and what led to it: by this triggers know when to start something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..core.occasions import TriggerKind
from ..core.runs import Event, Status, SweepKind
from . import reading
from .base import Database, Transaction
from .schema import counters, events, fires, pipelines, runs, stages, sweeps

#: Things that an attempt may have been started within, one within another.
_DEPTH = 20

_FINISHED = [status for status in Status if status.finished]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A run, a sweep or a pipeline run that has ended."""

    kind: TriggerKind
    id: str
    #: The notebook, or the pipeline's folder.
    subject: str
    status: Status
    #: Number of the last event of its end.
    seq: int


class Causes:
    """Reads how runs, sweeps and pipeline runs ended, and what led to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def endings(self, after: int) -> tuple[int, list[Ended], Event | None]:
        """Return the last event's number, what has ended since one, and models' last change.

        What is told has ended by all events up to that number, so that it is told once.
        """
        with self._database.transaction() as transaction:
            connection = transaction.connection
            # Nobody writes an event meanwhile.
            last = connection.scalar(
                counters.update()
                .where(self._database.mine(counters))
                .values(seq=counters.c.seq)
                .returning(counters.c.seq)
            )
            query = (
                sa.select(events)
                .where(self._database.mine(events), events.c.seq > after)
                .where(events.c.kind.in_(["run", "pipeline", "model"]))
                .order_by(events.c.seq)
            )
            rows = connection.execute(query).all()
            ended = {
                row.sweep_id: row.seq
                for row in rows
                if row.kind == "run" and row.sweep_id and row.status in _FINISHED
            }
            found = self._ended_sweeps(transaction, ended)
            found += self._ended_pipelines(transaction, rows)
        changes = [reading.event(row) for row in rows if row.kind == "model"]
        return last or 0, found, changes[-1] if changes else None

    def _ended_sweeps(self, transaction: Transaction, seqs: dict[str, int]) -> list[Ended]:
        found = []
        for sweep_id, seq in seqs.items():
            row = transaction.connection.execute(
                sa.select(sweeps.c.kind, sweeps.c.notebook).where(
                    self._database.mine(sweeps), sweeps.c.id == sweep_id
                )
            ).one_or_none()
            counts = self._statuses(transaction, sweep_id)
            if row is None or row.kind == SweepKind.SESSION or not counts <= set(_FINISHED):
                continue
            kind = TriggerKind.RUN if row.kind == SweepKind.RUN else TriggerKind.SWEEP
            status = next(
                (each for each in (Status.FAILED, Status.CANCELLED) if each in counts),
                Status.SUCCEEDED,
            )
            ended = Ended(kind=kind, id=sweep_id, subject=row.notebook, status=status, seq=seq)
            found.append(ended)
        return found

    def _statuses(self, transaction: Transaction, sweep_id: str) -> set[Status]:
        """Return the states of a sweep's runs; being pruned is as it should be."""
        query = (
            sa.select(runs.c.status, runs.c.reason)
            .where(self._database.mine(runs), runs.c.sweep_id == sweep_id)
            .distinct()
        )
        return {
            Status.SUCCEEDED if row.reason == "pruned" else Status(row.status)
            for row in transaction.connection.execute(query)
        }

    def _ended_pipelines(
        self, transaction: Transaction, rows: Sequence[reading.Row]
    ) -> list[Ended]:
        seqs = {
            row.data["pipeline"]: row.seq
            for row in rows
            if row.kind == "pipeline" and row.status in _FINISHED
        }
        query = sa.select(pipelines).where(
            self._database.mine(pipelines),
            pipelines.c.id.in_(seqs),
            pipelines.c.status.in_(_FINISHED),
        )
        return [
            Ended(
                kind=TriggerKind.PIPELINE,
                id=row.id,
                subject=row.folder,
                status=Status(row.status),
                seq=seqs[row.id],
            )
            for row in transaction.connection.execute(query)
        ]

    # -- what led to what --------------------------------------------------------------------------

    def is_running(self, kind: str, started: str) -> bool:
        """Whether a sweep or a pipeline run has not ended."""
        if kind == "pipeline":
            table, condition = pipelines, pipelines.c.id == started
        else:
            table, condition = runs, runs.c.sweep_id == started
        query = (
            sa.select(table.c.status)
            .where(self._database.mine(table), condition, table.c.status.not_in(_FINISHED))
            .limit(1)
        )
        return bool(self._all(query))

    def pipeline_of(self, origin: str, since: datetime) -> str | None:
        """Return the pipeline run that was started for an origin since a time, if one was."""
        query = (
            sa.select(pipelines.c.id)
            .where(
                self._database.mine(pipelines),
                pipelines.c.origin == origin,
                pipelines.c.created_at >= since,
            )
            .order_by(pipelines.c.created_at)
            .limit(1)
        )
        return next((row.id for row in self._all(query)), None)

    def chain_of(self, started: str) -> tuple[str, ...]:
        """Return the schedules and triggers that led to a sweep or a pipeline run.

        It may have been started from within another one.
        """
        for _ in range(_DEPTH):
            fire = self._all(
                sa.select(fires.c.chain).where(
                    self._database.mine(fires), fires.c.started == started
                )
            )
            if fire:
                return tuple(fire[0].chain)
            outer = self._outer(started)
            if outer is None:
                return ()
            started = outer
        return ()

    def _outer(self, sweep_id: str) -> str | None:
        """Return the sweep, or the pipeline run, from within which a sweep was started."""
        stage = sa.select(stages.c.pipeline_id).where(
            self._database.mine(stages), stages.c.run_id == f"{sweep_id}-1"
        )
        found = self._all(stage)
        if found:
            return str(found[0].pipeline_id)
        query = sa.select(sweeps.c.context).where(
            self._database.mine(sweeps), sweeps.c.id == sweep_id
        )
        attempt = next((row.context.get("parent_attempt") for row in self._all(query)), None)
        return str(attempt).partition("-")[0] if attempt else None

    def active(self, origin: str, start: datetime, end: datetime) -> str | None:
        """Return what a schedule or trigger led to and what was active between two times."""
        return next(
            (each for each in self._active(start, end) if origin in self.chain_of(each)), None
        )

    def _active(self, start: datetime, end: datetime) -> list[str]:
        ended = (
            sa.select(
                runs.c.sweep_id,
                sa.func.max(runs.c.finished_at).label("finished_at"),
                sa.func.sum(sa.case((runs.c.status.in_(_FINISHED), 0), else_=1)).label("open"),
            )
            .where(self._database.mine(runs))
            .group_by(runs.c.sweep_id)
            .subquery()
        )
        swept = (
            sa.select(sweeps.c.id)
            .join(ended, ended.c.sweep_id == sweeps.c.id)
            .where(
                self._database.mine(sweeps),
                sweeps.c.created_at <= end,
                (ended.c.open > 0) | (ended.c.finished_at >= start),
            )
        )
        piped = sa.select(pipelines.c.id).where(
            self._database.mine(pipelines),
            pipelines.c.created_at <= end,
            pipelines.c.finished_at.is_(None) | (pipelines.c.finished_at >= start),
        )
        return [row.id for query in (swept, piped) for row in self._all(query)]

    def _all(self, query: sa.Select[Any]) -> Sequence[reading.Row]:
        with self._database.transaction() as transaction:
            return transaction.connection.execute(query).all()
