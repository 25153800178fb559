"""The queue: runs wait, are claimed, cancelled, tried again and deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from ..core.exceptions import Conflict
from ..core.runs import Attempt, Reason, Resume, Run, Status, Sweep, attempt_id, run_id
from .base import Database, Transaction
from .resuming import carry_over
from .schema import attempts, mirrored, notes, points, run_tags, runs, sweeps
from .turns import TurnTaking

_BATCH = 500

#: The executor of a run's sweep.
_EXECUTOR = (
    sa.select(sweeps.c.executor)
    .where(sweeps.c.project == runs.c.project, sweeps.c.id == runs.c.sweep_id)
    .scalar_subquery()
    .label("executor")
)


class Queue:
    """Runs from submission to claim, and what people ask of them meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = TurnTaking(database)

    def submit(self, sweep: Sweep, parameters: Iterable[dict[str, Any]]) -> None:
        """Add a sweep and its runs, all or none."""
        common = {
            "project": self._database.project,
            "sweep_id": sweep.id,
            "notebook": sweep.notebook,
            "status": Status.QUEUED,
            "metrics": {},
            "attempts": 0,
            "lost": 0,
            "priority": sweep.priority,
            "created_at": sweep.created_at,
            "experiment": sweep.experiment,
        }
        rows = (
            {**common, "id": run_id(sweep.id, index), "index": index, "parameters": each}
            for index, each in enumerate(parameters, start=1)
        )
        record = asdict(sweep) | {
            "project": self._database.project,
            "search": sweep.search and sweep.search.pack(),
            "pruning": sweep.pruning and sweep.pruning.pack(),
        }
        with self._database.transaction() as transaction:
            transaction.connection.execute(sweeps.insert().values(record))
            while batch := list(islice(rows, _BATCH)):
                transaction.connection.execute(runs.insert(), batch)
            transaction.emit("sweep", sweep_id=sweep.id, status=Status.QUEUED)

    def peek(
        self,
        running: Mapping[str, int] | None = None,
        *,
        skip: Collection[str] = (),
        executors: Collection[str] | None = None,
    ) -> tuple[Sweep, Run] | None:
        """Return the run whose turn it is, in sweeps that are not to be skipped.

        With ``executors`` only sweeps of these count.

        By priority, then the sweep with the fewest ``running`` attempts, then by age. Within a
        sweep by place, those that are tried again after those that were not tried.
        """
        return self._turns.first(running or {}, skip, executors)

    def executors(self) -> set[str]:
        """Return the executors of the queued runs."""
        queued = self._database.mine(runs), runs.c.status == Status.QUEUED
        with self._database.transaction() as transaction:
            found = transaction.connection.scalars(sa.select(_EXECUTOR).where(*queued).distinct())
            return set(found)

    def waiting(self, executor: str, most: int = 1_000) -> int:
        """Count the queued runs of an executor, up to a number."""
        queued = self._database.mine(runs), runs.c.status == Status.QUEUED
        some = sa.select(runs.c.id).where(*queued, _EXECUTOR.in_([executor])).limit(most).subquery()
        with self._database.transaction() as transaction:
            return transaction.connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0

    def claim(
        self,
        run: str,
        *,
        worker: str,
        fence: int,
        parameters: dict[str, Any] | None = None,
        node: str | None = None,
    ) -> Attempt | None:
        """Begin an attempt at a queued run; None if it is not queued, or waits for its retry.

        ``parameters`` are those of a run whose point has just been chosen, ``node`` is where it
        will run, if not here.
        """
        now = datetime.now(UTC)
        chosen = {} if parameters is None else {"parameters": parameters}
        with self._database.transaction() as transaction:
            row = transaction.connection.execute(
                self._update(runs.c.id == run, runs.c.status == Status.QUEUED, self._due())
                .values(
                    status=Status.RUNNING,
                    reason=None,
                    error=None,
                    metrics={},
                    attempts=runs.c.attempts + 1,
                    tries=runs.c.tries + 1,
                    cell=None,
                    cells=None,
                    started_at=now,
                    finished_at=None,
                    duration=None,
                    cancel=False,
                    not_before=None,
                    delay=None,
                    stopping=None,
                    **chosen,
                )
                .returning(runs.c.attempts, runs.c.sweep_id, runs.c.resume, _EXECUTOR)
            ).one_or_none()
            if row is None:
                return None
            resume = Resume(**row.resume) if row.resume else None
            attempt = Attempt(
                id=attempt_id(run, row.attempts),
                run_id=run,
                number=row.attempts,
                status=Status.RUNNING,
                reason=None,
                error=None,
                worker=worker,
                fence=fence,
                executor=row.executor,
                processes=(),
                start="",
                mlflow_run_id=None,
                started_at=now,
                finished_at=None,
                duration=None,
                failed_cell=None,
                notebook_hash=None if resume is None else resume.notebook_hash,
                resumed_at=None if resume is None else resume.cell,
                node=node,
            )
            transaction.connection.execute(
                attempts.insert().values(project=self._database.project, **asdict(attempt))
            )
            if resume is not None:
                kept = carry_over(transaction, self._database.project, resume, attempt.id)
                transaction.connection.execute(self._update(runs.c.id == run).values(metrics=kept))
            transaction.emit("run", sweep_id=row.sweep_id, run_id=run, status=Status.RUNNING)
            return attempt

    def pause(self) -> float | None:
        """Return the seconds until the next retry is due; None if no run waits for one."""
        query = sa.select(sa.func.min(runs.c.not_before)).where(
            self._database.mine(runs), runs.c.status == Status.QUEUED
        )
        with self._database.transaction() as transaction:
            due: datetime | None = transaction.connection.scalar(query)
        if due is None:
            return None
        return max(0.0, (due - self._database.clock.now()).total_seconds())

    def settle(self) -> None:
        """Bring retries nearer that a change of the machine's clock put off.

        None waits longer, from now on, than it was told to wait when it failed.
        """
        now = self._database.clock.now()
        with self._database.transaction() as transaction:
            for row in transaction.connection.execute(
                sa.select(runs.c.id, runs.c.not_before, runs.c.delay).where(
                    self._database.mine(runs),
                    runs.c.status == Status.QUEUED,
                    runs.c.not_before.is_not(None),
                )
            ).all():
                latest = now + timedelta(seconds=row.delay)
                if row.not_before > latest:
                    transaction.connection.execute(
                        self._update(runs.c.id == row.id).values(not_before=latest)
                    )

    def cancel(self, condition: sa.ColumnElement[bool]) -> list[str]:
        """Cancel the queued runs that meet a condition, and mark the running ones.

        Returns the ids of the running ones, whose attempts the caller stops.
        """
        with self._database.transaction() as transaction:
            for row in transaction.connection.execute(
                self._update(condition, runs.c.status == Status.QUEUED)
                .values(status=Status.CANCELLED, reason=Reason.USER, finished_at=datetime.now(UTC))
                .returning(runs.c.id, runs.c.sweep_id)
            ).all():
                transaction.emit(
                    "run", sweep_id=row.sweep_id, run_id=row.id, status=Status.CANCELLED
                )
            running = transaction.connection.execute(
                self._update(condition, runs.c.status == Status.RUNNING)
                .values(cancel=True)
                .returning(runs.c.id)
            )
            return [row.id for row in running]

    def give_up(self, condition: sa.ColumnElement[bool], error: str) -> None:
        """Let the queued runs that meet a condition fail, since they cannot be begun."""
        ended = {"reason": Reason.INTERNAL, "error": error, "finished_at": datetime.now(UTC)}
        with self._database.transaction() as transaction:
            for row in transaction.connection.execute(
                self._update(condition, runs.c.status == Status.QUEUED)
                .values(status=Status.FAILED, **ended)
                .returning(runs.c.id, runs.c.sweep_id)
            ).all():
                transaction.emit("run", sweep_id=row.sweep_id, run_id=row.id, status=Status.FAILED)

    def retry(self, condition: sa.ColumnElement[bool]) -> int:
        """Queue the failed and cancelled runs that meet a condition; return how many.

        Those that wait for a retry wait no longer.
        """
        ended = runs.c.status.in_([Status.FAILED, Status.CANCELLED])
        waits = sa.and_(runs.c.status == Status.QUEUED, runs.c.not_before.is_not(None))
        with self._database.transaction() as transaction:
            rows = transaction.connection.execute(
                self._update(condition, ended | waits)
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
                    resume=None,
                )
                .returning(runs.c.id, runs.c.sweep_id)
            ).all()
            for row in rows:
                transaction.emit("run", sweep_id=row.sweep_id, run_id=row.id, status=Status.QUEUED)
            return len(rows)

    def delete(self, condition: sa.ColumnElement[bool]) -> None:
        """Forget runs with their attempts and metrics, and sweeps that have no runs left.

        Raises `Conflict` if one of them still runs or waits.
        """
        with self._database.transaction() as transaction:
            rows = transaction.connection.execute(
                sa.select(runs.c.id, runs.c.sweep_id, runs.c.status).where(
                    self._database.mine(runs), condition
                )
            ).all()
            if any(not Status(row.status).finished for row in rows):
                raise Conflict("It has not finished yet. Cancel it first, then delete it.")
            self._forget(transaction, [row.id for row in rows])
            for sweep in sorted({row.sweep_id for row in rows}):
                left = transaction.connection.scalar(
                    sa.select(sa.func.count()).where(
                        self._database.mine(runs), runs.c.sweep_id == sweep
                    )
                )
                change = sweeps.delete() if not left else sweeps.update().values(total=left)
                transaction.connection.execute(
                    change.where(self._database.mine(sweeps), sweeps.c.id == sweep)
                )
                transaction.emit("sweep", sweep_id=sweep, data={"deleted": not left})

    def _forget(self, transaction: Transaction, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _BATCH):
            chosen = ids[start : start + _BATCH]
            tried = sa.select(attempts.c.id).where(
                self._database.mine(attempts), attempts.c.run_id.in_(chosen)
            )
            for table in (points, notes, mirrored):
                transaction.connection.execute(
                    table.delete().where(self._database.mine(table), table.c.attempt_id.in_(tried))
                )
            for column in (run_tags.c.run_id, attempts.c.run_id, runs.c.id):
                table = column.table
                transaction.connection.execute(
                    table.delete().where(self._database.mine(table), column.in_(chosen))
                )

    def _due(self) -> sa.ColumnElement[bool]:
        """The condition of not waiting for a retry that is to come later."""
        now = self._database.clock.now()
        return runs.c.not_before.is_(None) | (runs.c.not_before <= now)

    def _update(self, *conditions: sa.ColumnElement[bool]) -> sa.Update:
        return runs.update().where(self._database.mine(runs), *conditions)


def of_run(run: str) -> sa.ColumnElement[bool]:
    """The condition of being one run."""
    return runs.c.id == run


def unpruned(sweep: str) -> sa.ColumnElement[bool]:
    """The condition of belonging to a sweep and not having been pruned."""
    return of_sweep(sweep) & runs.c.reason.is_distinct_from(Reason.PRUNED)


def of_runs(ids: Sequence[str]) -> sa.ColumnElement[bool]:
    """The condition of being one of a few hundred runs."""
    return runs.c.id.in_(ids)


def of_stages() -> sa.ColumnElement[bool]:
    """The condition of executing a stage of a pipeline."""
    made = sa.select(sweeps.c.id).where(
        sweeps.c.project == runs.c.project, sweeps.c.stage.is_not(None)
    )
    return runs.c.sweep_id.in_(made)


def of_sweep(sweep: str) -> sa.ColumnElement[bool]:
    """The condition of belonging to a sweep."""
    return runs.c.sweep_id == sweep
