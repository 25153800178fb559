"""Commands that are kept, to be started later: what stands behind ``--``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import pipeline, submit
from .base import Command

if TYPE_CHECKING:
    from ..app.messages import ActionRequest
    from ..app.projects import Project

_WORDS = "jupyter_mlops.started.words"


class StartingCommand(Command):
    """Keeps what follows ``--`` for `action`, which reads it as the command that it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split at the first ``--``."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_WORDS] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


def action(context: click.Context) -> tuple[Project, ActionRequest]:
    """Return what to start, and its project. Raises what the command itself would raise."""
    from ..app.messages import ActionRequest

    words: tuple[str, ...] = context.meta.get(_WORDS, ())
    match words:
        case ("run", *rest):
            project, request = submit.run_request(**_parsed(context, "run", submit.run, rest))
            return project, ActionRequest(submit=request)
        case ("sweep", *rest):
            options = _parsed(context, "sweep", submit.sweep, rest)
            if options.pop("explain"):
                raise click.UsageError("--explain starts nothing. Leave it out.")
            project, request = submit.sweep_request(**options)
            return project, ActionRequest(submit=request)
        case ("pipeline", "run", *rest):
            options = _parsed(context, "pipeline run", pipeline.run, rest)
            if options.pop("dry"):
                raise click.UsageError("--dry starts nothing. Leave it out.")
            project, piped = pipeline.pipeline_request(**options)
            return project, ActionRequest(pipeline=piped)
    raise click.UsageError("Say behind -- what to start: run NB, sweep NB or pipeline run.")


def _parsed(
    context: click.Context, name: str, command: click.Command, words: list[str]
) -> dict[str, Any]:
    """Return what the words after a command's name mean to it."""
    options = command.make_context(name, words, parent=context.find_root()).params
    options.pop("detach", None)
    return options
