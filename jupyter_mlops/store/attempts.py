"""What becomes of attempts: progress, metrics, the outcome.

A late writer is refused by the fence that its claim was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..core import retries
from ..core.exceptions import LeaseLost
from ..core.executors import Outcome
from ..core.runs import (
    MAX_NODES,
    SESSION,
    Attempt,
    MetricPoint,
    ProcessIdentity,
    Reason,
    Run,
    Status,
    Sweep,
)
from . import reading
from .base import Database, Transaction, changing
from .mirrored import add_mirrored
from .progress import ProgressLog, Step
from .schema import attempts, points, run_tags, runs, sweeps

_RUNNING = sa.select(attempts).where(
    attempts.c.project == sa.bindparam("project"),
    attempts.c.id == sa.bindparam("id"),
    attempts.c.fence == sa.bindparam("fence"),
    attempts.c.status == Status.RUNNING,
)
_RUN = sa.select(runs).where(
    runs.c.project == sa.bindparam("project"), runs.c.id == sa.bindparam("id")
)


class AttemptLog:
    """Writes what a worker learns of the attempts that it claimed."""

    def __init__(self, database: Database, mirrors: Sequence[str] = ()) -> None:
        """``mirrors`` are the trackers that get each run which has finished."""
        self._database = database
        self._mirrors = mirrors
        self._steps = ProgressLog(database)

    def progress(
        self,
        attempt: Attempt,
        *,
        process: ProcessIdentity | None = None,
        start: str | None = None,
        cells: int | None = None,
        cell: int | None = None,
        stopping: str | None = None,
        logged: Sequence[MetricPoint] = (),
    ) -> None:
        """Record that the kernel started, a cell began, metrics came, or it is being stopped.

        Raises `LeaseLost` if the attempt is no longer this worker's, or has an outcome already.
        """
        with self._database.transaction() as transaction:
            row = self._running(transaction, attempt)
            known = self._run(transaction, row.run_id).cell if logged and cell is None else cell
            processes = [ProcessIdentity(**each) for each in row.processes]
            step = Step(
                attempt,
                processes=(*processes, process) if process is not None else None,
                start=start,
                cells=cells,
                cell=cell,
                stopping=stopping,
                logged=[(known, each) for each in logged],
            )
            self._steps.add(transaction, step)

    def tracked(self, attempt: Attempt, mlflow_run_id: str) -> None:
        """Record the tracker's id of an attempt, and of its run if that had no later attempt."""
        with self._database.transaction() as transaction:
            self._set(transaction, attempt.id, mlflow_run_id=mlflow_run_id)
            transaction.connection.execute(
                self._runs(attempt.run_id)
                .where(runs.c.attempts == attempt.number)
                .values(mlflow_run_id=mlflow_run_id)
            )

    def prune(self, attempt: Attempt, line: str) -> None:
        """Record why an attempt is about to be stopped, for the case that we do not see its end."""
        with self._database.transaction() as transaction:
            self._running(transaction, attempt)
            self._set(transaction, attempt.id, reason=Reason.PRUNED, error=line)

    def finish(
        self,
        attempt: Attempt,
        outcome: Outcome,
        *,
        output: str | None,
        metrics: dict[str, float] | None = None,
        synced: bool,
        step: Step | None = None,
    ) -> Run:
        """Record the outcome, and whether the run is tried again. Returns the run.

        ``step`` is what was not written of its progress. Raises `LeaseLost` if the attempt is no
        longer this worker's, or has an outcome already.
        """
        now = datetime.now(UTC)
        with self._database.transaction() as transaction:
            self._running(transaction, attempt)
            if step is not None and not step.is_empty:
                self._steps.add(transaction, step)
            run = self._run(transaction, attempt.run_id)
            places = self._nodes_lost(transaction, attempt, run, outcome)
            if len(places) >= MAX_NODES:
                line = f"Each node that executed it went away, so it is given up: {places[0]}"
                outcome = replace(outcome, error=", ".join((line, *places[1:])) + ".")
            self._set(
                transaction,
                attempt.id,
                status=outcome.status,
                reason=outcome.reason,
                error=outcome.error,
                failed_cell=outcome.failed_cell,
                cell_times=outcome.cell_times or None,
                duration=outcome.duration,
                finished_at=now,
                synced=synced,
                peak_memory=outcome.peak_memory,
                cpu_time=outcome.cpu_time,
            )
            was_lost = outcome.reason is not None and outcome.reason.lost
            lost = run.lost + was_lost
            change: dict[str, Any] = {
                "reason": outcome.reason,
                "error": outcome.error,
                "duration": outcome.duration,
                "lost": lost,
                "metrics": {**run.metrics, **(metrics or {})},
                "output": output or run.output,
                "stopping": None,
                "environment": outcome.environment,
                "differences": outcome.differences,
            }
            data: dict[str, Any] = {}
            pause = self._pause(transaction, attempt, run, outcome, lost, len(places))
            if pause is None:
                change |= {"status": outcome.status, "finished_at": now}
                add_mirrored(transaction, self._database.project, attempt.id, self._mirrors)
            else:
                change |= {"status": Status.QUEUED, **self._put_off(pause)}
                data = {"retry_in": pause}
                if was_lost:
                    change["tries"] = runs.c.tries - 1
            row = transaction.connection.execute(
                self._runs(run.id).values(**change).returning(*runs.c)
            ).one()
            transaction.emit(
                "run", sweep_id=run.sweep_id, run_id=run.id, status=Status(row.status), data=data
            )
            return reading.run(row)

    def open_session(self, sweep: Sweep, run: Run, attempt: Attempt) -> None:
        """Record interactive work that has begun: its sweep, run and attempt at once."""
        project = self._database.project
        with self._database.transaction() as transaction:
            for table, record, extra in (
                (sweeps, sweep, {}),
                (runs, run, {"priority": 0}),
                (attempts, attempt, {}),
            ):
                transaction.connection.execute(
                    table.insert().values(project=project, **asdict(record), **extra)
                )
            transaction.emit("run", sweep_id=sweep.id, run_id=run.id, status=Status.RUNNING)

    def add_parameters(self, attempt: Attempt, parameters: dict[str, Any]) -> None:
        """Add parameters to a session's run."""
        with self._database.transaction() as transaction:
            row = self._running(transaction, attempt)
            run = self._run(transaction, row.run_id)
            transaction.connection.execute(
                self._runs(run.id).values(parameters={**run.parameters, **parameters})
            )
            transaction.emit("run", sweep_id=run.sweep_id, run_id=run.id, status=run.status)

    def set_tags(self, attempt: Attempt, tags: dict[str, str]) -> None:
        """Record the tags of the run, unless it had a later attempt."""
        mine = self._database.mine(run_tags), run_tags.c.run_id == attempt.run_id
        with self._database.transaction() as transaction:
            if self._run(transaction, attempt.run_id).attempts != attempt.number:
                return
            transaction.connection.execute(run_tags.delete().where(*mine))
            if tags:
                row = {"project": self._database.project, "run_id": attempt.run_id, "tags": tags}
                transaction.connection.execute(run_tags.insert().values(row))

    def add_metrics(self, attempt: Attempt, metrics: dict[str, float]) -> None:
        """Record metrics that the tracker told of late, unless the run had a later attempt."""
        with self._database.transaction() as transaction:
            run = self._run(transaction, attempt.run_id)
            new = {key: value for key, value in metrics.items() if key not in run.metrics}
            if not new or run.attempts != attempt.number:
                return
            transaction.connection.execute(
                self._runs(run.id).values(metrics={**run.metrics, **new})
            )
            transaction.emit(
                "metrics",
                sweep_id=run.sweep_id,
                run_id=run.id,
                status=run.status,
                data={"keys": sorted(new)},
            )

    def count_points(self, attempt: Attempt) -> int:
        """Return the number of metric points that an attempt itself has logged."""
        query = (
            sa.select(sa.func.count())
            .select_from(points)
            .where(self._database.mine(points), points.c.attempt_id == attempt.id)
        )
        if attempt.resumed_at is not None:  # the others were carried over
            query = query.where(points.c.cell >= attempt.resumed_at)
        with self._database.transaction() as transaction:
            return int(transaction.connection.scalar(query) or 0)

    def unsynced_points(self, attempt: Attempt, limit: int = 1000) -> tuple[list[MetricPoint], int]:
        """Return metric points that the tracker lacks, and the number to mark them by."""
        with self._database.transaction() as transaction:
            last = transaction.connection.scalar(
                sa.select(attempts.c.synced_point).where(
                    self._database.mine(attempts), attempts.c.id == attempt.id
                )
            )
            rows = transaction.connection.execute(
                sa.select(points)
                .where(
                    self._database.mine(points),
                    points.c.attempt_id == attempt.id,
                    points.c.id > (last or 0),
                )
                .order_by(points.c.id)
                .limit(limit)
            ).all()
        return [reading.point(row) for row in rows], rows[-1].id if rows else last or 0

    def mark_synced(
        self, attempt: Attempt, *, point: int | None = None, everything: bool = False
    ) -> None:
        """Record how much of an attempt has reached the tracker."""
        change: dict[str, Any] = {}
        if point is not None:
            change["synced_point"] = point
        if everything:
            change["synced"] = True
        with self._database.transaction() as transaction:
            self._set(transaction, attempt.id, **change)

    def sweep_tracked(
        self,
        sweep: str,
        mlflow_run_id: str | None = None,
        *,
        synced: bool,
        ended: Status | None = None,
    ) -> None:
        """Record the tracker's id of a sweep, whether its final status is there, and its end."""
        change: dict[str, Any] = {"synced": synced}
        if mlflow_run_id is not None:
            change["mlflow_run_id"] = mlflow_run_id
        with self._database.transaction() as transaction:
            transaction.connection.execute(
                sweeps.update()
                .where(self._database.mine(sweeps), sweeps.c.id == sweep)
                .values(**change)
            )
            if ended is not None:
                transaction.emit("sweep", sweep_id=sweep, status=ended)

    def adopt(self, attempt: Attempt, *, worker: str, fence: int) -> None:
        """Take over a session whose process outlived the worker that it was opened with."""
        with self._database.transaction() as transaction:
            self._set(transaction, attempt.id, worker=worker, fence=fence)

    def announce(self, kind: str) -> None:
        """Tell listeners of a change outside the store."""
        with self._database.transaction() as transaction:
            transaction.emit(kind)

    def _nodes_lost(
        self, transaction: Transaction, attempt: Attempt, run: Run, outcome: Outcome
    ) -> list[str]:
        """Return the nodes that went away under a run since somebody asked for it, if this did."""
        if outcome.reason is not Reason.NODE_LOST:
            return []
        mine = self._database.mine(attempts), attempts.c.run_id == run.id
        tries = sa.select(runs.c.tries + runs.c.lost).where(
            self._database.mine(runs), runs.c.id == run.id
        )
        earlier = sa.select(attempts.c.node).where(
            *mine,
            attempts.c.reason == Reason.NODE_LOST,
            attempts.c.number > run.attempts - tries.scalar_subquery(),
        )
        found = transaction.connection.scalars(earlier.order_by(attempts.c.number)).all()
        return [each or "a node" for each in (*found, attempt.node)]

    def _pause(
        self,
        transaction: Transaction,
        attempt: Attempt,
        run: Run,
        outcome: Outcome,
        lost: int,
        nodes: int,
    ) -> float | None:
        """Return the seconds until the run is tried again; None if it is not."""
        if outcome.status is not Status.FAILED or attempt.executor == SESSION:
            return None
        cancel, tries = transaction.connection.execute(
            sa.select(runs.c.cancel, runs.c.tries).where(
                self._database.mine(runs), runs.c.id == run.id
            )
        ).one()
        if cancel:
            return None
        row = transaction.connection.execute(
            sa.select(sweeps).where(self._database.mine(sweeps), sweeps.c.id == run.sweep_id)
        ).one()
        return retries.pause(
            reading.sweep(row), outcome.reason, tries=tries, lost=lost, nodes=nodes
        )

    def _put_off(self, pause: float) -> dict[str, Any]:
        if not pause:
            return {"not_before": None, "delay": None}
        due = self._database.clock.now() + timedelta(seconds=pause)
        return {"not_before": due, "delay": pause}

    def _running(self, transaction: Transaction, attempt: Attempt) -> reading.Row:
        bound = {"project": self._database.project, "id": attempt.id, "fence": attempt.fence}
        row = transaction.connection.execute(_RUNNING, bound).one_or_none()
        if row is None:
            raise LeaseLost(f"Attempt {attempt.id} belongs to another worker or has ended.")
        return row

    def _run(self, transaction: Transaction, run: str) -> Run:
        bound = {"project": self._database.project, "id": run}
        return reading.run(transaction.connection.execute(_RUN, bound).one())

    def _set(self, transaction: Transaction, attempt: str, **values: Any) -> None:
        transaction.connection.execute(*changing(attempts, self._database.project, attempt, values))

    def _runs(self, run: str) -> sa.Update:
        return runs.update().where(self._database.mine(runs), runs.c.id == run)
