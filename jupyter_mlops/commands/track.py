"""``track`` and ``log``: interactive work and scripts, recorded as runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any

import click

from .base import Command, CommandBefore, Face, following
from .types import Assignments, AssignmentType, merged

if TYPE_CHECKING:
    from ..results import Message
    from ..sessions import Session


@click.command("track", cls=CommandBefore)
@click.argument(
    "assignments", type=AssignmentType(), nargs=-1, metavar="[NAME=VALUE]... [-- PROGRAM]"
)
@click.option("--experiment", metavar="NAME", help="MLflow experiment.")
@click.option("--stop", is_flag=True, help="Close the session of this notebook.")
@click.option("--pid", type=click.IntRange(1), hidden=True)
@click.pass_context
def track(
    context: click.Context,
    assignments: Assignments,
    experiment: str | None,
    stop: bool,
    pid: int | None,
) -> Session | Message:
    """Record interactive work, or a program, as a run.

    In a notebook, %mlops track opens a session: what you log with %mlops log, mlops.log or plain
    MLflow goes to one run, until %mlops track --stop or the end of the kernel.

    In a shell it runs a program and records that.

    \b
    Examples:
      %mlops track --experiment ideas rate=0.1
      %mlops track --stop
      jupyter mlops track rate=0.1 -- python train.py --rate 0.1
    """
    from ..sessions import start_session

    face: Face = context.obj
    program = following(context)
    if stop:
        return _stop()
    parameters = {name: _value(name, text) for name, text in merged(assignments).items()}
    if pid is not None:
        return _open_for(pid, parameters, experiment)
    if program:
        return _run_program(face, program, parameters, experiment)
    if not face.is_cell:
        raise click.UsageError("Name a program: jupyter mlops track -- python train.py")
    return start_session(parameters, experiment=experiment, notebook=None, pid=os.getpid())


def _stop() -> Message:
    from ..core.exceptions import Conflict
    from ..results import Message
    from ..sessions import open_session, tracked_already

    session = open_session() or tracked_already()
    if session is None:
        raise Conflict("No session is open here. Open one with: %mlops track")
    session.stop()
    return Message(repr(session), session.record())


def _open_for(pid: int, parameters: dict[str, Any], experiment: str | None) -> Message:
    """Open a session for a kernel that has none of our dependencies."""
    from ..results import Message
    from ..sessions import start_session

    before = dict(os.environ)
    session = start_session(parameters, experiment=experiment, notebook=None, pid=pid)
    added = {name: text for name, text in os.environ.items() if before.get(name) != text}
    return Message(repr(session), {**session.record(), "environment": added})


def _run_program(
    face: Face, program: tuple[str, ...], parameters: dict[str, Any], experiment: str | None
) -> Message:
    from ..core.exceptions import InvalidInput
    from ..results import Message
    from ..sessions import start_session

    with start_session(
        parameters, experiment=experiment, notebook=None, pid=os.getpid()
    ) as session:
        try:
            # Standard output belongs to the record where JSON is asked for.
            code = _call(program, sys.stderr if face.json else None)
        except OSError as error:
            session.stop(error=f"{program[0]}: {error.strerror}")
            raise InvalidInput(f"{program[0]} cannot be run: {error.strerror}.") from error
        if code:
            session.stop(error=f"{program[0]} ended with exit code {code}.")
            face.failed = True
    return Message(repr(session), session.record())


def _call(program: tuple[str, ...], stdout: IO[str] | None) -> int:
    with subprocess.Popen(program, stdout=stdout) as process:  # noqa: S603  # the user's own
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # The program got it too, and decides.


def _value(name: str, text: str) -> Any:
    from ..core.exceptions import InvalidInput
    from ..core.language import parse_axis

    axis = parse_axis(text, None, name=name)
    if axis.count != 1:
        raise InvalidInput(f"{name}: give one value.", field=name)
    return axis.at(0)


@click.command("log", cls=Command)
@click.argument(
    "assignments", type=AssignmentType(), nargs=-1, required=True, metavar="NAME=VALUE..."
)
@click.option("--step", type=int, metavar="N", help="Step; counts on by itself unless given.")
@click.pass_obj
def log(face: Face, assignments: Assignments, step: int | None) -> Message | None:
    """Log metrics of the run, or of the session, that this belongs to.

    \b
    Examples:
      %mlops log loss=0.3 auc=0.71 --step 2
      jupyter mlops log loss=0.3          (within jupyter mlops track -- PROGRAM)
    """
    from ..core.exceptions import InvalidInput
    from ..metrics import flush, log_values
    from ..results import Message
    from ..sessions import current_session

    if not face.is_cell and current_session() is None:
        raise InvalidInput(
            "There is no session to log to. In a notebook use: %mlops log; "
            "in a shell: jupyter mlops track -- PROGRAM"
        )
    values = {name: _number(name, text) for name, text in merged(assignments).items()}
    log_values(values, step=step)
    if not face.is_cell:
        flush()
    return Message("", values) if face.json else None


def _number(name: str, text: str) -> float:
    from ..core.exceptions import InvalidInput

    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{name}: {text!r} is not a number.", field=name) from None
