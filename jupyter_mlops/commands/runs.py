"""``runs``: what was executed, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .base import Face, Group
from .compare import compare
from .types import FieldType, RunType

if TYPE_CHECKING:
    from ..app.messages import ResumptionView
    from ..results import Message, RunList, RunResult, Shown

#: Rows that are shown to a person who names no limit.
_ROWS = 30

STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")


@click.group("runs", cls=Group)
def runs() -> None:
    """List, show, compare, cancel, retry and delete runs.

    An ID is that of a run, such as k3m9x2ab-4, or of a whole sweep, such as k3m9x2ab. The first
    letters of a sweep's id are enough: k3 or k3-4.
    """


@runs.command("list")
@click.option("--sweep", "sweep_id", type=RunType(), metavar="ID", help="Only this sweep's runs.")
@click.option("--status", type=click.Choice(STATUSES), help="Only runs in this state.")
@click.option("--where", metavar="CONDITION", help="Only runs that fit, such as metrics.auc > 0.9.")
@click.option(
    "--sort", type=FieldType(), metavar="FIELD", help="By a field; -FIELD: highest first."
)
@click.option("--limit", type=click.IntRange(1, 100_000), metavar="N", help="So many at most.")
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out so many.")
@click.pass_obj
def list_runs(
    face: Face,
    sweep_id: str | None,
    status: str | None,
    where: str | None,
    sort: str | None,
    limit: int | None,
    offset: int,
) -> RunList:
    """List runs, newest first; those of a sweep best first.

    A CONDITION compares params.NAME, metrics.NAME, tags.NAME and facts (id, sweep, kind, index,
    notebook, experiment, stage, status, reason, error, attempts, duration, created, started,
    finished) by = != < <= > >=, like and in; and, or, not and parentheses join comparisons. What a
    run lacks fits no comparison; = null asks for it. A name with other characters is written
    metrics["val loss"]. The same fields sort, several with commas between them. NaN comes last,
    then what is missing.

    \b
    Examples:
      jupyter mlops runs list --status failed
      jupyter mlops runs list --where "metrics.auc > 0.9 and params.depth = 3"
      jupyter mlops runs list --where "started > '2d ago'" --sort -metrics.auc --limit 10
      jupyter mlops runs list --sweep k3m9x2ab --json
    """
    from ..api import runs as all_runs

    if sweep_id is not None and sort is None:
        found = all_runs(sweep_id, status=status, where=where)
        return found.ranked(limit=limit, offset=offset)
    if limit is None and not face.json and sweep_id is None:
        limit = _ROWS
    return all_runs(sweep_id, status=status, where=where, sort=sort, limit=limit, offset=offset)


@runs.command("show")
@click.argument("id", type=RunType())
@click.option("--follow", is_flag=True, help="Stay until it has finished.")
@click.option("--notebook", is_flag=True, help="Write a run's notebook as far as it has come.")
@click.option("--artifact", metavar="PATH", help="Show a file that a run kept, with its sha256.")
@click.option("--output", metavar="FILE", help="With --artifact: fetch it, or all of a folder.")
@click.pass_obj
def show(
    face: Face,
    id: str,  # noqa: A002
    follow: bool,
    notebook: bool,
    artifact: str | None,
    output: str | None,
) -> Shown:
    """Show a run, what it is printing and what it kept, or a sweep with its ranking.

    \b
    Examples:
      jupyter mlops runs show k3m9x2ab
      jupyter mlops runs show k3m9x2ab-4
      jupyter mlops runs show k3 --follow
      jupyter mlops runs show k3m9x2ab-4 --notebook
      jupyter mlops runs show k3m9x2ab-4 --artifact plots/roc.png --output roc.png
    """
    from ..api import get
    from ..results import SweepResult, fetched, written

    if output is not None and artifact is None:
        raise click.UsageError("--output needs --artifact PATH, the file to fetch.")
    found = get(id)
    if artifact is not None:
        return fetched(found, artifact, output)
    if notebook:
        return written(found)
    if follow:
        sweep = found if isinstance(found, SweepResult) else found.sweep
        if not found.view.status.finished and not face.follow(sweep):
            return sweep if face.is_cell else sweep.receipt()
        face.failed = found.status != "succeeded"
    return found


runs.add_command(compare)


@runs.command("cancel")
@click.argument("ids", type=RunType(), nargs=-1, required=True, metavar="ID...")
def cancel(ids: tuple[str, ...]) -> Message:
    """Cancel runs or whole sweeps: what waits never starts, what runs is stopped.

    \b
    Example:
      jupyter mlops runs cancel k3m9x2ab
    """
    from ..api import get
    from ..results import together

    return together([get(each).cancel() for each in ids], "Cancelled")


@runs.command("retry")
@click.argument("ids", type=RunType(), nargs=-1, required=True, metavar="ID...")
@click.option(
    "--from-failed-cell",
    is_flag=True,
    help="Keep what earlier cells put out, and go on with the notebook as it is now.",
)
@click.option("--yes", is_flag=True, help="With --from-failed-cell: do not ask.")
@click.pass_obj
def retry(face: Face, ids: tuple[str, ...], from_failed_cell: bool, yes: bool) -> Message:
    """Run again what failed or was cancelled: single runs, or all of a sweep's.

    With --from-failed-cell the cells before the failed one are executed again only to restore the
    kernel's state: their outputs and metrics stay as they are. They must not have changed since.
    From the failed cell on the notebook runs as it is now, so that you can mend it first.

    \b
    Examples:
      jupyter mlops runs retry k3m9x2ab
      jupyter mlops runs retry k3m9x2ab-4 --from-failed-cell
    """
    from ..api import get
    from ..results import Message, SweepResult, together

    found = [get(each) for each in ids]
    if not from_failed_cell:
        return together([each.retry() for each in found], "Queued again")
    for each in found:
        if isinstance(each, SweepResult):
            raise click.UsageError(f"{each.id} is a sweep. Name a run of it, such as {each.id}-1.")
    single = [each for each in found if not isinstance(each, SweepResult)]
    if not yes and not _agree(face, single):
        return Message("Nothing was queued.", [])
    return together([each.retry(from_failed_cell=True) for each in single], "Queued again")


def _agree(face: Face, found: Sequence[RunResult]) -> bool:
    """Ask whether earlier cells may be executed again. Raises `click.UsageError` if none can."""
    plans = [plan for plan in (each.resumption() for each in found) if plan.cell > 1]
    if not plans:
        return True
    answer = face.ask(" ".join([*map(_plan_line, plans), "Go on?"]))
    if answer is None:
        raise click.UsageError("Earlier cells are executed again. Add --yes if they may be.")
    return answer


def _plan_line(plan: ResumptionView) -> str:
    from ..core import formats

    took = f" ({formats.duration(plan.seconds)})" if plan.seconds is not None else ""
    cells = "Cell 1" if plan.cell == 2 else f"Cells 1 to {plan.cell - 1}"
    verb = "is" if plan.cell == 2 else "are"
    return f"{cells} of {plan.run_id} {verb} executed again{took}, the notebook goes on from there."


@runs.command("delete")
@click.argument("ids", type=RunType(), nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(face: Face, ids: tuple[str, ...], yes: bool) -> Message:
    """Delete runs or whole sweeps, with their output notebooks and what was tracked of them.

    \b
    Example:
      jupyter mlops runs delete k3m9x2ab
    """
    from ..api import get
    from ..results import Message, SweepResult

    found = {each.id: each for each in map(get, ids)}.values()
    count = sum(each.view.total if isinstance(each, SweepResult) else 1 for each in found)
    what = "1 run with its output notebook" if count == 1 else f"{count:,} runs with their outputs"
    if not yes and not face.confirm(f"Delete {what}?"):
        return Message("Nothing was deleted.", [])
    for each in found:
        each.delete()
    return Message(f"Deleted {what}.", [each.id for each in found])
