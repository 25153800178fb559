"""``run`` and ``sweep``: execute a notebook, once or over a parameter space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..core.options import EXECUTION, Kind, Option
from .base import Command, Face
from .single import follow_single
from .types import Assignments, AssignmentType, Causes, NotebookType, merged

if TYPE_CHECKING:
    from ..app.messages import SubmitRequest
    from ..app.projects import Project
    from ..results import Message, RunResult, SharingResult, SweepResult

F = TypeVar("F", bound=Callable[..., Any])

#: Bytes of a file of points that are read at most.
_MAX_FILE = 50_000_000


def _execution_options(function: F) -> F:
    """Add what both commands may be told about how to execute."""
    options = [
        click.option("-p", "more", metavar="NAME=VALUE", type=AssignmentType(), multiple=True,
                     help="The same as a plain NAME=VALUE."),
        *map(_option, EXECUTION),
        click.option("--detach", is_flag=True, help="Return as soon as it is queued."),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def _option(option: Option) -> Callable[[F], F]:
    about: dict[str, Any] = {"default": option.default, "help": option.help}
    if option.kind is Kind.FLAG:
        return click.option(option.flag, option.name, is_flag=True, **about)
    return click.option(
        option.flag, option.name, metavar=option.metavar, type=_type(option), **about
    )


def _type(option: Option) -> click.ParamType[Any]:
    match option.kind:
        case Kind.INT:
            return click.IntRange(_whole(option.least), _whole(option.most))
        case Kind.FLOAT:
            least = option.least if option.above is None else option.above
            return click.FloatRange(least, option.most, min_open=option.above is not None)
        case Kind.CAUSES:
            return Causes()
    return click.STRING


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


_SWEEP_HELP = """
Execute a notebook over a parameter space, in parallel.

Every combination of the values becomes a run, unless --zip, --random or --from says otherwise.
With --sampler the points are chosen one after the other, from the results so far. The runs go on
in the project's worker if you leave.

\b
A SPACE is
  a value            depth=3   name=rf   name="two words"   early=true   top=null
  a list             depth=3,5,7
  a range            depth=1..10   rate=0..1..0.1   (both ends included)
  a log scale        "rate=log(1e-4,1e-1,4)"
  a JSON value       'layers=[64,32]'

A shell reads parentheses, brackets and braces itself: put such a NAME=SPACE in quotes. In a
cell, after %mlops, a log scale needs none.

\b
Examples:
  jupyter mlops sweep train.ipynb depth=3,5,7 "rate=log(1e-3,1e-1,4)" --metric auc
  jupyter mlops sweep train.ipynb depth=1..9 rate=0..1..0.01 --random 20 --seed 1
  jupyter mlops sweep train.ipynb --from points.csv --metric loss --minimize
  jupyter mlops sweep train.ipynb depth=1..9 "rate=log(1e-3,1e-1,4)" --metric auc \\
      --sampler tpe --trials 50 --prune asha
"""


@click.command("run", cls=Command)
@click.argument("notebook", type=NotebookType())
@click.argument("assignments", type=AssignmentType(), nargs=-1, metavar="[NAME=VALUE]...")
@_execution_options
@click.pass_obj
def run(
    face: Face,
    /,
    notebook: str,
    assignments: Assignments,
    more: Assignments,
    detach: bool,
    **options: Any,
) -> RunResult:
    """Execute a notebook once.

    It runs in the project's worker, with the values that you give in place of those in its
    parameters cell. The notebook itself stays as it is; the executed copy is kept in runs/.

    \b
    Examples:
      jupyter mlops run report.ipynb
      jupyter mlops run train.ipynb depth=3 rate=0.1 name="my model"
    """
    project, request = run_request(notebook, assignments, more, **options)
    sweep = _submitted(project, request)
    return follow_single(face, sweep, detach=detach)


@click.command("sweep", cls=Command, help=_SWEEP_HELP)
@click.argument("notebook", type=NotebookType())
@click.argument("assignments", type=AssignmentType(), nargs=-1, metavar="[NAME=SPACE]...")
@click.option("--metric", metavar="NAME", help="Metric that ranks the runs.")
@click.option(
    "--maximize/--minimize",
    default=None,
    help="Direction of the metric; unasked, a loss or an error is minimised.",
)
@click.option("--zip", "zipped", is_flag=True, help="First values together, second ones together…")
@click.option(
    "--random", "samples", type=click.IntRange(1), metavar="N", help="Draw N points of the grid."
)
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "random"]),
    help="Choose the points one by one: tpe looks closer where the metric was good, random draws "
    "them. Ranges and log scales count as such, lists as choices. Needs the extra [optuna].",
)
@click.option(
    "--trials", type=click.IntRange(1), metavar="N", help="How many runs the sampler makes."
)
@click.option(
    "--seed",
    type=int,
    metavar="S",
    help="What --random and --sampler start from; 0 unless given.",
)
@click.option(
    "--prune",
    type=click.Choice(["asha"]),
    help="Stop runs whose metric, as they log it, lags behind that of the others at the same "
    "step. Needs the extra [optuna].",
)
@click.option(
    "--prune-steps",
    type=click.IntRange(1),
    metavar="N",
    help="Step of the first look; unasked, it follows from the first run that succeeds.",
)
@click.option(
    "--prune-factor",
    type=click.IntRange(2),
    metavar="N",
    help="One in N goes on at each look, and each comes at N times the step; 3 unless given.",
)
@click.option(
    "--from",
    "file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Take the points from a .csv, .json or .jsonl file.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Run nothing: tell which cells all runs share, and what sharing others would save.",
)
@_execution_options
@click.pass_obj
def sweep(
    face: Face,
    /,
    notebook: str,
    assignments: Assignments,
    more: Assignments,
    detach: bool,
    file: str | None,
    zipped: bool,
    explain: bool,
    **options: Any,
) -> SweepResult | SharingResult | Message:
    """Execute a notebook over a parameter space, in parallel."""
    project, request = sweep_request(notebook, assignments, more, file, zipped, **options)
    if explain:
        return _explained(project, request)
    result = _submitted(project, request)
    if not detach and face.follow(result):
        face.failed = result.status != "succeeded"
        return result
    return result if face.is_cell else result.receipt()


def run_request(
    notebook: str, assignments: Assignments, more: Assignments, **options: Any
) -> tuple[Project, SubmitRequest]:
    """Return the project and the request that the arguments of ``run`` mean."""
    from ..core.runs import SweepKind

    project, request = _request(notebook, options)
    request.kind = SweepKind.RUN
    request.space = merged(assignments, more)
    return project, request


def sweep_request(
    notebook: str,
    assignments: Assignments,
    more: Assignments,
    file: str | None,
    zipped: bool,
    **options: Any,
) -> tuple[Project, SubmitRequest]:
    """Return the project and the request that the arguments of ``sweep`` mean."""
    space = merged(assignments, more)
    _check_combination(space, file, zipped, options)
    samples = options.pop("samples")
    seed = options.pop("seed")
    project, request = _request(notebook, options)
    request.space = space
    request.mode = "zip" if zipped else "random" if samples else "grid"
    request.samples, request.seed = samples, seed
    if file is not None:
        request.file_text, request.file_suffix = _read_points(Path(file))
    return project, request


def _check_combination(
    space: dict[str, str], file: str | None, zipped: bool, options: dict[str, Any]
) -> None:
    if zipped and options["samples"]:
        raise click.UsageError("--zip and --random exclude each other. Choose one.")
    if file is not None and (space or zipped or options["samples"]):
        raise click.UsageError("--from names all points. Leave out other values, --zip, --random.")
    if options["seed"] is not None and not options["samples"] and not options["sampler"]:
        raise click.UsageError("--seed needs --random N or --sampler.")
    _check_search(file is not None or zipped or bool(options["samples"]), options)


def _check_search(chosen: bool, options: dict[str, Any]) -> None:
    """Refuse options of adaptive search that do not go together."""
    if options["sampler"] and chosen:
        raise click.UsageError(
            "--sampler chooses the points itself. Leave out --zip, --random, --from."
        )
    if bool(options["sampler"]) != bool(options["trials"]):
        raise click.UsageError("--sampler and --trials N need each other.")
    if not options["prune"] and (options["prune_steps"] or options["prune_factor"]):
        raise click.UsageError("--prune-steps and --prune-factor need --prune asha.")
    if not options["metric"] and (options["prune"] or options["sampler"] == "tpe"):
        need = "--prune" if options["prune"] else "--sampler tpe"
        raise click.UsageError(f"{need} needs --metric NAME.")


def _request(notebook: str, options: dict[str, Any]) -> tuple[Project, SubmitRequest]:
    from ..app.caller import locate
    from ..app.messages import SubmitRequest
    from ..core.resources import parse_memory

    memory = options.pop("memory")
    project, path = locate(notebook)
    request = SubmitRequest(
        notebook=path, memory=parse_memory(memory) if memory is not None else None, **options
    )
    return project, request


def _submitted(project: Project, request: SubmitRequest) -> SweepResult:
    from ..app.caller import submit
    from ..results import SweepResult

    client, view, seq = submit(project, request)
    return SweepResult(client.project, view, seq)


def _explained(project: Project, request: SubmitRequest) -> SharingResult:
    from ..results import explain_sharing

    return explain_sharing(project, request)


def _read_points(path: Path) -> tuple[str, str]:
    """Return the text and the suffix of a file of points."""
    from ..core.exceptions import InvalidInput

    try:
        if path.stat().st_size > _MAX_FILE:
            raise InvalidInput(f"{path} is larger than 50 MB. Split it.", field="from")
        return path.read_text("utf-8"), path.suffix
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InvalidInput(f"{path} cannot be read: {reason}.", field="from") from error
