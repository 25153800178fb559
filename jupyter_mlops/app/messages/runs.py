"""Sweeps, runs and attempts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ...core.runs import Environment, Reason, Status, SweepKind
from ...core.search import PruningRule, Sampler
from .base import Moment, Request, View


class Counts(View):
    """Number of runs in each state."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    #: Those of the cancelled ones that were stopped since others did better.
    pruned: int = 0


class BestView(View):
    """The best run of a sweep by its metric."""

    run_id: str
    value: Any
    parameters: dict[str, Any]


class SearchView(View):
    """Who chooses the points of a sweep, and how many it may ask for."""

    sampler: Sampler
    seed: int
    trials: int
    #: Whether the space has no more points than that, so that all are tried.
    exhaustive: bool


class PruningView(View):
    """What stops the runs of a sweep that lag behind; see the request's fields."""

    rule: PruningRule
    steps: int | None
    factor: int


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
    #: None: all points were given.
    search: SearchView | None = None
    #: None: no run is stopped early.
    pruning: PruningView | None = None
    #: Bytes and devices that each run asked for; None means unspecified.
    memory: int | None = None
    gpus: int = 0


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
    #: Seconds that each code cell took that ended, in order; None if unknown.
    cell_times: list[float] | None = None
    #: The first cell that it executed anew, after those whose outputs were kept; None: all.
    resumed_at: int | None = None
    #: sha256 of the notebook that it executed, if not the one that was submitted.
    notebook_hash: str | None = None
    #: Most bytes of memory that its kernel and all its processes used together, shared pages
    #: counted once, and their seconds of CPU time; None if unknown.
    peak_memory: int | None = None
    cpu_time: float | None = None
    #: Where its executor had it run, as people call it; None for this machine.
    node: str | None = None
    #: What could not be kept as it is, such as a parameter that MLflow cuts, in one line each.
    notes: list[str] = msgspec.field(default_factory=list)


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
    #: Seconds since its attempt began and estimated ones that are left, while it runs.
    elapsed: float | None = None
    remaining: float | None = None
    #: When it is tried again, while it is queued after a failure.
    not_before: Moment | None = None
    #: How its attempt is being stopped.
    stopping: Literal["interrupt", "terminate", "kill"] | None = None
    #: The stage that it executes and that stage's pipeline run; None if it is none's.
    stage: str | None = None
    pipeline_id: str | None = None
    #: Whether something of it waits here until the tracking server answers.
    unsynced: bool = False
    #: How its last attempt's packages compare with the project's lock; None where there is none,
    #: and until the attempt has ended.
    environment: Environment | None = None
    #: The lock and the packages that are others, in one line.
    differences: str | None = None


class RunDetail(View):
    """Everything that is known about a run."""

    run: RunView
    attempts: list[AttemptView]
    sweep: SweepView
    notebook_hash: str
    context: dict[str, Any]


class ResumptionView(View):
    """What retrying a run from its failed cell would execute again."""

    run_id: str
    notebook: str
    #: The failed code cell, from 1: those before it are executed again, their outputs stay.
    cell: int
    #: Seconds that those took; None if unknown.
    seconds: float | None
    #: Whether the notebook has changed since, from the failed cell on.
    changed: bool


class ResumeRequest(Request):
    """Retry a run from its failed cell."""

    #: The user agrees that earlier cells are executed again.
    agreed: bool = False


class TailView(View):
    """What a run is doing right now; of one that is not running only its status."""

    run_id: str
    status: Status
    #: The code cell that is executed, from 1, and the number of code cells.
    cell: int | None = None
    cells: int | None = None
    #: The last lines that the cell printed, secrets masked.
    text: str = ""
    #: Seconds since the attempt and the cell began; the latter is None between two cells.
    elapsed: float | None = None
    cell_elapsed: float | None = None
    #: Seconds that each code cell took that has ended, in order.
    cell_times: list[float] = msgspec.field(default_factory=list)


class NotebookFile(View):
    """An output notebook's path, and whether its run has finished."""

    path: str
    finished: bool


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
