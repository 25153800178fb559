"""What all commands have in common: where they were typed, ``--json`` and ``--debug``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from ..results import PipelineResult, SweepResult


class Face(Protocol):
    """Where a command was typed: a shell or a cell."""

    #: How ``mlops`` is called there.
    prefix: str
    #: Whether it is a cell, whose process stays.
    is_cell: bool
    #: What the options of the same names say.
    json: bool
    debug: bool
    #: Set by a command whose work ended badly without an error: the exit code is 1.
    failed: bool
    #: What stands below the line of a cell; None in a shell.
    body: str | None
    #: Set by a command that ends as another program did; None: the exit code follows from failed.
    exit_code: int | None

    def note(self, text: str) -> None:
        """Tell something that is not the result."""
        ...

    def confirm(self, question: str) -> bool:
        """Ask whether to do what cannot be undone; a cell and a script mean yes."""
        ...

    def ask(self, question: str) -> bool | None:
        """Ask for an agreement; None where nobody can answer."""
        ...

    def follow(self, sweep: SweepResult) -> bool:
        """Show a sweep's progress until it ends; False if the user left before that."""
        ...

    def follow_pipeline(self, pipeline: PipelineResult) -> bool:
        """Show a pipeline run's progress until it ends; False if the user left before that."""
        ...


def _flag(name: str) -> Callable[[click.Context, click.Parameter, bool], bool]:
    def note(context: click.Context, _parameter: click.Parameter, value: bool) -> bool:
        if value and context.obj is not None:
            setattr(context.obj, name, True)
        return value

    return note


def _common_options() -> list[click.Option]:
    return [
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_flag("json"),
            is_eager=True,
            help="Print the result as JSON.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_flag("debug"),
            is_eager=True,
            help="Show the traceback of an error.",
        ),
    ]


class Command(click.Command):
    """A command with the options that every command has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())


class CommandBefore(Command):
    """A command before ``--``, which keeps what follows it as it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put aside what follows."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_FOLLOWING] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


def following(context: click.Context) -> tuple[str, ...]:
    """Return what follows ``--``."""
    words: tuple[str, ...] = context.meta.get(_FOLLOWING, ())
    return words


_FOLLOWING = "jupyter_mlops.following"


class Group(click.Group):
    """A noun whose commands have the options that every command has."""

    command_class = Command
    group_class = type


class Root(Group):
    """The tree's root, which lists its commands in the order of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were added."""
        return list(self.commands)
