"""The Python API: ``import jupyter_mlops as mlops``.

It asks the project's worker, which is started if need be, and works the same in a notebook, a
script and a notebook that is itself executed as a run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, Unpack

from .app import messages as m
from .app.caller import locate, submit
from .app.client import connect
from .app.lookup import find, find_sweep
from .app.projects import Project, find_project
from .app.search_operations import SEARCH_RUNS
from .core.exceptions import InvalidInput, NotFound, RunFailed
from .core.parameters import from_python
from .core.resources import parse_memory
from .core.runs import Status, SweepKind
from .core.search import PruningRule, Sampler
from .core.spaces import Space, axes_from_python, check_size
from .core.values import encode
from .metrics import log
from .results import (
    CellDiffs,
    Comparison,
    Curves,
    Gallery,
    ModelCard,
    ModelList,
    ModelVersion,
    RunList,
    RunResult,
    SharingResult,
    SweepResult,
    explain_sharing,
)
from .results.models import Wanted, list_models, model_card
from .sessions import Session, track

W = TypeVar("W", bound=StrEnum)

Space_ = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Notebook = str | os.PathLike[str]


class Options(TypedDict, total=False):
    """What `run` and `sweep` may be told about how to execute."""

    #: MLflow experiment; the project's setting, else the notebook's name, unless it is given.
    experiment: str | None
    #: Cores for each run; unasked, the runs share the machine.
    cpus: int | None
    #: Memory for each run: bytes, or text such as ``2GB``.
    memory: int | str | None
    gpus: int
    #: Seconds that an attempt may take.
    timeout: float | None
    #: Seconds that each of its cells may take.
    cell_timeout: float | None
    #: How often a failed run is tried again.
    retries: int | None
    #: Which failures are: ``error``, ``kernel_died``, ``timeout``…; unasked, any.
    retry_on: Sequence[str] | None
    #: Seconds before the first retry; each further one waits twice as long.
    retry_delay: float | None
    #: Higher ones go first.
    priority: int
    executor: str | None
    #: Kernel in place of the one that the notebook names.
    kernel: str | None
    #: Permits parameters that the notebook does not declare.
    allow_undeclared: bool


class Written(str):
    """Values of a parameter, written in the language of spaces. Made by `space`."""

    __slots__ = ()


def space(text: str) -> Written:
    """Write values as in a shell: ``space("1..10")``, ``space("log(1e-4,1e-1,5)")``.

    For `sweep`, which takes other text as a value.
    """
    return Written(text)


def sweep(  # noqa: PLR0913  # by name, and each with a default
    notebook: Notebook,
    space: Space_,
    *,
    mode: Literal["grid", "zip", "random"] = "grid",
    samples: int | None = None,
    sampler: Literal["tpe", "random"] | None = None,
    trials: int | None = None,
    seed: int | None = None,
    metric: str | None = None,
    maximize: bool | None = None,
    prune: Literal["asha"] | None = None,
    prune_steps: int | None = None,
    prune_factor: int | None = None,
    wait: bool = True,
    progress: bool = True,
    **options: Unpack[Options],
) -> SweepResult:
    """Run a notebook over a parameter space, in parallel.

    ``mlops.sweep("train.ipynb", {"depth": [3, 5], "rate": [0.1, 0.01]}, metric="auc")`` makes four
    runs. A list, tuple, range or 1-d array holds the values to try, all else is one value; a list
    of dicts names the points one by one. ``mode="random"`` draws ``samples`` points of the grid.
    What `space` makes is read as in a shell: ``{"rate": mlops.space("log(1e-4,1e-1,5)")}``.

    With ``sampler="tpe"`` or ``"random"`` ``trials`` points are chosen one after the other, from
    the results so far: ranges, also Python's, and log scales count as such, lists as choices.
    ``prune="asha"`` stops runs whose metric, as they log it, lags behind that of the others at
    the same step: first at ``prune_steps``, unasked where the first run that succeeds suggests
    it, then each time at ``prune_factor`` (3) times as many, where one in so many goes on. Both
    need the extra ``optuna``.

    ``metric`` ranks the runs. Unless ``maximize`` is given its direction follows from its name: a
    loss or an error is minimised. With ``wait=False`` the sweep is returned as soon as it is
    queued. A failed run raises nothing: see ``result.runs``. Raises `InvalidInput` for what is
    refused, and `WorkerUnavailable`.
    """
    project, path = locate(notebook)
    request = m.SubmitRequest(
        notebook=path,
        mode=mode,
        samples=samples,
        sampler=_word(Sampler, sampler, "sampler"),
        trials=trials,
        seed=seed,
        metric=metric,
        maximize=maximize,
        prune=_word(PruningRule, prune, "prune"),
        prune_steps=prune_steps,
        prune_factor=prune_factor,
        **_space(space, project, mode if sampler is None else "search"),
        **_options(options),
    )
    result = _submit(project, request)
    return result.wait(progress=progress) if wait else result


def explain(
    notebook: Notebook,
    space: Space_,
    *,
    mode: Literal["grid", "zip", "random"] = "grid",
    samples: int | None = None,
    sampler: Literal["tpe", "random"] | None = None,
    trials: int | None = None,
    seed: int | None = None,
    cpus: int | None = None,
) -> SharingResult:
    """Tell which cells the runs of a sweep would share, and what sharing others would save.

    Runs nothing. Cells tagged ``shared`` are executed once for all runs; ``result.suggested`` are
    those that are worth the tag, by what they took in earlier runs. The arguments are those of
    `sweep`. Raises `InvalidInput` for what is refused.
    """
    project, path = locate(notebook)
    request = m.SpaceRequest(
        notebook=path,
        mode=mode,
        samples=samples,
        sampler=_word(Sampler, sampler, "sampler"),
        trials=trials,
        seed=seed,
        cpus=cpus,
        **_space(space, project, mode if sampler is None else "search"),
    )
    return explain_sharing(project, request)


def run(
    notebook: Notebook,
    parameters: Mapping[str, Any] | None = None,
    *,
    wait: bool = True,
    progress: bool = True,
    check: bool = True,
    options: Options | None = None,
    **named: Any,
) -> RunResult:
    """Run a notebook once: ``mlops.run("train.ipynb", depth=3)``.

    Parameters are given by name, or in ``parameters`` where a name is one of this function's own.
    ``options`` are those of `sweep`, such as ``{"timeout": 60}``. Raises `RunFailed` if the run
    did not succeed, unless ``check`` is false; `InvalidInput` for what is refused; and
    `WorkerUnavailable`.
    """
    project, path = locate(notebook)
    given = {**(parameters or {}), **named}
    values = {name: [encode(from_python(each, name))] for name, each in given.items()}
    request = m.SubmitRequest(
        notebook=path, kind=SweepKind.RUN, values=values, **_options(options or {})
    )
    sweep = _submit(project, request)
    if wait:
        sweep.wait(progress=progress)
    result = sweep.single()
    if check:
        raise_for_failure(result.view)
    return result


def raise_for_failure(run: m.RunView) -> None:
    """Raise `RunFailed` if a run has finished without success."""
    if not run.status.finished or run.status is Status.SUCCEEDED:
        return
    verb = "failed" if run.status is Status.FAILED else "was cancelled"
    at = f" at cell {run.cell}" if run.cell and run.status is Status.FAILED else ""
    why = f": {run.error}" if run.error else ""
    raise RunFailed(f"{run.notebook} {verb}{at}{why} (see: jupyter mlops runs show {run.id})")


def runs(
    sweep: str | None = None,
    *,
    status: str | None = None,
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    offset: int = 0,
    project: Notebook | None = None,
) -> RunList:
    """Return the project's runs, newest sweep first; ``.frame`` makes a DataFrame of them.

    ``mlops.runs(where="metrics.auc > 0.9 and params.depth = 3", sort="-metrics.auc", limit=10)``
    are the ten best of those. ``sweep`` is a sweep's id, or the first letters of it; ``offset``
    leaves out so many runs, and ``.total`` is how many there are in all; ``project`` any file or
    folder of the project, by default the current folder's. Raises `InvalidInput` for a condition
    that cannot be read, with the place of what is wrong.
    """
    wanted = _word(Status, status, "status")
    found = _project(project)
    client = connect(found)
    sweep_id = find_sweep(client, sweep).id if sweep is not None else None
    query = m.SearchQuery(
        sweep=sweep_id, status=wanted, where=where, sort=sort, limit=limit, offset=offset
    )
    page = client.call(SEARCH_RUNS, query=query)
    results = (RunResult(found, view) for view in page.runs)
    return RunList(results, query=query, total=page.total, notes=page.notes)


def compare(*sources: str | RunResult | SweepResult, project: Notebook | None = None) -> Comparison:
    """Set runs side by side, what differs first: ``mlops.compare("k3m9x2ab-1", "k3m9x2ab-4")``.

    A sweep, or its id, stands for all of its runs. The result's ``.frame`` is a DataFrame,
    ``.curves("loss")`` a metric by step, ``.cells()`` the difference of two output notebooks.
    Raises `NotFound`.
    """
    found = _project(project)
    if not sources:
        raise InvalidInput("Name runs or sweeps to compare.")
    client = connect(found)
    ids = [find(client, each).id if isinstance(each, str) else each.id for each in sources]
    return Comparison.of(found, ids)


def models(*, project: Notebook | None = None, **wanted: Unpack[Wanted]) -> ModelList:
    """Return versions of registered models: ``mlops.models(owner="ada", where="auc > 0.7")``."""
    return list_models(_project(project), m.ModelsQuery(**wanted))


def card(name: str, version: int | None = None, *, project: Notebook | None = None) -> ModelCard:
    """Return the card of a model version, of the latest one unless it is named."""
    return model_card(_project(project), name, version)


def register(
    name: str,
    source: str | RunResult | SweepResult,
    *,
    alias: str | None = None,
    tags: Mapping[str, str] | None = None,
    project: Notebook | None = None,
) -> ModelVersion:
    """Make the model of a run, or of the best run of a sweep, a version of the model ``name``.

    ``source`` is a run or a sweep, or the id of one. Raises `NoModelLogged` if the run logged no
    model, and `NotFound`.
    """
    if not isinstance(source, str):
        return source.register(name, alias=alias, tags=tags)
    found = get(source, project=project)
    return found.register(name, alias=alias, tags=tags)


def get(id: str, *, project: Notebook | None = None) -> RunResult | SweepResult:  # noqa: A002
    """Return a run or a sweep by its id, or by the first letters of it. Raises `NotFound`."""
    found = _project(project)
    view = find(connect(found), id)
    if isinstance(view, m.SweepView):
        return SweepResult(found, view)
    return RunResult(found, view)


def _project(path: Notebook | None) -> Project:
    return find_project(path if path is not None else Path.cwd())


def _submit(project: Project, request: m.SubmitRequest) -> SweepResult:
    client, view, seq = submit(project, request)
    return SweepResult(client.project, view, seq)


def _word(kind: type[W], text: str | None, field: str) -> W | None:
    """Return a word as what it stands for. Raises `InvalidInput`."""
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(kind)
        raise InvalidInput(f"{field}: {text!r} is none of {known}.", field=field) from None


def _options(options: Options) -> dict[str, Any]:
    """Return options as fields of a request."""
    unknown = set(options) - set(Options.__annotations__)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise InvalidInput(f"There is no option {names}. See help(mlops.sweep).")
    made: dict[str, Any] = dict(options)
    memory = made.get("memory")
    if isinstance(memory, str):
        made["memory"] = parse_memory(memory)
    return made


def _space(space: Space_, project: Project, mode: str) -> dict[str, Any]:
    """Return a space as fields of a request; what is too large is refused before it is made."""
    limit = project.settings.max_points
    if not isinstance(space, Mapping):
        points = [
            {name: encode(from_python(each, name)) for name, each in point.items()}
            for point in space
        ]
        return {"points": points}
    texts = {name: text for name in space if (text := _written(space[name], mode)) is not None}
    axes = axes_from_python({name: space[name] for name in space if name not in texts})
    if mode == "grid":
        check_size(Space.grid(axes), limit)
    for axis in axes:
        check_size(Space.grid([axis]), limit)
    listed = {a.name: [encode(a.at(i)) for i in range(a.count)] for a in axes}
    return {"space": texts, "values": {name: listed.get(name, []) for name in space}}


def _written(value: object, mode: str) -> str | None:
    """Return the text of values that are written in the language of spaces; None if they are not.

    A sampler is given ranges as they are.
    """
    if isinstance(value, Written):
        return str(value)
    if mode == "search" and isinstance(value, range) and len(value) > 1:
        return f"{value[0]}..{value[-1]}..{value.step}"
    return None


__all__ = [
    "CellDiffs",
    "Comparison",
    "Curves",
    "Gallery",
    "InvalidInput",
    "ModelCard",
    "ModelVersion",
    "NotFound",
    "RunFailed",
    "RunList",
    "RunResult",
    "Session",
    "SharingResult",
    "SweepResult",
    "card",
    "compare",
    "explain",
    "get",
    "log",
    "models",
    "register",
    "run",
    "runs",
    "space",
    "sweep",
    "track",
]
