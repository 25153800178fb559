"""Sweeps, runs, attempts and events: what is executed, and what happened to it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .search import Pruning, Search
    from .stages import Stage

#: Attempts lost with their worker are retried this often before the run is given up.
MAX_LOST = 20

#: And those whose node went away, of which they may be the cause, only so often.
MAX_NODES = 3

#: The longest pause before a retry, in seconds.
LONGEST_DELAY = 300.0

#: Stands for every failure where causes of retries are named.
ANY = "any"

#: Environment variable by which the processes of an attempt know to which one they belong.
ATTEMPT_VARIABLE = "JUPYTER_MLOPS_ATTEMPT"

#: Environment variable that names the folder of that attempt's project.
PROJECT_VARIABLE = "JUPYTER_MLOPS_PROJECT"

#: Environment variable of the processes that execute attempts for a worker, with the same folder.
#: By it the next worker finds those that a killed one has left.
ENGINE_VARIABLE = "JUPYTER_MLOPS_ENGINE"

#: Environment variable of kernels: the file that takes the paths of the files they read, and what
#: begins a line of it whose file the notebook itself has declared.
READS_VARIABLE = "JUPYTER_MLOPS_READS"
DECLARATION = "declared:"
#: And begins a line of the same report that tells, as JSON, a feature of a training set.
INGREDIENT = "feature:"

#: Executor of interactive work, which runs where the user is.
SESSION = "session"


class Status(StrEnum):
    """Where a run or an attempt stands."""

    QUEUED = "queued"  #: waits for a free slot
    RUNNING = "running"  #: a worker executes it
    SUCCEEDED = "succeeded"  #: every cell was executed
    FAILED = "failed"  #: ended early; the reason says why
    CANCELLED = "cancelled"  #: ended because somebody asked for it

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)


class Reason(StrEnum):
    """Why an attempt or run did not succeed."""

    ERROR = "error"  #: a cell raised an exception
    KERNEL_DIED = "kernel_died"  #: the kernel ended by itself or was killed
    KERNEL_MISSING = "kernel_missing"  #: the notebook's kernel is not installed
    TIMEOUT = "timeout"  #: it took longer than was allowed
    OUT_OF_MEMORY = "out_of_memory"  #: it used more memory than was allowed
    DISK_FULL = "disk_full"  #: the output could not be written
    LOST = "lost"  #: its worker or machine went away
    NODE_LOST = "node_lost"  #: the node that executed it went away, maybe because of it
    USER = "user"  #: somebody cancelled it
    PRUNED = "pruned"  #: it was stopped since others did better
    INTERNAL = "internal"  #: our own failure; the message says which

    @property
    def lost(self) -> bool:
        """Whether nobody knows how the attempt would have ended, so that it is tried again."""
        return self in (Reason.LOST, Reason.NODE_LOST)


class Environment(StrEnum):
    """How the packages that a run had compare with the project's lock."""

    SAME = "same"  #: they are those that it names
    DIFFERS = "differs"  #: some are missing, or have other versions


class SweepKind(StrEnum):
    """What somebody asked for: many runs, one run, or an interactive session."""

    SWEEP = "sweep"
    RUN = "run"
    SESSION = "session"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """The runs of one notebook over one parameter space. A single run is a sweep of one point."""

    id: str
    kind: SweepKind
    #: Path of the notebook, relative to the project, with forward slashes.
    notebook: str
    #: sha256 of the notebook as it was submitted; its copy lies in ``.mlops/snapshots``.
    notebook_hash: str
    #: The space as it was written, parameter name to text.
    space: dict[str, str]
    mode: str
    #: Number of runs.
    total: int
    experiment: str
    #: The metric that ranks the runs, and its direction.
    metric: str | None
    maximize: bool
    #: Slots (cores) that each attempt holds.
    cpus: int
    #: Bytes and devices that each attempt asked for; None means unspecified.
    memory: int | None
    gpus: int
    #: Seconds that an attempt may take; None means no limit.
    timeout: float | None
    retries: int
    priority: int
    executor: str
    kernel: str
    #: Interpreter argv of the kernel, resolved when the sweep was submitted.
    kernel_argv: tuple[str, ...]
    created_at: datetime
    #: Who chooses the points while the sweep runs; None: they were all given.
    search: Search | None = None
    #: Which of the running runs are stopped early; None: none.
    pruning: Pruning | None = None
    #: The tracker's id of the parent run, once there is one.
    mlflow_run_id: str | None = None
    #: git facts and the like, captured at submission.
    context: dict[str, Any] = field(default_factory=dict)
    #: Seconds that a cell may take; None means no limit.
    cell_timeout: float | None = None
    #: Which failures are tried again: reasons by name, or ``any``.
    retry_on: tuple[str, ...] = (ANY,)
    #: Seconds before the first retry; each further one waits twice as long.
    retry_delay: float = 0.0
    #: The stage of a pipeline that it executes; None if it is none's.
    stage: Stage | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """Where a run goes on whose earlier cells succeeded."""

    #: The first code cell whose outputs and metrics are new, counted from 1.
    cell: int
    #: The attempt whose outputs and metrics of earlier cells are kept.
    attempt: str
    #: sha256 of the notebook to execute, which may differ from that cell on.
    notebook_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One notebook executed with one set of parameters."""

    id: str
    sweep_id: str
    #: Position in the sweep, from 1.
    index: int
    notebook: str
    parameters: dict[str, Any]
    status: Status
    reason: Reason | None
    #: One line: what went wrong.
    error: str | None
    #: Last value of each metric.
    metrics: dict[str, float]
    #: Attempts begun, and how many of them were lost.
    attempts: int
    lost: int
    #: Cell being executed or executed last, counted from 1, and number of code cells.
    cell: int | None
    cells: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    #: Seconds that the last attempt took, measured on a monotonic clock.
    duration: float | None
    #: Path of the output notebook, relative to the project.
    output: str | None
    #: The tracker's id of the last attempt's run.
    mlflow_run_id: str | None
    experiment: str
    #: When it may be tried again, while it is queued after a failure.
    not_before: datetime | None = None
    #: How its attempt is being stopped: ``interrupt``, ``terminate`` or ``kill``.
    stopping: str | None = None
    #: Where its next attempts go on; None means from the start.
    resume: Resume | None = None
    #: How its last attempt's packages compare with the project's lock; None where there is none.
    environment: Environment | None = None
    #: The lock and the packages that are others, in one line.
    differences: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessIdentity:
    """A process that cannot be mistaken for a later one with the same pid."""

    host: str
    boot_id: str
    pid: int
    #: When the process started, in seconds as this system counts them: since it was booted if it
    #: can say that, so that setting the clock changes nothing.
    started: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at executing a run."""

    id: str
    run_id: str
    #: Counted from 1 within the run.
    number: int
    status: Status
    reason: Reason | None
    error: str | None
    #: Worker that claimed it, and the fencing token of that claim.
    worker: str
    fence: int
    executor: str
    #: Processes to end when the attempt is found lost.
    processes: tuple[ProcessIdentity, ...]
    #: Whether a warm kernel was used; otherwise why not.
    start: str
    mlflow_run_id: str | None
    started_at: datetime
    finished_at: datetime | None
    duration: float | None
    #: Cell at which it failed, counted from 1.
    failed_cell: int | None
    #: Seconds that each code cell took that ended, in order; None if unknown.
    cell_times: tuple[float, ...] | None = None
    #: sha256 of the notebook that it executed, if not the one that was submitted.
    notebook_hash: str | None = None
    #: First cell that it executed anew, after those whose outputs were kept; None means all.
    resumed_at: int | None = None
    #: Most bytes of memory that its kernel and all its processes used together.
    peak_memory: int | None = None
    #: Seconds of CPU time that they used.
    cpu_time: float | None = None
    #: Where its executor has it run, as people call it; None for this machine.
    node: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricPoint:
    """One value of one metric. ``time`` is seconds since the epoch."""

    key: str
    value: float
    step: int
    time: float


#: Steps that stores can keep, and seconds since the epoch that are a time.
MAX_STEP = 2**63 - 1
_MAX_TIME = 1e11


def check_point(point: MetricPoint) -> str | None:
    """Return what keeps a metric value from being stored, in one line; None if nothing does."""
    if not point.key:
        return "A metric needs a name."
    if abs(point.step) > MAX_STEP:
        return f"{point.key}: a step has at most 64 bits."
    if not 0 <= point.time <= _MAX_TIME:
        return f"{point.key}: its time is not in seconds since 1970."
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something changed. ``seq`` counts per project without gaps."""

    seq: int
    time: datetime
    #: ``sweep``, ``run``, ``metrics``, ``model``, ``pipeline`` or ``schedule``.
    kind: str
    sweep_id: str | None
    run_id: str | None
    status: str | None
    #: Which other fields changed; small values only.
    data: dict[str, Any]


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """Return a random id of eight characters, without letters that look alike."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


def run_id(sweep_id: str, index: int) -> str:
    """Return the id of a sweep's run; ``index`` counts from 1."""
    return f"{sweep_id}-{index}"


def attempt_id(run: str, number: int) -> str:
    """Return the id of a run's attempt; ``number`` counts from 1."""
    return f"{run}.{number}"
