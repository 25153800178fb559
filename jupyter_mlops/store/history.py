"""Reading what is and what was: sweeps, runs, attempts, metrics and events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ..core.exceptions import NotFound
from ..core.runs import SESSION, Attempt, Event, MetricPoint, Reason, Run, Status, Sweep
from . import reading
from .base import Database
from .schema import attempts, counters, events, points, runs, sweeps


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """Which runs to list; no limit means all."""

    sweep_id: str | None = None
    status: Status | None = None
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How far the runs of a sweep are."""

    counts: dict[Status, int]
    started_at: datetime | None
    finished_at: datetime | None
    #: Seconds that the finished runs took, on average; None if there are none.
    mean_duration: float | None
    #: Those of the cancelled runs that were stopped since others did better.
    pruned: int = 0

    @property
    def unfinished(self) -> int:
        """Number of runs that wait or run."""
        return self.counts.get(Status.QUEUED, 0) + self.counts.get(Status.RUNNING, 0)


@dataclass(frozen=True, slots=True)
class Timing:
    """What an attempt took, in seconds."""

    sweep_id: str
    duration: float
    #: Each code cell's part, in order; empty if unknown.
    cell_times: tuple[float, ...]


#: Number of an attempt's metric values that the tracker lacks.
_MISSING = (
    sa.select(sa.func.count())
    .where(
        points.c.project == attempts.c.project,
        points.c.attempt_id == attempts.c.id,
        points.c.id > attempts.c.synced_point,
    )
    .scalar_subquery()
)


class History:
    """Reads the project's rows. Every ``get`` raises `NotFound`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sweeps(self, limit: int | None = None, offset: int = 0) -> list[Sweep]:
        """List sweeps, newest first."""
        query = (
            sa.select(sweeps)
            .where(self._database.mine(sweeps))
            .order_by(sweeps.c.created_at.desc(), sweeps.c.id)
            .limit(limit)
            .offset(offset)
        )
        return [reading.sweep(row) for row in self._all(query)]

    def sweep(self, sweep_id: str) -> Sweep:
        """Get a sweep."""
        query = sa.select(sweeps).where(self._database.mine(sweeps), sweeps.c.id == sweep_id)
        for row in self._all(query):
            return reading.sweep(row)
        raise NotFound(f"There is no sweep {sweep_id}. List them with: jupyter mlops runs list")

    def has_ended(self, sweep_id: str) -> bool:
        """Whether no run of a sweep waits or runs."""
        query = (
            sa.select(runs.c.id)
            .where(
                self._database.mine(runs),
                runs.c.status.in_([Status.QUEUED, Status.RUNNING]),
                runs.c.sweep_id == sweep_id,
            )
            .limit(1)
        )
        return not self._all(query)

    def tallies(self, sweep_ids: Sequence[str]) -> dict[str, Tally]:
        """Count the runs of sweeps by status."""
        query = (
            sa.select(
                runs.c.sweep_id,
                runs.c.status,
                sa.func.count().label("number"),
                sa.func.min(runs.c.started_at).label("started_at"),
                sa.func.max(runs.c.finished_at).label("finished_at"),
                sa.func.avg(runs.c.duration).label("duration"),
                sa.func.sum(sa.case((runs.c.reason == Reason.PRUNED, 1), else_=0)).label("pruned"),
            )
            .where(self._database.mine(runs), runs.c.sweep_id.in_(sweep_ids))
            .group_by(runs.c.sweep_id, runs.c.status)
        )
        found: dict[str, list[reading.Row]] = {each: [] for each in sweep_ids}
        for row in self._all(query):
            found[row.sweep_id].append(row)
        return {sweep_id: _tally(rows) for sweep_id, rows in found.items()}

    def runs(self, where: RunFilter) -> list[Run]:
        """List runs: newest sweep first, each sweep's in their own order."""
        query = (
            sa.select(runs)
            .where(self._database.mine(runs))
            .order_by(runs.c.created_at.desc(), runs.c.sweep_id, runs.c.index)
            .limit(where.limit)
            .offset(where.offset)
        )
        if where.sweep_id is not None:
            query = query.where(runs.c.sweep_id == where.sweep_id)
        if where.status is not None:
            query = query.where(runs.c.status == where.status)
        return [reading.run(row) for row in self._all(query)]

    def run(self, run_id: str) -> Run:
        """Get a run."""
        for row in self._all(sa.select(runs).where(self._database.mine(runs), runs.c.id == run_id)):
            return reading.run(row)
        raise NotFound(f"There is no run {run_id}. List them with: jupyter mlops runs list")

    def latest(self, notebook: str) -> Run | None:
        """Return the last run of a notebook that has ended; None if there is none."""
        query = (
            sa.select(runs)
            .where(
                self._database.mine(runs),
                runs.c.notebook == notebook,
                runs.c.finished_at.is_not(None),
            )
            .order_by(runs.c.finished_at.desc())
            .limit(1)
        )
        return next((reading.run(row) for row in self._all(query)), None)

    def attempts(self, run_id: str) -> list[Attempt]:
        """List the attempts of a run, first to last."""
        query = (
            sa.select(attempts)
            .where(self._database.mine(attempts), attempts.c.run_id == run_id)
            .order_by(attempts.c.number)
        )
        return [reading.attempt(row) for row in self._all(query)]

    def running(self) -> list[Attempt]:
        """List the attempts that are recorded as running."""
        query = sa.select(attempts).where(
            self._database.mine(attempts), attempts.c.status == Status.RUNNING
        )
        return [reading.attempt(row) for row in self._all(query)]

    def peaks(self, notebook: str, limit: int) -> list[int]:
        """List the peak memory of a notebook's latest runs that succeeded, oldest first."""
        query = (
            sa.select(attempts.c.peak_memory)
            .join(
                runs,
                sa.and_(runs.c.project == attempts.c.project, runs.c.id == attempts.c.run_id),
            )
            .where(
                self._database.mine(attempts),
                runs.c.notebook == notebook,
                attempts.c.status == Status.SUCCEEDED,
                attempts.c.peak_memory.is_not(None),
            )
            .order_by(attempts.c.started_at.desc())
            .limit(limit)
        )
        return [row.peak_memory for row in reversed(self._all(query))]

    def timings(self, notebook: str, limit: int) -> list[Timing]:
        """List what a notebook's latest runs that succeeded took, newest first."""
        query = (
            sa.select(runs.c.sweep_id, attempts.c.duration, attempts.c.cell_times)
            .join(
                runs,
                sa.and_(runs.c.project == attempts.c.project, runs.c.id == attempts.c.run_id),
            )
            .where(
                self._database.mine(attempts),
                runs.c.notebook == notebook,
                attempts.c.status == Status.SUCCEEDED,
                attempts.c.executor != SESSION,
                attempts.c.resumed_at.is_(None),
                attempts.c.duration.is_not(None),
            )
            .order_by(attempts.c.started_at.desc())
            .limit(limit)
        )
        return [
            Timing(row.sweep_id, row.duration, tuple(row.cell_times or ()))
            for row in self._all(query)
        ]

    def unsynced(self) -> list[Attempt]:
        """List the attempts that have ended and whose facts have not all reached the tracker."""
        query = (
            sa.select(attempts)
            .where(
                self._database.mine(attempts),
                attempts.c.synced.is_(False),
                attempts.c.status != Status.RUNNING,
            )
            .order_by(attempts.c.started_at)
        )
        return [reading.attempt(row) for row in self._all(query)]

    def waiting(self, *, running: bool, late: Collection[str] = ()) -> set[str]:
        """Return the runs of which the tracker lacks something.

        ``running`` says whether those under way count too, ``late`` ones of them in any case.
        """
        query = sa.select(attempts.c.run_id).where(self._lacking(running, late))
        return {row.run_id for row in self._all(query)}

    def waiting_values(self, *, running: bool) -> int:
        """Count the metric values of such runs that the tracker lacks."""
        query = sa.select(sa.func.sum(_MISSING)).where(self._lacking(running, ()))
        ((number,),) = self._all(query)
        return int(number or 0)

    def _lacking(self, running: bool, late: Collection[str]) -> sa.ColumnElement[bool]:
        counts = attempts.c.status != Status.RUNNING
        if running:
            is_late = attempts.c.mlflow_run_id.is_(None) | attempts.c.run_id.in_(late)
            counts |= is_late | (_MISSING > 0)
        return sa.and_(self._database.mine(attempts), attempts.c.synced.is_(False), counts)

    def unsynced_sweeps(self) -> list[Sweep]:
        """List the sweeps whose parent run has no final status in the tracker yet."""
        query = sa.select(sweeps).where(self._database.mine(sweeps), sweeps.c.synced.is_(False))
        return [reading.sweep(row) for row in self._all(query)]

    def series(self, attempt_id: str, key: str | None = None) -> list[MetricPoint]:
        """List an attempt's metric values by key and step."""
        query = sa.select(points).where(
            self._database.mine(points), points.c.attempt_id == attempt_id
        )
        if key is not None:
            query = query.where(points.c.key == key)
        query = query.order_by(points.c.key, points.c.step, points.c.id)
        return [reading.point(row) for row in self._all(query)]

    def logged(self, attempt_id: str) -> list[MetricPoint]:
        """List an attempt's metric values in the order in which they were logged."""
        query = (
            sa.select(points)
            .where(self._database.mine(points), points.c.attempt_id == attempt_id)
            .order_by(points.c.id)
        )
        return [reading.point(row) for row in self._all(query)]

    def events(self, after: int, limit: int) -> list[Event]:
        """List events with a higher number than ``after``, in order."""
        query = (
            sa.select(events)
            .where(self._database.mine(events), events.c.seq > after)
            .order_by(events.c.seq)
            .limit(limit)
        )
        return [reading.event(row) for row in self._all(query)]

    def last_seq(self) -> int:
        """Return the number of the last event; 0 if there is none."""
        query = sa.select(counters.c.seq).where(self._database.mine(counters))
        rows = self._all(query)
        return int(rows[0].seq) if rows else 0

    def totals(self) -> dict[Status, int]:
        """Count all runs that wait or run."""
        query = (
            sa.select(runs.c.status, sa.func.count().label("number"))
            .where(
                self._database.mine(runs),
                runs.c.status.in_([Status.QUEUED, Status.RUNNING]),
            )
            .group_by(runs.c.status)
        )
        return {Status(row.status): row.number for row in self._all(query)}

    def _all(self, query: sa.Select[tuple[object, ...]]) -> Sequence[reading.Row]:
        with self._database.transaction() as transaction:
            return transaction.connection.execute(query).all()


def _tally(rows: Sequence[reading.Row]) -> Tally:
    started = [row.started_at for row in rows if row.started_at is not None]
    finished = [row.finished_at for row in rows if row.finished_at is not None]
    done = [row for row in rows if row.duration is not None and Status(row.status).finished]
    number = sum(row.number for row in done)
    return Tally(
        counts={Status(row.status): row.number for row in rows},
        started_at=min(started, default=None),
        finished_at=max(finished, default=None),
        pruned=sum(row.pruned for row in rows if Status(row.status) is Status.CANCELLED),
        mean_duration=sum(row.duration * row.number for row in done) / number if number else None,
    )
