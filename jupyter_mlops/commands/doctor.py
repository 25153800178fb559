"""``doctor``: is everything as it should be?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Command, Face

if TYPE_CHECKING:
    from ..app.projects import Project
    from ..results import Message


@click.command("doctor", cls=Command)
@click.option("--notify", is_flag=True, help="Also send a test to every notification.")
@click.option("--bench", is_flag=True, help="Measure the machine instead, for about a minute.")
@click.option(
    "--beside",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Compare with what --bench --json printed on another machine.",
)
@click.pass_obj
def doctor(face: Face, notify: bool, bench: bool, beside: Path | None) -> Message:
    """Check the set-up and say what to do about what is wrong.

    Looks at this Python, JupyterLab's extensions, the project's folders, its worker, tracking,
    kernels, disk space and notifications. The exit code is 1 if anything is not well.

    --bench measures what this machine achieves at common workloads: products of matrices, memory,
    disk, Parquet, scikit-learn, kernel starts, and a GPU if there is one. The figures are kept with
    the project, and shown beside those of other machines that were measured in it.

    \b
    Examples:
      jupyter mlops doctor
      jupyter mlops doctor --bench --json > laptop.json
      jupyter mlops doctor --bench --beside laptop.json
    """
    from ..app.projects import find_project

    if beside is not None and not bench:
        raise click.UsageError("--beside needs --bench.")
    if notify and bench:
        raise click.UsageError("Choose one of --notify and --bench.")
    project = find_project(Path.cwd())
    return _bench(face, project, beside) if bench else _check(face, project, notify)


def _check(face: Face, project: Project, notify: bool) -> Message:
    from ..app.checkup import check_up
    from ..reports import Column, Report, Table
    from ..results import Message

    findings = check_up(project, notify=notify)
    wrong = [each for each in findings if not each.ok]
    face.failed = bool(wrong)
    headline = "All is well." if not wrong else f"{len(wrong)} of {len(findings)} checks failed."
    rows = (
        (f"{'✓' if each.ok else '✗'} {each.name}", each.message)
        for each in sorted(findings, key=lambda each: each.ok)
    )
    table = Table.of((Column("check"), Column("finding")), rows)
    return Message(Report(headline=headline, table=table), findings)


def _bench(face: Face, project: Project, beside: Path | None) -> Message:
    from ..app import benching
    from ..reports.machines import machine_report
    from ..results import Message

    given = [benching.read(beside)] if beside is not None else []
    view = benching.bench(project, told=lambda name: face.note(f"Measuring: {name}"))
    others = given or benching.others(project, view)
    return Message(machine_report(view, others), view)
