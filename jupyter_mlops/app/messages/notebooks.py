"""What a notebook declares, and the spaces that are made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ...core.runs import SweepKind
from ...core.search import PruningRule, Sampler
from .base import Count, Name, Path, Request, View


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


class SpaceRequest(Request):
    """A parameter space of a notebook, to count or to run."""

    notebook: Path
    #: Parameter name to text in the space language.
    space: dict[str, str] = msgspec.field(default_factory=dict)
    #: Parameter name to encoded values (from Python); takes the place of ``space``, but for names
    #: that stand there too.
    values: dict[str, list[Any]] | None = None
    #: Explicit points with encoded values; takes the place of both.
    points: list[dict[str, Any]] | None = None
    #: Text of a CSV, JSON or JSON-lines file of points, and its suffix such as ``.csv``.
    file_text: str | None = None
    file_suffix: str | None = None
    mode: Literal["grid", "zip", "random"] = "grid"
    samples: Count | None = None
    seed: int | None = None
    #: Who chooses the points one after the other, and how many; takes the place of ``mode``.
    sampler: Sampler | None = None
    trials: Count | None = None
    #: Permits names that the parameters cell does not declare.
    allow_undeclared: bool = False
    #: Cores, bytes and devices of each run; unset means a share, and what earlier runs used.
    cpus: Count | None = None
    memory: Count | None = None
    gpus: Annotated[int, msgspec.Meta(ge=0)] = 0
    #: Where the runs go; None means: as the settings say.
    executor: Name | None = None


class SubmitRequest(SpaceRequest):
    """Run a notebook over a parameter space."""

    kind: SweepKind = SweepKind.SWEEP
    metric: Name | None = None
    #: Direction of the metric; None means: by its name (loss, error… are minimised).
    maximize: bool | None = None
    #: What stops runs whose live metric lags behind; the step of the first look, unless it is
    #: learned from the first run that succeeds; and that one in so many goes on.
    prune: PruningRule | None = None
    prune_steps: Count | None = None
    prune_factor: Annotated[int, msgspec.Meta(ge=2)] | None = None
    experiment: Name | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None
    cell_timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    #: Causes of failures that are tried again, such as ``kernel_died``; None means any.
    retry_on: list[Name] | None = None
    #: Seconds before the first retry; each further one waits twice as long.
    retry_delay: Annotated[float, msgspec.Meta(ge=0)] | None = None
    priority: int = 0
    kernel: Name | None = None
    #: Variables for the kernels; kept in memory, never stored.
    environment: dict[str, str] | None = None
    #: The attempt from within which this is submitted, if any.
    parent_attempt: str | None = None
    #: The schedule or trigger that asks for it; empty for a person.
    origin: str = ""


class PreviewView(View):
    """How many runs a space makes, or what is wrong with each parameter."""

    count: int | None
    #: Parameter name to message; the empty name is about the space as a whole.
    errors: dict[str, str]
    seconds: float | None
    #: Cores that the runs share; None as long as it is not known what their executor has.
    cores: int | None = None
