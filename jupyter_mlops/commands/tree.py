"""The root of the command tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import __version__
from .base import Face, Root
from .clean import clean
from .demo import demo
from .doctor import doctor
from .endpoints import endpoints, serve
from .export import export
from .features import features
from .image import image
from .init import init
from .models import models, register
from .pipeline import pipeline
from .predict import check, monitor, predict
from .runs import runs
from .schedules import schedules
from .submit import run, sweep
from .track import log, track
from .triggers import triggers
from .when import when
from .worker import worker

if TYPE_CHECKING:
    from ..app.client import Client
    from ..results import Message

_USEFUL = (
    ("mlops sweep NB NAME=1,2,3 --metric NAME", "try values of a notebook's parameters"),
    ("mlops run NB NAME=VALUE", "execute a notebook once"),
    ("mlops runs list", "what was executed, newest first"),
    ("mlops register NAME ID", "make the best run's model a version of a model"),
    ("mlops doctor", "check the set-up"),
)


@click.group(
    "mlops",
    cls=Root,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", message="jupyter-mlops %(version)s")
@click.pass_context
def tree(context: click.Context) -> Message | None:
    """Run notebooks over parameters, track the runs, register the best models.

    \b
    Examples:
      jupyter mlops demo
      jupyter mlops sweep train.ipynb depth=3,5,7 rate=0.1,0.01 --metric auc
      jupyter mlops runs list

    In a notebook the same commands follow %mlops, after %load_ext jupyter_mlops. For completion in
    bash: eval "$(_JUPYTER_MLOPS_COMPLETE=bash_source jupyter-mlops)"
    """
    return _overview(context.obj) if context.invoked_subcommand is None else None


def _overview(face: Face) -> Message:
    """Show what is running, and the most useful commands."""
    from ..app.client import Client
    from ..app.projects import find_project
    from ..reports import Column, Report, Table
    from ..results import Message

    project = find_project(Path.cwd())
    client = Client(project)
    lines, record = _running(client) if client.alive() else ([], [])
    rows = ((_called(command, face.prefix), what) for command, what in _USEFUL)
    report = Report(
        headline=lines[0] if lines else f"Nothing is running in {project.root.name}.",
        details=tuple(lines[1:]),
        table=Table.of((Column("command"), Column("what it does")), rows),
        hints=(("All commands", "mlops --help"),),
    )
    return Message(report, record)


def _called(command: str, prefix: str) -> str:
    return f"{prefix}{command}"


def _running(client: Client) -> tuple[list[str], list[object]]:
    """Return a line for the project and for each unfinished sweep, and those sweeps."""
    from ..app import messages as m
    from ..app import operations as ops
    from ..reports.resources import busy
    from ..reports.runs import sweep_headline
    from ..reports.schedules import upcoming_line

    state = client.call(ops.STATUS)
    upcoming = [upcoming_line(state.upcoming)] if state.upcoming else []
    if not state.running and not state.queued:
        idle = f"Nothing is running in {client.project.root.name}."
        return [state.problem or idle, *upcoming], []
    sweeps = client.call(ops.LIST_SWEEPS, query=m.ListQuery(limit=50))
    going = [sweep for sweep in sweeps if not sweep.status.finished]
    first = f"{state.running:,} running · {state.queued:,} queued · {busy(state)}"
    problem = [state.problem] if state.problem else []
    lines = [f"{sweep.id}  {sweep_headline(sweep)}" for sweep in going]
    return [first, *problem, *lines, *upcoming], list(going)


COMMANDS = (
    run,
    sweep,
    runs,
    pipeline,
    schedules,
    triggers,
    models,
    endpoints,
    features,
    register,
    track,
    log,
    when,
    init,
    image,
    demo,
    doctor,
    clean,
    worker,
)

for each in (serve, predict, check, monitor, export):
    models.add_command(each)

for command in COMMANDS:
    tree.add_command(command)
