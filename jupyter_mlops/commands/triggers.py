"""``triggers``: what is started when something else happens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Face, Group
from .schedules import SHOWN, occasions
from .started import StartingCommand, action
from .types import NotebookType

if TYPE_CHECKING:
    from ..app.projects import Project
    from ..results import Message

_KINDS = ("file", "alias", "run", "sweep", "pipeline", "http")


@click.group("triggers", cls=Group)
def triggers() -> None:
    """Start runs, sweeps and pipeline runs when something else happens.

    They start while the project's worker runs, with or without JupyterLab. What a trigger started
    does not set it off again, neither directly nor through others; at most eight triggers follow
    one another.
    """


@triggers.command("add", cls=StartingCommand)
@click.option(
    "--file",
    metavar="PATH",
    help="The content of a file changed, such as an output of DVC; of one that a pattern matches "
    "(in quotes), or of one in a folder.",
)
@click.option("--alias", metavar="MODEL@ALIAS", help="The alias was pointed at a version.")
@click.option("--run", type=NotebookType(), metavar="NB", help="A run of the notebook ended.")
@click.option("--sweep", type=NotebookType(), metavar="NB", help="A sweep of it ended.")
@click.option("--pipeline", metavar="FOLDER", help="A pipeline run in that folder ended.")
@click.option("--http", is_flag=True, help="Its address was called, with a token of the server.")
@click.option(
    "--on",
    "ending",
    type=click.Choice(["succeeded", "failed", "finished"]),
    help="How that run, sweep or pipeline run must have ended; finished unless given.",
)
@click.option(
    "--accept",
    metavar="NAME",
    multiple=True,
    help="A parameter that a call may set; may be given several times.",
)
@click.option("--name", metavar="NAME", help="What to call it.")
@click.argument("rest", nargs=-1, metavar="-- COMMAND...")
@click.pass_context
def add(
    context: click.Context,
    /,
    ending: str | None,
    accept: tuple[str, ...],
    name: str | None,
    rest: tuple[str, ...],
    **given: str | bool | None,
) -> Message:
    """Start a command when something happens.

    COMMAND is run, sweep or pipeline run with its options; it is checked now. A file that is
    touched without a change sets nothing off, changes while no worker ran do.

    \b
    Examples:
      jupyter mlops triggers add --file data/raw.csv -- run prepare.ipynb
      jupyter mlops triggers add --run prepare.ipynb --on succeeded -- pipeline run train
      jupyter mlops triggers add --alias late-flights@champion -- run deploy.ipynb
      jupyter mlops triggers add --http --accept day -- run report.ipynb
    """
    from ..app import messages as m
    from ..app import operations as ops
    from ..app.client import connect
    from ..core.occasions import Ending, TriggerKind
    from ..reports.schedules import trigger_report
    from ..results import Message

    if rest:
        raise click.UsageError(f"Put -- before the command: -- {' '.join(rest)}")
    chosen = [(kind, given[kind]) for kind in _KINDS if given[kind]]
    if len(chosen) != 1:
        options = ", ".join(f"--{kind}" for kind in _KINDS)
        raise click.UsageError(f"Say what sets it off, with one of {options}.")
    kind, value = TriggerKind(chosen[0][0]), str(chosen[0][1])
    if ending is not None and kind not in ("run", "sweep", "pipeline"):
        raise click.UsageError("--on goes with --run, --sweep or --pipeline.")
    project, request = action(context)
    body = m.TriggerRequest(
        kind=kind,
        action=request,
        subject=_subject(project, kind, value),
        ending=Ending(ending or Ending.FINISHED),
        accept=list(accept),
        name=name,
    )
    view = connect(project).call(ops.ADD_TRIGGER, body=body)
    return Message(trigger_report(view, "Added"), view)


def _subject(project: Project, kind: str, value: str) -> str:
    """Return what a trigger waits for, paths being taken from the current folder."""
    from ..app.caller import locate
    from ..core.exceptions import NotAllowedPath

    if kind == "http":
        return ""
    if kind == "alias":
        return value
    if kind in ("run", "sweep"):
        return locate(value)[1]
    path = os.path.relpath(Path.cwd().resolve() / value, project.root)
    if path.startswith(os.pardir):
        raise NotAllowedPath(f"{value} lies outside {project.root.name}. Choose one inside it.")
    return Path(path).as_posix()


@triggers.command("list")
def list_triggers() -> Message:
    """List the triggers and what they did last.

    \b
    Example:
      jupyter mlops triggers list
    """
    from ..app import operations as ops
    from ..app.client import connect
    from ..app.projects import find_project
    from ..reports.schedules import triggers_report
    from ..results import Message

    views = connect(find_project(Path.cwd())).call(ops.LIST_TRIGGERS)
    return Message(triggers_report(views), views)


@triggers.command("show")
@click.argument("id")
@click.pass_obj
def show(face: Face, id: str) -> Message:  # noqa: A002
    """Show what a trigger started, what it did not, and why.

    \b
    Example:
      jupyter mlops triggers show k3m9x2ab
    """
    return occasions(id, limit=None if face.json else SHOWN)


@triggers.command("remove")
@click.argument("id")
def remove(id: str) -> Message:  # noqa: A002
    """Remove a trigger by its id or name; what it has started goes on.

    \b
    Example:
      jupyter mlops triggers remove k3m9x2ab
    """
    from ..app import operations as ops
    from ..app.client import connect
    from ..app.projects import find_project
    from ..reports.schedules import trigger_report
    from ..results import Message

    view = connect(find_project(Path.cwd())).call(ops.REMOVE_TRIGGER, trigger_id=id)
    return Message(trigger_report(view, "Removed"), view)
