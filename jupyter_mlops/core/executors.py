"""Executors: what they are given, what they tell, and what has become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from .resources import Capacity, Ledger
from .runs import Environment, MetricPoint, ProcessIdentity, Reason, Status
from .stages import ErrorRule


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Outputs of an earlier attempt that stay although their cells are executed again."""

    #: The first code cell whose outputs are new, counted from 1.
    before: int
    #: The earlier attempt's output notebook.
    notebook: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """All that an executor needs in order to execute one attempt."""

    attempt_id: str
    #: The notebook's path as the user knows it.
    source: str
    #: The notebook as it was submitted.
    snapshot: Path
    #: Where the output notebook goes; its folder exists. Written aside and renamed.
    output: Path
    #: Where the result file goes, which tells the outcome if nobody listens any more.
    result: Path
    #: Where everything that the engine and the kernel print goes.
    log: Path
    #: Working directory of the kernel: the notebook's folder, unless a stage's command differs.
    cwd: Path
    parameters: dict[str, Any]
    kernel: str
    language: str
    #: Names of parameters whose values must not be written into the output notebook.
    secrets: frozenset[str]
    #: The kernel's whole environment.
    environment: dict[str, str] = field(repr=False)
    cpus: int
    memory: int | None
    gpus: int
    #: Seconds for the whole attempt; None means no limit.
    timeout: float | None
    #: Positions, among the code cells, of those that need be executed but once per sweep.
    shared: tuple[int, ...] = ()
    #: Seconds for each cell; None means no limit.
    cell_timeout: float | None = None
    #: What is kept of an earlier attempt.
    kept: Kept | None = None
    #: Bytes that each stream of a cell may have in the output notebook; the rest goes to a file.
    stream_limit: int = 10_000_000
    #: Which errors of cells make it fail.
    errors: ErrorRule = ErrorRule.ALL
    #: Seconds that the kernel may take to start; None means our own limit.
    start_timeout: float | None = None
    #: Bytes that it is expected to use, where none were asked for; None means unknown.
    expected_memory: int | None = None
    #: Files and folders that it is declared to read, besides what the project tracks.
    inputs: tuple[Path, ...] = ()
    #: Where it was placed: the node of its hold.
    node: str = ""

    @property
    def journal(self) -> Path:
        """Where the journal goes, of which the output notebook is made."""
        return self.result.with_suffix(".jsonl")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A shell command of a pipeline's stage."""

    #: What marks its processes.
    attempt_id: str
    #: What the shell executes that its environment names as ``SHELL``, or ``sh``.
    command: str
    #: Its working directory.
    cwd: Path
    #: What it prints is added here.
    log: Path
    #: Its whole environment.
    environment: dict[str, str] = field(repr=False)
    cpus: int
    memory: int | None
    gpus: int
    #: Files and folders that it is declared to read.
    inputs: tuple[Path, ...] = ()
    #: Where it was placed: the node of its hold.
    node: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelStarted:
    """The kernel runs. ``start`` is ``warm``, or ``cold`` with the reason in brackets."""

    process: ProcessIdentity
    start: str
    #: Number of code cells.
    cells: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CellStarted:
    """A code cell begins; ``cell`` counts code cells from 1."""

    cell: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CellFinished:
    """A code cell has ended, whichever way, after so many seconds."""

    cell: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputTail:
    """The last lines that the current code cell printed; at most four times a second."""

    cell: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsLogged:
    """The notebook logged metrics."""

    points: tuple[MetricPoint, ...]
    #: What was no metric, in one line each.
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopping:
    """The attempt is being stopped: its kernel is interrupted, then terminated, then killed."""

    stage: Literal["interrupt", "terminate", "kill"]


Progress = KernelStarted | CellStarted | CellFinished | OutputTail | MetricsLogged | Stopping


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an attempt ended."""

    status: Status
    reason: Reason | None = None
    #: One line for the user.
    error: str | None = None
    #: Code cell at which it failed, from 1.
    failed_cell: int | None = None
    #: Seconds on a monotonic clock.
    duration: float = 0.0
    #: Whether the output notebook was written.
    has_output: bool = True
    #: Seconds that each code cell took that has ended, in order.
    cell_times: tuple[float, ...] = ()
    #: Most bytes of memory that the kernel and all its processes used together, if known.
    peak_memory: int | None = None
    #: Seconds of CPU time that they used, if known.
    cpu_time: float | None = None
    #: How the packages compare with the project's lock, and in what they differ, if there is one.
    environment: Environment | None = None
    differences: str | None = None
    #: What is known of the machine and of the Python where it ran, if that is not here: what
    #: `jupyter_mlops.execution.machine.described` and `jupyter_mlops.interpreter` tell.
    machine: Mapping[str, Any] | None = None
    interpreter: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeState:
    """A machine, or a part of one, on which an executor has attempts run."""

    name: str
    has: Capacity
    #: What nobody holds of it.
    free: Capacity
    #: Number of attempts that it executes.
    running: int
    #: Names of the kernels that are installed there.
    kernels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutorState:
    """How an executor stands."""

    #: What it runs on, as people call it, such as the address of a scheduler.
    runs_on: str
    nodes: tuple[NodeState, ...] = ()
    #: What is there and not used, with the reason, in one line each.
    unused: tuple[str, ...] = ()
    #: Where the engine shows its own view of itself: a URL.
    dashboard: str | None = None
    #: Whether it was reached; until then there may be nodes of which nothing is known.
    connected: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What an executor is opened for: a project, and what its settings say."""

    #: A name of the project that no other of this user has: 12 hexadecimal digits.
    project: str
    #: The project's folder, and that of its state, where logs go to ``logs/``.
    root: Path
    state: Path
    #: The executor's own table of the settings.
    settings: Mapping[str, Any]
    #: Whether kernels are to be forked from templates, and packages that these may import.
    warm: bool
    preload: tuple[str, ...]
    #: Variables that mark the processes of this project's engine.
    mark: Mapping[str, str]


class Executor(Protocol):
    """Somewhere that attempts run.

    A package offers one by an entry point of the group ``jupyter_mlops.executors``: its name is
    what the settings call it, its object is called with a `Site` in the worker's event loop and
    returns the executor, or raises `InvalidInput` for what the settings get wrong. The class
    `jupyter_mlops.testing.executors.ExecutorTests` checks what is said here.

    `execute` returns when the attempt has ended, whichever way, and raises only for faults of the
    executor itself. It calls ``report`` in the event loop's thread, in order. What the attempt has
    written below the project's folder is there when it returns. An attempt that was cancelled still
    returns its outcome, with its kernel and all its processes gone. One whose node went away fails
    with `Reason.NODE_LOST`, and with `Reason.LOST` if that was not the node's fault: both are tried
    again, the first at most three times.
    """

    #: Name in settings and in ``--executor``.
    name: str
    #: Whether attempts run elsewhere: with the variables of that place, to which those of the task
    #: are added.
    remote: bool
    #: What keeps it from executing, in one line; None while nothing does.
    problem: str | None

    @property
    def ledger(self) -> Ledger:
        """Return what it has to give; what `execute` is called with was taken from there."""
        ...

    async def prepare(self) -> None:
        """Get ready for the first attempt, if that is not so yet. Raises `ExecutorUnavailable`.

        What it raises is told to whoever submits, before anything is queued.
        """
        ...

    def state(self) -> ExecutorState:
        """Tell how it stands, from what is known already."""
        ...

    async def execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        """Execute one attempt."""
        ...

    async def run(self, command: Command) -> int:
        """Execute a command and return its exit code, negative for the signal that ended it.

        What it has written below the project's folder is there by then. When the awaiting task is
        cancelled, the command is interrupted, then terminated, then killed, with all that it has
        started. Raises OSError if it cannot be started, and `NodeGone` if its node went away.
        """
        ...

    async def cancel(self, attempt_id: str) -> None:
        """Ask the attempt to stop: interrupt, then terminate, then kill.

        One that nobody has had executed yet ends when that is done. Unknown ids are ignored.
        """
        ...

    async def close(self) -> None:
        """End everything at once. May be called again."""
        ...
