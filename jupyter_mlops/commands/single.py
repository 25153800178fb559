"""Commands whose work is a single run: what it may be told, queueing it, and following it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .base import Face

if TYPE_CHECKING:
    from ..results import RunResult, SweepResult

F = TypeVar("F", bound=Callable[..., Any])


def single_run_options(function: F) -> F:
    """Add what commands that queue a run of ours may be told about it."""
    options = [
        click.option("--cpus", metavar="N", type=click.IntRange(1), help="Cores to hold; 1."),
        click.option("--memory", metavar="SIZE", help="Memory to hold, such as 2GB."),
        click.option("--timeout", metavar="S", type=click.FloatRange(0, min_open=True),
                     help="Seconds that it may take."),
        click.option("--priority", metavar="N", type=int, default=0, help="Higher ones go first."),
        click.option("--kernel", metavar="NAME",
                     help="Kernel in whose environment the work is done; python3."),
        click.option("--detach", is_flag=True, help="Return as soon as it is queued."),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def queue_single(
    face: Face,
    operation: Any,
    body: Any,
    *,
    detach: bool,
    memory: str | None,
    name: str | None = None,
) -> RunResult:
    """Queue a request's run, with the environment of who asks, and follow it.

    ``name`` is that of the model that the operation is about.
    """
    from ..app import operations as ops
    from ..app.caller import caller_environment
    from ..app.client import connect
    from ..app.projects import find_project
    from ..core.resources import parse_memory
    from ..core.runs import ATTEMPT_VARIABLE
    from ..results import SweepResult

    project = find_project(Path.cwd())
    body.memory = parse_memory(memory) if memory else None
    body.environment = caller_environment(os.environ)
    body.parent_attempt = os.environ.get(ATTEMPT_VARIABLE)
    client = connect(project)
    seq = client.call(ops.STATUS).seq
    path = {} if name is None else {"name": name}
    view = client.call(operation, query=None, body=body, timeout=None, **path)
    return follow_single(face, SweepResult(project, view, seq), detach=detach)


def follow_single(face: Face, sweep: SweepResult, *, detach: bool) -> RunResult:
    """Return the run of a sweep once it has ended, or at once if ``detach``.

    A failed run is raised as `RunFailed`; as JSON it is printed, and the exit code tells.
    """
    from ..api import raise_for_failure

    followed = not detach and face.follow(sweep)
    result = sweep.single()
    if followed:
        if face.json:
            face.failed = result.status != "succeeded"
        else:
            raise_for_failure(result.view)
    return result
