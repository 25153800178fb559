"""The worker, its events, and the projects that workers serve."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from .base import Moment, Request, View
from .schedules import UpcomingView


class HealthView(View):
    """Who answers."""

    version: str
    protocol: int
    pid: int
    python: str
    project: str
    started_at: Moment
    draining: bool


class ClusterLoad(View):
    """What this project holds of a cluster."""

    name: str
    cores_used: int
    cores: int


class StatusView(View):
    """One line of truth about the project."""

    queued: int
    running: int
    #: Cores held by this project's attempts, by every project of the user, and granted in all.
    cores_used: int
    cores_held: int
    cores: int
    #: What needs the user's attention, in one line.
    problem: str | None
    #: Runs whose facts have not reached the tracking server yet.
    unsynced: int
    #: The last event's number; ask for events after it.
    seq: int
    #: What is started next by a schedule.
    upcoming: UpcomingView | None = None
    #: Metric values that have not reached it yet.
    unsynced_values: int = 0
    #: The clusters on which something of this project runs.
    clusters: list[ClusterLoad] = msgspec.field(default_factory=list)


class Finding(View):
    """One thing that ``doctor`` looked at."""

    name: str
    ok: bool
    #: What is so, and what to do if it is not well.
    message: str


class EventsQuery(Request):
    """Events with a higher number than ``after``."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1_000


class EventView(View):
    """Something changed; fetch it by its id."""

    seq: int
    time: Moment
    kind: Literal["sweep", "run", "metrics", "model", "endpoint", "pipeline", "schedule", "worker"]
    sweep_id: str | None
    run_id: str | None
    status: str | None
    data: dict[str, Any]


class ProjectQuery(Request):
    """Which project: any file or folder in it, relative to the server's root."""

    path: Annotated[str, msgspec.Meta(max_length=4096)] = ""


class ProjectView(View):
    """A project. ``path`` is relative to the server's root, empty for the root itself."""

    id: str
    path: str
    name: str
    #: What made it a project: ``mlops.toml``, ``pyproject.toml``, ``.dvc``, ``.git`` or ``folder``.
    marker: str


class DrainRequest(Request):
    """Finish what runs, claim nothing more, then end."""

    #: End at once; running attempts become lost and are retried by the next worker.
    now: bool = False
