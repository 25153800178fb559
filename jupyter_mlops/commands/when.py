"""``when``: a command on a condition, as a stage of a pipeline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import CommandBefore, Face, following

if TYPE_CHECKING:
    from ..results import Message


@click.command("when", cls=CommandBefore)
@click.argument("condition", metavar="CONDITION -- COMMAND...")
@click.option(
    "--decision",
    metavar="FILE",
    required=True,
    help="JSON file for what was decided and why; declare it as the stage's output.",
)
@click.option(
    "--else",
    "alternative",
    metavar="COMMAND",
    help="Run this if the condition is false: one string, split into words as a shell does.",
)
@click.pass_context
def when(
    context: click.Context, condition: str, decision: str, alternative: str | None
) -> Message | None:
    """Run a command if a condition holds, else another one or nothing.

    The decision with its reason is written to FILE before the command starts, and with its exit
    code when it has ended. The exit code is that of the command, 0 if nothing was run, 2 if the
    condition could not be evaluated: then nothing is run or written.

    No shell is started. A COMMAND that is one string is split into words; what only a shell has,
    such as && and >, needs: sh -c '…'

    \b
    A condition compares
      metrics("a.json").auc          a value of a JSON, YAML or TOML file
      params().train["max-depth"]    the same, of params.yaml
      champion("name").auc           a metric of the version with that alias
      model("name@alias")            the same, of any alias
      version("name", 3)             the same, of a version
      exists("file")                 whether there is such a file
    with < <= > >= == != in + - * / and or not, and min max abs round len.

    \b
    Examples:
      jupyter mlops when 'metrics("a.json").auc > metrics("b.json").auc' \\
          --decision decision.json --else "python deploy.py b" -- python deploy.py a
      jupyter mlops when \\
          'not champion("m") or metrics("m.json").auc > champion("m").auc' \\
          --decision promoted.json -- python promote.py
    """
    from ..app.deciding import Request, decide
    from ..core.exceptions import MlopsError

    face: Face = context.obj
    command = following(context)
    if not command:
        raise click.UsageError("Name the command to run: -- COMMAND")
    request = Request(condition, decision, command, alternative)
    # Standard output belongs to the record where JSON is asked for.
    made = decide(request, Path.cwd(), face.note, sys.stderr if face.json else None)
    if made.exit_code and face.is_cell:
        raise MlopsError(f"The command ended with exit code {made.exit_code}.")
    face.exit_code = made.exit_code
    if not face.json:
        return None
    from ..results import Message

    return Message(made.reason, made)
