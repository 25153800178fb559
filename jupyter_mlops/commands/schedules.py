"""``schedules``: what is started at certain times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Face, Group
from .started import StartingCommand, action

if TYPE_CHECKING:
    from ..results import Message

#: Occasions that are shown to a person.
SHOWN = 30


@click.group("schedules", cls=Group)
def schedules() -> None:
    """Start runs, sweeps and pipeline runs at certain times.

    They start while the project's worker runs, with or without JupyterLab. It stays as long as
    there are schedules or triggers; to have it from each start of the machine on, use
    mlops worker --install.
    """


@schedules.command("add", cls=StartingCommand)
@click.argument("line", nargs=-1, metavar="LINE -- COMMAND...")
@click.option("--zone", metavar="ZONE", help="Time zone, like Europe/Zurich; else the machine's.")
@click.option(
    "--missed",
    type=click.Choice(["skip", "once"]),
    default="skip",
    help="What to do about times that passed while no worker ran or the machine slept: nothing, "
    "or start it once.",
)
@click.option(
    "--overlap",
    type=click.Choice(["skip", "queue"]),
    default="skip",
    help="What to do when it is due while the last one still runs: nothing, or start it then.",
)
@click.option("--name", metavar="NAME", help="What to call it.")
@click.pass_context
def add(
    context: click.Context,
    line: tuple[str, ...],
    zone: str | None,
    missed: str,
    overlap: str,
    name: str | None,
) -> Message:
    """Start a command at the times of a cron line.

    LINE has five fields, minute hour day month weekday, or is one of @hourly, @daily, @weekly,
    @monthly and @yearly. Put it in quotes in a shell. COMMAND is run, sweep or pipeline run with
    its options; it is checked now.

    A time that is left out when clocks are put forward is skipped, one that comes twice counts
    once. A line whose hour or minute begins with * goes by real time.

    \b
    Examples:
      jupyter mlops schedules add '0 6 * * mon-fri' --zone Europe/Rome -- run daily.ipynb
      jupyter mlops schedules add @hourly --missed once -- pipeline run --keep-going
    """
    from ..app import messages as m
    from ..app import operations as ops
    from ..app.client import connect
    from ..core.occasions import Missed, Overlap
    from ..reports.schedules import schedule_report
    from ..results import Message

    if not line:
        raise click.UsageError("Say when: mlops schedules add '0 6 * * mon-fri' -- run NB")
    project, request = action(context)
    body = m.ScheduleRequest(
        line=" ".join(line),
        action=request,
        zone=zone,
        missed=Missed(missed),
        overlap=Overlap(overlap),
        name=name,
    )
    view = connect(project).call(ops.ADD_SCHEDULE, body=body)
    return Message(schedule_report(view, "Added"), view)


@schedules.command("list")
def list_schedules() -> Message:
    """List the schedules, when they are due next, and what they did last.

    \b
    Example:
      jupyter mlops schedules list
    """
    from ..app import operations as ops
    from ..app.client import connect
    from ..app.projects import find_project
    from ..reports.schedules import schedules_report
    from ..results import Message

    views = connect(find_project(Path.cwd())).call(ops.LIST_SCHEDULES)
    return Message(schedules_report(views), views)


@schedules.command("show")
@click.argument("id")
@click.pass_obj
def show(face: Face, id: str) -> Message:  # noqa: A002
    """Show what a schedule started, what it did not, and why.

    \b
    Example:
      jupyter mlops schedules show k3m9x2ab
    """
    return occasions(id, limit=None if face.json else SHOWN)


def occasions(wanted: str, *, limit: int | None) -> Message:
    """Return what became of the occasions of a schedule or a trigger."""
    from ..app import messages as m
    from ..app import operations as ops
    from ..app.client import connect
    from ..app.projects import find_project
    from ..reports.schedules import fires_report
    from ..results import Message

    query = m.FiresQuery(of=wanted, limit=limit)
    views = connect(find_project(Path.cwd())).call(ops.LIST_FIRES, query=query)
    return Message(fires_report(views, wanted), views)


@schedules.command("remove")
@click.argument("id")
def remove(id: str) -> Message:  # noqa: A002
    """Remove a schedule by its id or name; what it has started goes on.

    \b
    Example:
      jupyter mlops schedules remove k3m9x2ab
    """
    from ..app import operations as ops
    from ..app.client import connect
    from ..app.projects import find_project
    from ..reports.schedules import schedule_report
    from ..results import Message

    view = connect(find_project(Path.cwd())).call(ops.REMOVE_SCHEDULE, schedule_id=id)
    return Message(schedule_report(view, "Removed"), view)
