"""Tables. One database may hold many projects: every row names its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..core import values

#: Version of these tables; a newer database is refused, an older one migrated (`migrations`).
VERSION = 5


class Moment(sa.TypeDecorator[datetime]):
    """An aware datetime, kept as seconds since the epoch."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> float | None:
        """Store."""
        return None if value is None else value.timestamp()

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:
        """Load."""
        return None if value is None else datetime.fromtimestamp(value, UTC)


class Json(sa.TypeDecorator[Any]):
    """A JSON value in which NaN and infinity survive."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: sa.Dialect) -> str | None:
        """Store."""
        if value is None:
            return None
        return json.dumps(values.encode(value), allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> Any | None:
        """Load."""
        return None if value is None else values.decode(json.loads(value))


metadata = sa.MetaData()


def _project() -> sa.Column[str]:
    return sa.Column("project", sa.String(64), primary_key=True)


info = sa.Table("info", metadata, sa.Column("version", sa.Integer, primary_key=True))

counters = sa.Table(
    "counters",
    metadata,
    _project(),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    _project(),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("holder", Json, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)

sweeps = sa.Table(
    "sweeps",
    metadata,
    _project(),
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("notebook", sa.Text, nullable=False),
    sa.Column("notebook_hash", sa.String(64), nullable=False),
    sa.Column("space", Json, nullable=False),
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("experiment", sa.Text, nullable=False),
    sa.Column("metric", sa.Text),
    sa.Column("maximize", sa.Boolean, nullable=False),
    sa.Column("cpus", sa.Integer, nullable=False),
    sa.Column("memory", sa.BigInteger),
    sa.Column("gpus", sa.Integer, nullable=False),
    sa.Column("timeout", sa.Double),
    sa.Column("retries", sa.Integer, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("executor", sa.Text, nullable=False),
    sa.Column("kernel", sa.Text, nullable=False),
    sa.Column("kernel_argv", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("mlflow_run_id", sa.Text),
    sa.Column("search", Json),
    sa.Column("pruning", Json),
    sa.Column("context", Json, nullable=False),
    #: Whether the parent run's final status has reached the tracker.
    sa.Column("synced", sa.Boolean, nullable=False, default=True),
    sa.Column("cell_timeout", sa.Double),
    sa.Column("retry_on", Json, nullable=False, server_default='["any"]'),
    sa.Column("retry_delay", sa.Double, nullable=False, server_default="0"),
    #: The stage of a pipeline that it executes.
    sa.Column("stage", Json),
    sa.Index("sweeps_by_time", "project", "created_at"),
)

runs = sa.Table(
    "runs",
    metadata,
    _project(),
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("sweep_id", sa.String(32), nullable=False),
    sa.Column("index", sa.Integer, nullable=False),
    sa.Column("notebook", sa.Text, nullable=False),
    sa.Column("parameters", Json, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("error", sa.Text),
    sa.Column("metrics", Json, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lost", sa.Integer, nullable=False),
    #: Attempts since somebody last asked for a retry, which `retries` bounds.
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("cell", sa.Integer),
    sa.Column("cells", sa.Integer),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("duration", sa.Double),
    sa.Column("output", sa.Text),
    sa.Column("mlflow_run_id", sa.Text),
    sa.Column("experiment", sa.Text, nullable=False),
    #: Somebody asked to cancel it while it ran; outlives the worker that was told.
    sa.Column("cancel", sa.Boolean, nullable=False, default=False),
    #: When a queued run may be tried again, and for how many seconds it was put off: the time
    #: alone would be wrong after the machine's clock was set.
    sa.Column("not_before", Moment),
    sa.Column("delay", sa.Double),
    #: How a running attempt is being stopped.
    sa.Column("stopping", sa.String(16)),
    #: Where its next attempts go on, if not from the start.
    sa.Column("resume", Json),
    #: How its packages compare with the project's lock, and which of them differ.
    sa.Column("environment", sa.String(16)),
    sa.Column("differences", sa.Text),
    sa.Index("runs_of_sweep", "project", "sweep_id", "index"),
    sa.Index("runs_by_status", "project", "status", "sweep_id", "not_before", "index"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _project(),
    sa.Column("id", sa.String(56), primary_key=True),
    sa.Column("run_id", sa.String(48), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("error", sa.Text),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("executor", sa.Text, nullable=False),
    sa.Column("processes", Json, nullable=False),
    sa.Column("start", sa.Text, nullable=False),
    sa.Column("mlflow_run_id", sa.Text),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("duration", sa.Double),
    sa.Column("failed_cell", sa.Integer),
    #: Number of the last metric point that has reached the tracker, and whether all else has.
    sa.Column("synced_point", sa.BigInteger, nullable=False, default=0),
    sa.Column("synced", sa.Boolean, nullable=False, default=False),
    #: Seconds that each code cell took, in order.
    sa.Column("cell_times", Json),
    #: The notebook that it executed, if not the one that was submitted.
    sa.Column("notebook_hash", sa.String(64)),
    sa.Column("resumed_at", sa.Integer),
    #: Most bytes of memory and seconds of CPU time that it used.
    sa.Column("peak_memory", sa.BigInteger),
    sa.Column("cpu_time", sa.Double),
    sa.Column("node", sa.Text),
    sa.Index("attempts_of_run", "project", "run_id", "number"),
    sa.Index("attempts_by_status", "project", "status"),
    sa.Index("attempts_unsynced", "project", "synced"),
)

points = sa.Table(
    "points",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True
    ),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("attempt_id", sa.String(56), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    #: NULL stands for NaN, which SQLite cannot keep.
    sa.Column("value", sa.Double),
    sa.Column("time", sa.Double, nullable=False),
    #: The cell that logged it.
    sa.Column("cell", sa.Integer),
    sa.Index("points_of_attempt", "project", "attempt_id", "key", "step"),
)

#: What could not be kept of an attempt as it is, in one line each.
notes = sa.Table(
    "notes",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True
    ),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("attempt_id", sa.String(56), nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Index("notes_of_attempt", "project", "attempt_id"),
)

#: Tags that client code gave to runs that have ended, for searches.
run_tags = sa.Table(
    "run_tags",
    metadata,
    _project(),
    sa.Column("run_id", sa.String(48), primary_key=True),
    sa.Column("tags", Json, nullable=False),
)

#: Attempts that are to be sent to other trackers, and what became of that.
mirrored = sa.Table(
    "mirrored",
    metadata,
    _project(),
    sa.Column("tracker", sa.String(64), primary_key=True),
    sa.Column("attempt_id", sa.String(56), primary_key=True),
    sa.Column("sent", sa.Boolean, nullable=False),
    #: How often it was tried, and what went wrong the last time.
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text),
    sa.Index("mirrored_by_state", "project", "tracker", "sent"),
)

events = sa.Table(
    "events",
    metadata,
    _project(),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("sweep_id", sa.String(32)),
    sa.Column("run_id", sa.String(48)),
    sa.Column("status", sa.String(16)),
    sa.Column("data", Json, nullable=False),
)

pipelines = sa.Table(
    "pipelines",
    metadata,
    _project(),
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("targets", Json, nullable=False),
    sa.Column("options", Json, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("duration", sa.Double),
    sa.Index("pipelines_by_time", "project", "created_at"),
)

stages = sa.Table(
    "stages",
    metadata,
    _project(),
    sa.Column("pipeline_id", sa.String(32), primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("causes", Json, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("run_id", sa.String(48)),
    sa.Column("cached", sa.Boolean, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("duration", sa.Double),
    sa.Index("stages_by_name", "project", "stage", "finished_at"),
)

schedules = sa.Table(
    "schedules",
    metadata,
    _project(),
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("missed", sa.String(16), nullable=False),
    sa.Column("overlap", sa.String(16), nullable=False),
    sa.Column("action", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("decided_until", Moment, nullable=False),
)

triggers = sa.Table(
    "triggers",
    metadata,
    _project(),
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("ending", sa.String(16)),
    sa.Column("accept", Json, nullable=False),
    sa.Column("action", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("state", Json),
    #: Counts the changes of the state, so that each is decided on once.
    sa.Column("turn", sa.BigInteger, nullable=False),
)

fires = sa.Table(
    "fires",
    metadata,
    _project(),
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("origin", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("due", Moment, nullable=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("chain", Json, nullable=False),
    sa.Column("parameters", Json, nullable=False),
    sa.Column("kind", sa.String(16)),
    sa.Column("started", sa.String(32)),
    sa.Index("fires_by_origin", "project", "origin", "time"),
    sa.Index("fires_by_state", "project", "state"),
    sa.Index("fires_by_start", "project", "started"),
)

endpoints = sa.Table(
    "endpoints",
    metadata,
    _project(),
    sa.Column("name", sa.String(250), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("alias", sa.Text),
    sa.Column("previous", sa.Integer),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", sa.Text),
    #: The process, and the socket by which it is reached.
    sa.Column("scorer", Json),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("failures", sa.BigInteger, nullable=False),
    sa.Column("restarts", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("monitoring", Json, nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
)
