"""Pipelines, their stages, and what each pipeline run did."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ...core.pipelines import CauseKind, StageState
from ...core.runs import Status
from .base import Moment, Path, Request, View


class CauseView(View):
    """Why a stage will run, or ran."""

    kind: CauseKind
    what: str
    change: str
    #: The same as a person reads it.
    text: str


class StageView(View):
    """A node of the pipeline."""

    #: Its address in DVC, as seen from the repository's root: ``train@a``, ``sub/dvc.yaml:train``.
    name: str
    #: What it is called in dvc.yaml if a foreach or matrix makes several of it; else None.
    group: str | None
    #: ``stage`` has a command; ``import`` is fetched by DVC; ``data`` is only tracked.
    kind: Literal["stage", "import", "data"]
    #: The file that declares it, relative to the project.
    file: str
    description: str | None
    #: Names of the stages that it depends on.
    upstream: list[str]
    state: StageState
    #: Why it will run, or why it ran; empty for a fresh one.
    causes: list[CauseView]
    #: One line: why it failed last.
    error: str | None
    #: The notebook that it executes on a warm kernel, relative to the project; else None.
    notebook: str | None
    #: The last run that executed that notebook.
    run_id: str | None
    #: Code cell that is executed and number of them, while it runs.
    cell: int | None
    cells: int | None
    #: Whether its outputs came from the run cache last time.
    cached: bool
    started_at: Moment | None
    finished_at: Moment | None
    #: Seconds that its command took last time.
    duration: float | None


class PipelineRunView(View):
    """One request to bring stages up to date, and how far it is."""

    id: str
    targets: list[str]
    options: dict[str, Any]
    status: Status
    error: str | None
    #: What asked for it, such as ``schedule:k3m9x2ab``; empty for a person.
    origin: str
    #: Number of stages that it looks at, and of those in each state.
    total: int
    counts: dict[StageState, int]
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration: float | None
    #: What it waits for, in one line, such as a lock that another process holds.
    waits_for: str | None = None


class PipelineView(View):
    """The pipeline of a project."""

    #: The DVC repository's root, relative to the project; empty for the project's own folder.
    folder: str
    #: Whether there is a DVC repository with a dvc.yaml or .dvc file at all.
    exists: bool
    #: In an order in which each stage comes after those that it depends on.
    stages: list[StageView]
    #: The pipeline run that is under way or was last; None if there was none.
    last: PipelineRunView | None
    #: What keeps us from telling more, in one line, as for a dvc.yaml that cannot be read.
    problem: str | None


class FileView(View):
    """A dependency or an output of a stage."""

    path: str
    #: ``file``, ``folder``, ``parameters`` or ``remote``.
    kind: Literal["file", "folder", "parameters", "remote"]
    #: Bytes and hash as dvc.lock has them; None if it has not.
    size: int | None
    hash: str | None
    #: Number of files in a folder.
    files: int | None
    #: ``modified``, ``deleted``, ``new`` or ``not in cache``; None if it is as in dvc.lock.
    change: str | None
    #: Whether DVC keeps it in its cache, whether it is a metrics or a plots file.
    cached: bool = False
    metric: bool = False
    plot: bool = False
    #: The parameters by name and value, of ``parameters``.
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    #: Whether it exists in the project, so that it can be opened there.
    exists: bool = False


class MetricChange(View):
    """A value of a metrics file now, and in the last commit."""

    path: str
    name: str
    value: Any
    #: None if the last commit has none.
    before: Any


class StageDetail(View):
    """All that is known of a stage."""

    stage: StageView
    #: One line per command.
    command: list[str]
    #: Folder in which it is executed, relative to the project.
    folder: str
    dependencies: list[FileView]
    outputs: list[FileView]
    metrics: list[MetricChange]
    #: Names of the stages that depend on it.
    downstream: list[str]
    frozen: bool
    always_changed: bool
    #: What it asks for; None means nothing in particular.
    cpus: int
    memory: int | None
    gpus: int
    timeout: float | None
    retries: int
    #: The last lines that its command printed, the last time that it ran.
    log: str


class PipelineQuery(Request):
    """Which pipeline."""

    #: A folder, relative to the project, from which DVC looks for its repository.
    folder: Annotated[str, msgspec.Meta(max_length=4096)] = ""


class StageQuery(PipelineQuery):
    """Which stage of it."""

    name: Path = ""


class PipelineRequest(PipelineQuery):
    """Bring stages up to date. The options are those of ``dvc repro``."""

    #: Stages, dvc.yaml files or .dvc files as seen from the folder; none: the folder's dvc.yaml.
    targets: list[Path] = msgspec.field(default_factory=list)
    #: Run them even if nothing has changed.
    force: bool = False
    #: Only tell what would run.
    dry: bool = False
    #: Only these stages, without those they depend on.
    single_item: bool = False
    #: Also all that depends on them, instead of what they depend on.
    downstream: bool = False
    #: Go on with the stages that do not depend on a failed one.
    keep_going: bool = False
    #: Do not put outputs into the cache.
    no_commit: bool = False
    #: Fetch what is missing from the remote, results of the run cache too.
    pull: bool = False
    #: All stages of the repository, whatever the targets are.
    all_pipelines: bool = False
    #: The caller's variables for the commands; never stored.
    environment: dict[str, str] | None = None
    #: What asks for it; empty for a person.
    origin: str = ""


#: The options of ``dvc repro`` among the fields of a request.
PIPELINE_FLAGS = (
    "force",
    "dry",
    "single_item",
    "downstream",
    "keep_going",
    "no_commit",
    "pull",
    "all_pipelines",
)


class PlanView(View):
    """What a pipeline run would do, or is going to do: its stages in DVC's order."""

    stages: list[StageView]


class PipelineRunDetail(View):
    """A pipeline run and each of its stages."""

    run: PipelineRunView
    stages: list[StageView]
