"""From a request to a sweep: the notebook, its parameters, the space, the kernel, the resources."""

from __future__ import annotations

import codecs
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel

from ..core import values
from ..core.axes import Axis
from ..core.exceptions import Conflict, InvalidInput, KernelMissing, MlopsError
from ..core.executors import Executor
from ..core.files import write_atomically
from ..core.language import parse_axis
from ..core.parameters import Parameter, check_names
from ..core.resources import share_of_cores
from ..core.retries import check_causes
from ..core.runs import ANY, Reason, Sweep, SweepKind, new_id
from ..core.search import MAX_CHOICES
from ..core.spaces import Space, SpaceMode, axes_from_python, check_size, parse_points
from ..core.stages import Stage
from ..core.urls import without_secrets
from ..execution.kernelspecs import find_kernelspec, kernel_names
from ..notebooks.files import parse_notebook, read_bytes
from ..notebooks.parameters import NotebookParameters, read_parameters
from ..notebooks.sharing import check_shared, code_cells
from ..tracking import context
from . import messages as m
from . import search
from .executors import check_place, check_room
from .projects import Project, confined

#: Words in a metric's name that mean: the smaller, the better.
_SMALLER_IS_BETTER = ("loss", "error", "rmse", "mse", "mae", "mape", "perplexity", "brier", "wer")


#: Held while snapshots are made, and while those are removed that nothing refers to.
SNAPSHOTS = threading.Lock()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as it is now."""

    #: Relative to the project.
    path: str
    content: bytes
    parameters: NotebookParameters
    cells: list[dict[str, Any]]

    @property
    def hash(self) -> str:
        """sha256 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Kernel:
    """An installed kernel."""

    name: str
    argv: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A sweep that is ready for the queue."""

    sweep: Sweep
    space: Space


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRequest:
    """What the run of a stage is told beyond its request."""

    stage: Stage
    #: Parameters that the notebook gets as they are; None: those of the request's space.
    parameters: dict[str, values.Value] | None
    #: Tells what git says of a folder.
    git: context.Git


def read(project: Project, path: str) -> Notebook:
    """Read a notebook of the project. Raises `NotebookUnreadable`, `NotAllowedPath`."""
    location = confined(project.root, path)
    content = read_bytes(location)
    notebook = parse_notebook(content, name=location.name)
    return Notebook(
        path=location.relative_to(project.root).as_posix(),
        content=content,
        parameters=read_parameters(notebook),
        cells=notebook["cells"],
    )


def find_kernel(name: str) -> Kernel:
    """Return an installed kernel. Raises `KernelMissing` with those that there are."""
    try:
        spec = find_kernelspec(name)
    except NoSuchKernel:
        known = ", ".join(kernel_names()) or "none"
        raise KernelMissing(
            f"The kernel {values.quote(name)} is not installed (installed: {known}). "
            "Choose one with --kernel, or install it.",
            field="kernel",
        ) from None
    return Kernel(name, tuple(spec.argv), spec.language.lower())


def make_space(request: m.SpaceRequest, notebook: NotebookParameters) -> Space:
    """Read the space that a request asks for. Raises `BadSpace`, `UnknownParameter`."""
    declared = {each.name: each for each in notebook.parameters}
    search.check_request(request)
    if request.file_text is not None:
        listed = parse_points(request.file_text, request.file_suffix or "", declared.values())
        space = Space.listed(listed)
    elif request.points is not None:
        space = Space.listed(_decode_points(request.points, declared))
    else:
        space = _combine(request, declared)
    check_names(
        space.names,
        declared,
        allow_undeclared=request.allow_undeclared or not notebook.readable,
    )
    return space


def _combine(request: m.SpaceRequest, declared: dict[str, Parameter]) -> Space:
    axes = _axes(request, declared)
    if request.trials is not None:
        return Space.search(axes, request.trials)
    if request.mode == "zip":
        return Space.zip(axes)
    if request.mode == "random":
        if request.samples is None:
            raise InvalidInput("random: say how many points to draw.", field="random")
        return Space.random(axes, request.samples, request.seed or 0)
    return Space.grid(axes)


def _axes(request: m.SpaceRequest, declared: dict[str, Parameter]) -> list[Axis]:
    given = {
        name: values.decode(each)
        for name, each in (request.values or {}).items()
        if name not in request.space
    }
    made = {axis.name: axis for axis in axes_from_python(given, declared.values())}
    names = request.space if request.values is None else request.values
    return [
        made.get(name) or parse_axis(request.space[name], declared.get(name), name=name)
        for name in names
    ]


def _decode_points(
    points: list[dict[str, Any]], declared: dict[str, Parameter]
) -> Iterator[dict[str, values.Value]]:
    for point in points:
        decoded = {name: [values.decode(value)] for name, value in point.items()}
        yield {axis.name: axis.at(0) for axis in axes_from_python(decoded, declared.values())}


def preview(
    project: Project, request: m.SpaceRequest, executor: Executor | None
) -> tuple[int | None, dict[str, str]]:
    """Count a space, or say what is wrong with each parameter and each resource.

    "" is the space as a whole. Without executor the resources are not looked at.
    """
    notebook = read(project, request.notebook)
    errors: dict[str, str] = {}
    if request.values is None and request.points is None and request.file_text is None:
        declared = {each.name: each for each in notebook.parameters.parameters}
        for name, text in request.space.items():
            try:
                parse_axis(text, declared.get(name), name=name)
            except InvalidInput as error:
                errors[name] = error.message
    try:
        if executor is not None:
            check_room(executor, request)
    except InvalidInput as error:
        errors[error.field or ""] = error.message
    if errors:
        return None, errors
    try:
        space = make_space(request, notebook.parameters)
        check_size(space, project.settings.max_points)
        _shared(notebook, space)
    except InvalidInput as error:
        return None, {error.field or "": error.message}
    return space.count, {}


def prepare(
    project: Project,
    request: m.SubmitRequest,
    *,
    executor: Executor,
    tracking_uri: str,
    of: StageRequest | None = None,
    keep: bool = True,
) -> Submission:
    """Check a request, maybe of a stage, and make a sweep of it; keep its notebook's snapshot.

    Without ``keep`` nothing is written: the request is only checked.
    """
    notebook = read(project, request.notebook)
    _check_outputs(project)
    stage = of.stage if of else None
    if of is not None and of.parameters is not None:
        space = Space.listed([of.parameters])
    else:
        space = make_space(request, notebook.parameters)
    check_size(space, project.settings.max_points)
    _check_points(request, space)
    shared = () if stage and stage.plain else _shared(notebook, space)
    kernel = find_kernel(request.kernel or notebook.parameters.kernel_name or "python3")
    check_place(executor, request, kernel.name)
    retries, causes = _retries(project, request)
    searching, pruning = search.make_search(request, space), search.make_pruning(request)
    if keep:
        keep_snapshot(project, notebook)
    settings = project.settings
    facts = context.capture(
        project.root, notebook.path, git=of.git if of else keeping_git(project, keep=keep)
    )
    sweep = Sweep(
        id=new_id(),
        kind=request.kind,
        notebook=notebook.path,
        notebook_hash=notebook.hash,
        space=space.texts(),
        mode=space.mode,
        total=space.count,
        experiment=request.experiment
        or settings.experiment
        or _own_experiment(facts)
        or default_experiment(project, notebook.path),
        metric=request.metric,
        maximize=_direction(request),
        cpus=share_of_cores(request.cpus, runs=space.count, cores=cores_unasked(executor)),
        memory=request.memory,
        gpus=request.gpus,
        timeout=request.timeout,
        cell_timeout=request.cell_timeout,
        retries=retries,
        retry_on=causes,
        retry_delay=settings.retry_delay if request.retry_delay is None else request.retry_delay,
        priority=request.priority,
        executor=executor.name,
        kernel=kernel.name,
        kernel_argv=kernel.argv,
        created_at=datetime.now(UTC),
        search=searching,
        pruning=pruning,
        stage=stage,
        context=facts
        | {
            "language": (stage and stage.language) or kernel.language,
            "shared": list(shared),
            "parent_attempt": request.parent_attempt,
            "origin": request.origin,
            "tracking_uri": without_secrets(tracking_uri),
            "environment_sha256": _hash_of_variables(request.environment or os.environ),
        },
    )
    return Submission(sweep, space)


def cores_unasked(executor: Executor) -> int:
    """Return the cores that the runs of a sweep share unasked; a cluster is not for one alone."""
    most = executor.ledger.largest
    return 1 if executor.remote or most is None else most.cores


def keeping_git(project: Project, *, keep: bool = True) -> context.Git:
    """Return what asks git about a folder and, unless not wanted, keeps uncommitted changes."""
    return partial(context.git_facts, keep=project.state / "snapshots" if keep else None)


def _check_outputs(project: Project) -> None:
    """Raise `Conflict` if output notebooks would have no place, as in a read-only project."""
    outputs = project.root / "runs"
    if not os.access(outputs if outputs.exists() else project.root, os.W_OK):
        raise Conflict(
            f"{outputs} cannot be written, so output notebooks would have no place. Mend its "
            "permissions, or copy the project to where you may write."
        )


def _shared(notebook: Notebook, space: Space) -> tuple[int, ...]:
    """Return which code cells all runs share, by position. Raises `InvalidInput`."""
    cells = code_cells(notebook.cells)
    return check_shared(cells, space.names, is_python=notebook.parameters.readable)


def _retries(project: Project, request: m.SubmitRequest) -> tuple[int, tuple[str, ...]]:
    """Return how often, and after which failures, a run is tried again."""
    number = project.settings.retries if request.retries is None else request.retries
    causes = check_causes((ANY,) if request.retry_on is None else request.retry_on)
    if request.retry_on and not number and causes != (Reason.LOST,):
        raise InvalidInput(
            "retry_on: say with --retries N how often a run is tried again.", field="retries"
        )
    return number, causes


def _own_experiment(facts: dict[str, Any]) -> str | None:
    """Return the one experiment that the notebook itself sets, if there is one."""
    names = facts["mlflow"]["experiments"]
    return names[0] if len(names) == 1 else None


def default_experiment(project: Project, notebook: str) -> str:
    """Return the experiment of runs that name none: the project's, else the notebook's name."""
    return project.settings.experiment or Path(notebook).stem


def keep_snapshot(project: Project, notebook: Notebook) -> None:
    """Keep the notebook as it is now, by its hash."""
    path = snapshot_path(project, notebook.hash)
    with SNAPSHOTS:
        if path.exists():
            path.touch()  # so that it counts as new until something refers to it
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # papermill stumbles over the byte order mark that some editors write.
        write_atomically(path, notebook.content.removeprefix(codecs.BOM_UTF8))


def snapshot_path(project: Project, digest: str) -> Path:
    """Return where a notebook of that hash is kept."""
    return project.state / "snapshots" / f"{digest}.ipynb"


def source_changed(project: Project, sweep: Sweep) -> bool:
    """Whether the notebook differs from what was submitted, or is gone."""
    try:
        path = confined(project.root, sweep.notebook)
        facts = path.stat()
        return _hash_of(path, facts.st_mtime_ns, facts.st_size) != sweep.notebook_hash
    except (OSError, MlopsError):
        return True


@lru_cache(maxsize=256)
def _hash_of(path: Path, _mtime: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hash_of_variables(variables: Mapping[str, str]) -> str:
    """Tell environments apart without keeping what they hold."""
    lines = sorted(f"{name}={value}" for name, value in variables.items())
    return hashlib.sha256("\0".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _direction(request: m.SubmitRequest) -> bool:
    if request.maximize is not None or request.metric is None:
        return request.maximize is not False
    name = request.metric.lower()
    return not any(word in name for word in _SMALLER_IS_BETTER)


def _check_points(request: m.SubmitRequest, space: Space) -> None:
    if request.kind is SweepKind.RUN and space.count != 1:
        raise InvalidInput(
            f"run takes one value of each parameter, these make {space.count} runs. Use sweep."
        )
    for name, value in _values(space):
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise InvalidInput(
                f"{name}: whole numbers of more than 64 bits are not supported. Pass it as text.",
                field=name,
            )


def _values(space: Space) -> Iterator[tuple[str, values.Value]]:
    """Make the values of all points, or the ends of what a sampler may choose from."""
    if space.mode is not SpaceMode.SEARCH:
        yield from (pair for point in space.points() for pair in point.items())
    for axis in space.axes if space.mode is SpaceMode.SEARCH else ():
        many = axis.count > MAX_CHOICES
        for index in (0, axis.count - 1) if many else range(axis.count):
            yield axis.name, axis.at(index)
