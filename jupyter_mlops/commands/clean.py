"""``clean``: what is old goes, unless a model version needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Command, Face

if TYPE_CHECKING:
    from ..app.messages import CleanView
    from ..results import Message

#: What each kind is, for a person.
_WHAT = {
    "runs": "output notebooks",
    "artifacts": "artifacts of runs in MLflow",
    "snapshots": "notebooks as they were submitted",
    "journals": "journals",
    "logs": "logs",
    "store": "events in the store",
}

#: Model versions that are named.
_NAMED = 3


@click.command("clean", cls=Command)
@click.option("--older-than", metavar="AGE", help="Finished runs of that age, like 30d or 12h.")
@click.option("--dry", is_flag=True, help="Only show what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def clean(face: Face, older_than: str | None, dry: bool, yes: bool) -> Message:
    """Remove finished runs of some age, and files that nothing refers to.

    With a run go its output notebook, journals, logs and, for good, what MLflow keeps of it in the
    project's own store. What a registered model version needs stays. Without --older-than the
    setting "retention" says how old; if it is not set, no run goes.

    \b
    Examples:
      jupyter mlops clean --older-than 30d --dry
      jupyter mlops clean --older-than 2w
    """
    from ..app import messages as m
    from ..app import operations as ops
    from ..app.client import connect
    from ..app.projects import find_project
    from ..core.ages import parse_age
    from ..results import Message

    seconds = parse_age(older_than) if older_than is not None else None
    client = connect(find_project(Path.cwd()))

    def ask(*, dry: bool) -> CleanView:
        request = m.CleanRequest(older_than=seconds, dry=dry)
        return client.call(ops.CLEAN, body=request, timeout=None)

    view = ask(dry=True)
    if dry or (not view.items and not view.runs):
        return _message(view)
    if not yes and not face.confirm(f"Remove {_summary(view)}?"):
        return Message("Nothing was removed.", view)
    return _message(ask(dry=False))


def _summary(view: CleanView) -> str:
    from ..core import formats

    size = formats.size(view.size)
    if not view.runs:
        return f"files that nothing refers to ({size})"
    return f"{formats.counted(len(view.runs), 'run')} ({size})"


def _message(view: CleanView) -> Message:
    from ..core import formats
    from ..reports import Column, Report, Table
    from ..results import Message

    if not view.items and not view.runs:
        return Message(Report(headline="There is nothing to remove.", details=_kept(view)), view)
    verb = "Would remove" if view.dry else "Removed"
    columns = (
        Column("kind"),
        Column("what"),
        Column("count", right=True),
        Column("size", right=True),
    )
    rows = (
        (each.kind, _WHAT[each.kind], f"{each.count:,}", formats.size(each.size))
        for each in view.items
    )
    report = Report(
        headline=f"{verb} {_summary(view)}.", details=_kept(view), table=Table.of(columns, rows)
    )
    return Message(report, view)


def _kept(view: CleanView) -> tuple[str, ...]:
    from ..core import formats

    if not view.kept:
        return ()
    versions = sorted(set(view.kept.values()))
    more = ", …" if len(versions) > _NAMED else ""
    names = ", ".join(versions[:_NAMED]) + more
    return (f"{formats.counted(len(view.kept), 'run')} stay: needed by {names}.",)
