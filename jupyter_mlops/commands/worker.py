"""``worker``: the process that executes a project's runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import Command

if TYPE_CHECKING:
    from ..app.client import Client
    from ..app.messages import HealthView
    from ..results import Message

#: Seconds that a worker may take to end its runs.
_PATIENCE = 60.0


@click.command("worker", cls=Command)
@click.option("--stop", is_flag=True, help="End it; the runs that it executes are retried later.")
@click.option("--status", is_flag=True, help="Say how it is, without starting one.")
def worker(stop: bool, status: bool) -> Message:
    """Start the project's worker, or say who serves already.

    Commands, notebooks and the panel start it when they need it, and it ends when nothing is left
    to do, so that there is seldom a reason to do this by hand.

    \b
    Examples:
      jupyter mlops worker --status
      jupyter mlops worker --stop
    """
    from ..app.client import Client, connect
    from ..app.projects import find_project
    from ..results import Message

    if stop and status:
        raise click.UsageError("--stop and --status exclude each other. Choose one.")
    project = find_project(Path.cwd())
    client = Client(project) if stop or status else connect(project)
    health = client.alive()
    if health is None:
        return Message(f"No worker serves {project.root}.", {"serving": False})
    if stop:
        return _stop(client, health)
    return _describe(client, health)


def _describe(client: Client, health: HealthView) -> Message:
    from ..app import operations as ops
    from ..core import formats
    from ..reports import Report
    from ..results import Message
    from ..results.base import fields

    state = client.call(ops.STATUS)
    load = f"{state.running:,} running, {state.queued:,} queued"
    details = [f"{load}; {state.cores_used} of {formats.counted(state.cores, 'core')} in use."]
    if state.problem:
        details.append(state.problem)
    report = Report(
        headline=f"Worker {health.pid} serves {health.project} "
        f"(version {health.version}, begun {formats.ago(health.started_at)}).",
        details=tuple(details),
        hints=(("End it", "mlops worker --stop"),),
    )
    record: dict[str, Any] = {"serving": True, **fields(health), "status": state}
    return Message(report, record)


def _stop(client: Client, health: HealthView) -> Message:
    import psutil

    from ..app import messages as m
    from ..app import operations as ops
    from ..core.exceptions import Conflict
    from ..results import Message

    try:
        process = psutil.Process(health.pid)
        client.call(ops.DRAIN, body=m.DrainRequest(now=True))
        process.wait(timeout=_PATIENCE)
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired as error:
        raise Conflict(
            f"Worker {health.pid} has not ended within {_PATIENCE:.0f} s. "
            f"See its log in .mlops/logs, or end it with: kill {health.pid}"
        ) from error
    return Message(f"Worker {health.pid} has ended.", {"serving": False, "pid": health.pid})
