"""``doctor``: is everything as it should be?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Command, Face

if TYPE_CHECKING:
    from ..results import Message


@click.command("doctor", cls=Command)
@click.option("--notify", is_flag=True, help="Also send a test to every notification.")
@click.pass_obj
def doctor(face: Face, notify: bool) -> Message:
    """Check the set-up and say what to do about what is wrong.

    Looks at this Python, JupyterLab's extensions, the project's folders, its worker, tracking,
    kernels, disk space and notifications. The exit code is 1 if anything is not well.
    """
    from ..app.checkup import check_up
    from ..app.projects import find_project
    from ..reports import Column, Report, Table
    from ..results import Message

    findings = check_up(find_project(Path.cwd()), notify=notify)
    wrong = [each for each in findings if not each.ok]
    face.failed = bool(wrong)
    headline = "All is well." if not wrong else f"{len(wrong)} of {len(findings)} checks failed."
    rows = (
        (f"{'✓' if each.ok else '✗'} {each.name}", each.message)
        for each in sorted(findings, key=lambda each: each.ok)
    )
    table = Table.of((Column("check"), Column("finding")), rows)
    return Message(Report(headline=headline, table=table), findings)
