"""What is said about an error, in a shell and in a cell: one line."""

from __future__ import annotations

import click

from ..core.exceptions import InvalidInput, MlopsError

FAILURE = 1
BAD_USAGE = 2


def describe(error: Exception) -> tuple[str, int]:
    """Return what to say about an error, in one line, and its exit code."""
    if isinstance(error, MlopsError):
        code = BAD_USAGE if isinstance(error, InvalidInput) else FAILURE
        return _one_line(error.message), code
    if isinstance(error, click.Abort):
        return "Interrupted.", FAILURE
    if isinstance(error, click.ClickException):
        line = _one_line(error.format_message())
        context = getattr(error, "ctx", None)
        if context is not None:
            line += f" Help: {context.command_path} --help"
        return line, BAD_USAGE
    line = _one_line(f"{type(error).__name__}: {error}")
    return f"{line} (Show the traceback with --debug.)", FAILURE


def _one_line(text: str) -> str:
    return " ".join(text.split())
