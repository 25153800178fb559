"""What clients and the worker say to each other: requests and the views that answer them.

Times are ISO 8601 in UTC, durations seconds, sizes bytes. Paths are relative to the project, with
forward slashes. Parameters and metrics are encoded by `jupyter_mlops.core.values`, so that NaN and
infinity survive JSON.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from ..core.runs import Reason, Status, SweepKind

#: Version of this vocabulary. A client and a worker that differ in it do not talk.
PROTOCOL = 1

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """A request body or query; unknown fields are refused."""


class View(msgspec.Struct):
    """An answer."""


class Empty(View):
    """Done; there is nothing to tell."""


class ErrorDetail(View):
    """What went wrong, for the user: one line, and the parameter or option it is about."""

    code: str
    message: str
    field: str | None = None


class ErrorView(View):
    """The one shape of every error."""

    error: ErrorDetail


# -- the worker -----------------------------------------------------------------------------------


class HealthView(View):
    """Who answers."""

    version: str
    protocol: int
    pid: int
    python: str
    project: str
    started_at: Moment
    draining: bool


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


class Finding(View):
    """One thing that ``doctor`` looked at."""

    name: str
    ok: bool
    #: What is so, and what to do if it is not well.
    message: str


# -- notebooks ------------------------------------------------------------------------------------


class NotebookQuery(Request):
    """Which notebook."""

    notebook: Path


class ParameterView(View):
    """A parameter that the notebook declares."""

    name: str
    kind: Literal["int", "float", "str", "bool", "choice", "list", "dict", "any"]
    annotation: str | None
    #: The default, encoded, and as one would write it in a space; None if it has none.
    default: Any
    default_text: str | None
    choices: list[Any] | None
    optional: bool
    help: str | None


class CandidateCell(View):
    """A cell that could be tagged as the parameters cell; ``cell`` counts from 0."""

    cell: int
    source: str


class ParametersView(View):
    """What "Run with parameters…" needs to know of a notebook."""

    notebook: str
    has_cell: bool
    #: False if the kernel's language cannot be read, so that names are not checked.
    readable: bool
    parameters: list[ParameterView]
    candidates: list[CandidateCell]
    kernel: str | None
    #: The space that was last submitted, and metric names seen in earlier runs.
    last_space: dict[str, str] | None
    last_metric: str | None
    last_maximize: bool | None
    metrics: list[str]
    #: Median duration of earlier runs in seconds; None if there are none.
    seconds_per_run: float | None
    cores: int
    experiment: str


# -- submitting -----------------------------------------------------------------------------------


class SpaceRequest(Request):
    """A parameter space of a notebook, to count or to run."""

    notebook: Path
    #: Parameter name to text in the space language.
    space: dict[str, str] = {}
    #: Parameter name to encoded values (from Python); takes the place of ``space``.
    values: dict[str, list[Any]] | None = None
    #: Explicit points with encoded values; takes the place of both.
    points: list[dict[str, Any]] | None = None
    #: Text of a CSV, JSON or JSON-lines file of points, and its suffix such as ``.csv``.
    file_text: str | None = None
    file_suffix: str | None = None
    mode: Literal["grid", "zip", "random"] = "grid"
    samples: Count | None = None
    seed: int | None = None
    #: Permits names that the parameters cell does not declare.
    allow_undeclared: bool = False


class SubmitRequest(SpaceRequest):
    """Run a notebook over a parameter space."""

    kind: SweepKind = SweepKind.SWEEP
    metric: Name | None = None
    #: Direction of the metric; None means: by its name (loss, error… are minimised).
    maximize: bool | None = None
    experiment: Name | None = None
    cpus: Count | None = None
    memory: Count | None = None
    gpus: Annotated[int, msgspec.Meta(ge=0)] = 0
    timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    priority: int = 0
    executor: Name | None = None
    kernel: Name | None = None
    #: Variables for the kernels; kept in memory, never stored.
    environment: dict[str, str] | None = None
    #: The attempt from within which this is submitted, if any.
    parent_attempt: str | None = None


class PreviewView(View):
    """How many runs a space makes, or what is wrong with each parameter."""

    count: int | None
    #: Parameter name to message; the empty name is about the space as a whole.
    errors: dict[str, str]
    seconds: float | None


# -- sweeps and runs ------------------------------------------------------------------------------


class Counts(View):
    """Number of runs in each state."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0


class BestView(View):
    """The best run of a sweep by its metric."""

    run_id: str
    value: Any
    parameters: dict[str, Any]


class SweepView(View):
    """A sweep and how far it is."""

    id: str
    kind: SweepKind
    notebook: str
    space: dict[str, str]
    mode: str
    total: int
    counts: Counts
    status: Status
    metric: str | None
    maximize: bool
    best: BestView | None
    experiment: str
    executor: str
    cpus: int
    priority: int
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    #: Seconds since the first run began, until the last one ended.
    duration: float | None
    #: Estimated seconds until the end; None while unknown or when finished.
    remaining: float | None
    mlflow_run_id: str | None
    #: Whether the notebook's content differs from what was submitted.
    source_changed: bool


class AttemptView(View):
    """One try at executing a run."""

    id: str
    number: int
    status: Status
    reason: Reason | None
    error: str | None
    executor: str
    start: str
    mlflow_run_id: str | None
    started_at: Moment
    finished_at: Moment | None
    duration: float | None
    failed_cell: int | None


class RunView(View):
    """A run and how far it is. Values of secret parameters are masked."""

    id: str
    sweep_id: str
    kind: SweepKind
    index: int
    notebook: str
    parameters: dict[str, Any]
    status: Status
    reason: Reason | None
    error: str | None
    metrics: dict[str, Any]
    #: The sweep's metric, the value it has here, and its direction.
    metric: str | None
    value: Any
    maximize: bool
    attempts: int
    cell: int | None
    cells: int | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration: float | None
    output: str | None
    experiment: str
    mlflow_run_id: str | None


class RunDetail(View):
    """Everything that is known about a run."""

    run: RunView
    attempts: list[AttemptView]
    sweep: SweepView
    notebook_hash: str
    context: dict[str, Any]


class MetricSeries(View):
    """The values of one metric of one run, by step."""

    run_id: str
    key: str
    steps: list[int]
    values: list[Any]
    #: Seconds since the epoch.
    times: list[float]


class ListQuery(Request):
    """Which part of a list; no limit means all."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class RunsQuery(ListQuery):
    """Which runs, newest sweep first, in a sweep's own order."""

    sweep: str | None = None
    status: Status | None = None


class MetricsQuery(Request):
    """Which metrics; none named means all."""

    key: str | None = None


# -- sessions: interactive work -------------------------------------------------------------------


class SessionRequest(Request):
    """Open a run for interactive work."""

    #: The process whose end closes the session.
    pid: int
    pid_started: float
    notebook: Path | None = None
    experiment: Name | None = None
    parameters: dict[str, Any] = {}


class SessionView(View):
    """An open session: its run, and the variables that point mlflow at it."""

    run: RunView
    environment: dict[str, str]


class Point(Request):
    """One value of one metric; ``time`` is seconds since the epoch, ``value`` encoded."""

    key: str
    value: Any
    step: int
    time: float


class LogRequest(Request):
    """Metrics of a session, and parameters to add to it."""

    points: list[Point] = []
    parameters: dict[str, Any] = {}


class FinishRequest(Request):
    """Close a session."""

    error: str | None = None


# -- models ---------------------------------------------------------------------------------------


class ModelVersionView(View):
    """One version of a registered model."""

    name: str
    version: int
    aliases: list[str]
    description: str
    tags: dict[str, str]
    created_at: Moment
    run_id: str | None
    mlflow_run_id: str | None
    metrics: dict[str, Any]
    parameters: dict[str, str]


class RegisterRequest(Request):
    """Register the model of a run, or of the best run of a sweep."""

    run: str | None = None
    sweep: str | None = None
    alias: Name | None = None
    tags: dict[str, str] = {}


class AliasRequest(Request):
    """Point an alias at a version."""

    version: Count


# -- events and projects --------------------------------------------------------------------------


class EventsQuery(Request):
    """Events with a higher number than ``after``."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1_000


class EventView(View):
    """Something changed; fetch it by its id."""

    seq: int
    time: Moment
    kind: Literal["sweep", "run", "metrics", "model", "worker"]
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
