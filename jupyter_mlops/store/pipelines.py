"""Pipeline runs and what they did with each stage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from ..core.exceptions import NotFound
from ..core.pipelines import Cause, CauseKind, PipelineRun, StageRun, StageState
from ..core.runs import Status
from .base import Database, Transaction
from .schema import pipelines, stages


class PipelineLog:
    """A project's pipeline runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- writing -----------------------------------------------------------------------------------

    def add(self, run: PipelineRun) -> None:
        """Record a request."""
        with self._database.transaction() as transaction:
            row = {**asdict(run), "project": self._database.project}
            transaction.connection.execute(pipelines.insert().values(row))
            self._tell(transaction, run.id, run.status, {})

    def begin(self, pipeline_id: str, planned: Sequence[StageRun]) -> None:
        """Record that a pipeline run has begun, and what it looks at."""
        now = datetime.now(UTC)
        with self._database.transaction() as transaction:
            self._change(
                transaction,
                pipeline_id,
                {"status": Status.RUNNING, "started_at": now, "total": len(planned)},
            )
            self._replace(transaction, planned)
            self._tell(transaction, pipeline_id, Status.RUNNING, _states(planned))

    def write(self, pipeline_id: str, changed: Sequence[StageRun]) -> None:
        """Record where stages stand now."""
        with self._database.transaction() as transaction:
            self._replace(transaction, changed)
            self._tell(transaction, pipeline_id, Status.RUNNING, _states(changed))

    def note_wait(self, pipeline_id: str, waits_for: str) -> None:
        """Tell what a pipeline run waits for; nothing is kept of it."""
        with self._database.transaction() as transaction:
            data = {"pipeline": pipeline_id, "waits_for": waits_for}
            transaction.emit("pipeline", status=Status.RUNNING, data=data)

    def finish(
        self, pipeline_id: str, status: Status, *, error: str | None, duration: float
    ) -> None:
        """Record how a pipeline run has ended."""
        with self._database.transaction() as transaction:
            self._change(
                transaction,
                pipeline_id,
                {
                    "status": status,
                    "error": error,
                    "duration": duration,
                    "finished_at": datetime.now(UTC),
                },
            )
            self._tell(transaction, pipeline_id, status, {})

    def forget(self, before: datetime) -> None:
        """Remove the pipeline runs that ended before a time."""
        with self._database.transaction() as transaction:
            old = sa.and_(self._database.mine(pipelines), pipelines.c.finished_at < before)
            ids = sa.select(pipelines.c.id).where(old)
            transaction.connection.execute(
                stages.delete().where(self._database.mine(stages), stages.c.pipeline_id.in_(ids))
            )
            transaction.connection.execute(pipelines.delete().where(old))

    # -- reading -----------------------------------------------------------------------------------

    def get(self, pipeline_id: str) -> PipelineRun:
        """Return a pipeline run. Raises `NotFound`."""
        where = sa.and_(self._database.mine(pipelines), pipelines.c.id == pipeline_id)
        with self._database.engine.connect() as connection:
            row = connection.execute(sa.select(pipelines).where(where)).mappings().first()
        if row is None:
            raise NotFound(f"There is no pipeline run {pipeline_id}.")
        return _run(row)

    def runs(self, limit: int | None = None, offset: int = 0) -> list[PipelineRun]:
        """Return pipeline runs, newest first."""
        query = (
            sa.select(pipelines)
            .where(self._database.mine(pipelines))
            .order_by(pipelines.c.created_at.desc(), pipelines.c.id)
            .limit(limit)
            .offset(offset)
        )
        with self._database.engine.connect() as connection:
            return [_run(row) for row in connection.execute(query).mappings()]

    def unfinished(self) -> list[PipelineRun]:
        """Return the pipeline runs that wait or run, oldest first."""
        open_ones = pipelines.c.status.in_([Status.QUEUED, Status.RUNNING])
        query = (
            sa.select(pipelines)
            .where(self._database.mine(pipelines), open_ones)
            .order_by(pipelines.c.created_at)
        )
        with self._database.engine.connect() as connection:
            return [_run(row) for row in connection.execute(query).mappings()]

    def stages(self, pipeline_id: str) -> list[StageRun]:
        """Return what a pipeline run did with each stage."""
        query = sa.select(stages).where(
            self._database.mine(stages), stages.c.pipeline_id == pipeline_id
        )
        with self._database.engine.connect() as connection:
            return [_stage(row) for row in connection.execute(query).mappings()]

    def last(self) -> dict[str, StageRun]:
        """Return the last thing that happened to each stage which was not passed over."""
        number = (
            sa.func.row_number()
            .over(partition_by=stages.c.stage, order_by=stages.c.finished_at.desc())
            .label("number")
        )
        ended = (
            sa.select(stages, number)
            .where(self._database.mine(stages), stages.c.finished_at.is_not(None))
            .subquery()
        )
        query = sa.select(ended).where(ended.c.number == 1)
        with self._database.engine.connect() as connection:
            rows = connection.execute(query).mappings()
            return {row["stage"]: _stage(row) for row in rows}

    # -- what they are made of ---------------------------------------------------------------------

    def _change(self, transaction: Transaction, pipeline_id: str, values: dict[str, Any]) -> None:
        transaction.connection.execute(
            pipelines.update()
            .where(self._database.mine(pipelines), pipelines.c.id == pipeline_id)
            .values(values)
        )

    def _replace(self, transaction: Transaction, changed: Sequence[StageRun]) -> None:
        if not changed:
            return
        project = self._database.project
        transaction.connection.execute(
            stages.delete().where(
                stages.c.project == sa.bindparam("by_project"),
                stages.c.pipeline_id == sa.bindparam("by_pipeline"),
                stages.c.stage == sa.bindparam("by_stage"),
            ),
            [
                {
                    "by_project": project,
                    "by_pipeline": each.pipeline_id,
                    "by_stage": each.stage,
                }
                for each in changed
            ],
        )
        transaction.connection.execute(
            stages.insert(), [{**asdict(each), "project": project} for each in changed]
        )

    def _tell(
        self, transaction: Transaction, pipeline_id: str, status: Status, states: dict[str, str]
    ) -> None:
        data: dict[str, Any] = {"pipeline": pipeline_id}
        if states:
            data["stages"] = states
        transaction.emit("pipeline", status=status, data=data)


def _states(changed: Iterable[StageRun]) -> dict[str, str]:
    return {each.stage: str(each.state) for each in changed}


def _run(row: RowMapping) -> PipelineRun:
    values = {name: value for name, value in row.items() if name != "project"}
    values["status"] = Status(values["status"])
    values["targets"] = tuple(values["targets"])
    return PipelineRun(**values)


def _stage(row: RowMapping) -> StageRun:
    values = {name: value for name, value in row.items() if name not in ("project", "number")}
    values["state"] = StageState(values["state"])
    values["causes"] = tuple(
        Cause(kind=CauseKind(each["kind"]), what=each["what"], change=each["change"])
        for each in values["causes"]
    )
    return StageRun(**values)
