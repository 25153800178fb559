"""The shell's way in: ``jupyter mlops`` is the program ``jupyter-mlops``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from .commands.errors import BAD_USAGE, FAILURE, describe
from .commands.shell import Shell
from .commands.tree import tree

_COMPLETE = "_JUPYTER_MLOPS_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command, print its result, and return the exit code.

    0 is success, 1 a failure, 2 bad usage or refused input; ``when`` ends as its command does.
    """
    shell = Shell()
    try:
        result = tree.main(
            args=None if arguments is None else list(arguments),
            # The shell completes the program's own name.
            prog_name="jupyter-mlops" if _COMPLETE in os.environ else "jupyter mlops",
            complete_var=_COMPLETE,
            standalone_mode=False,
            obj=shell,
        )
        if isinstance(result, int):
            return result  # of --help and --version
        _show(shell, result)
    except BrokenPipeError:
        # Whoever read our output has had enough; Python must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except Exception as error:  # noqa: BLE001  # the top: every error becomes a line
        return _report_error(shell, error)
    if shell.exit_code is not None:
        return shell.exit_code
    return FAILURE if shell.failed else 0


def _show(shell: Shell, result: Any) -> None:
    from .commands.printing import print_json, print_report

    if result is None:
        return
    if shell.json:
        print_json(result.record())
    else:
        print_report(result.report(), shell.prefix)


def _report_error(shell: Shell, error: Exception) -> int:
    """Print one line about an error and return the exit code that it means."""
    if shell.debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return BAD_USAGE
    line, code = describe(error)
    click.echo(f"Error: {line}", err=True)
    return code
