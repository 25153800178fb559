"""``worker``: the process that executes a project's runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import Command

if TYPE_CHECKING:
    from ..app.client import Client
    from ..app.messages import HealthView
    from ..app.projects import Project
    from ..app.service import Unit
    from ..reports import Report
    from ..results import Message

#: Seconds that a worker may take to end its runs.
_PATIENCE = 60.0


@click.command("worker", cls=Command)
@click.option("--stop", is_flag=True, help="End it; the runs that it executes are retried later.")
@click.option("--status", is_flag=True, help="Say how it is, without starting one.")
@click.option(
    "--install",
    is_flag=True,
    help="Keep it running from each start of the machine on, by a systemd user unit.",
)
@click.option("--uninstall", is_flag=True, help="Remove that unit.")
@click.option("--dry", is_flag=True, help="With --install: only show the unit.")
def worker(stop: bool, status: bool, install: bool, uninstall: bool, dry: bool) -> Message:
    """Start the project's worker, or say who serves already.

    Commands, notebooks and the panel start it when they need it, and it ends when nothing is left
    to do, so that there is seldom a reason to do this by hand.

    \b
    Examples:
      jupyter mlops worker --status
      jupyter mlops worker --stop
      jupyter mlops worker --install
    """
    from ..app.client import Client, connect
    from ..app.projects import find_project
    from ..results import Message

    chosen = {"--stop": stop, "--status": status, "--install": install, "--uninstall": uninstall}
    given = [name for name, is_set in chosen.items() if is_set]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other. Choose one.")
    if dry and not install:
        raise click.UsageError("--dry goes with --install.")
    project = find_project(Path.cwd())
    if install or uninstall:
        return _install(project, dry=dry) if install else _uninstall(project)
    client = Client(project) if stop or status else connect(project)
    health = client.alive()
    if health is None:
        return Message(f"No worker serves {project.root}.", {"serving": False})
    if stop:
        return _stop(client, health)
    return _describe(client, health)


def _install(project: Project, *, dry: bool) -> Message:
    from ..app import service
    from ..results import Message

    unit = service.unit_of(project, os.environ)
    record = {"path": str(unit.path), "unit": unit.name, "text": unit.text, "running": False}
    if dry:
        return Message(unit.text.rstrip(), record)
    service.install(unit)
    if not service.answers():
        return Message(_by_hand(unit), record)
    waits = _make_way(project)
    service.start(unit)
    return Message(_installed(unit, waits), record | {"running": True})


def _make_way(project: Project) -> bool:
    """End a worker that does nothing, so that the unit's serves; True if it has to finish."""
    from ..app import operations as ops
    from ..app.client import Client

    client = Client(project)
    health = client.alive()
    if health is None:
        return False
    state = client.call(ops.STATUS)
    if state.running or state.queued:
        return True
    _stop(client, health)
    return False


def _installed(unit: Unit, waits: bool) -> Report:
    from ..reports import Report

    details = [f"systemd keeps the worker running: {unit.name}"]
    if waits:
        details.append("The present worker still has runs; end it and they go on in the new one.")
    hints = [("Its log", f"journalctl --user -u {unit.name}")]
    if waits:
        hints.append(("End the present one", "mlops worker --stop"))
    hints.append(("Have it run while you are logged out", "loginctl enable-linger"))
    hints.append(("Remove it", "mlops worker --uninstall"))
    return Report(headline=f"Wrote {unit.path}", details=tuple(details), hints=tuple(hints))


def _by_hand(unit: Unit) -> Report:
    from ..reports import Report

    return Report(
        headline=f"Wrote {unit.path}",
        details=("No systemd of yours answers here. Where it does, type:",),
        hints=(
            ("Read it", "systemctl --user daemon-reload"),
            ("Start it now and always", f"systemctl --user enable --now {unit.name}"),
            ("Have it run while you are logged out", "loginctl enable-linger"),
        ),
    )


def _uninstall(project: Project) -> Message:
    from ..app import service
    from ..results import Message

    unit = service.unit_of(project, os.environ)
    record = {"path": str(unit.path), "unit": unit.name}
    if not service.uninstall(unit):
        return Message(f"There is no {unit.path}.", record)
    return Message(f"Removed {unit.path}.", record)


def _describe(client: Client, health: HealthView) -> Message:
    from ..app import operations as ops
    from ..core import formats
    from ..reports import Report
    from ..reports.resources import busy
    from ..results import Message
    from ..results.base import fields

    state = client.call(ops.STATUS)
    load = f"{state.running:,} running, {state.queued:,} queued"
    details = [f"{load}; {busy(state)} in use."]
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
