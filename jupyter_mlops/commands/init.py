"""``init``: a folder becomes a project."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Command, Face

if TYPE_CHECKING:
    from ..core.scaffolds import Plan
    from ..results import Message


@click.command("init", cls=Command)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--dry", is_flag=True, help="Only show what would be written.")
@click.option("--force", is_flag=True, help="Replace other files of the same names, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def init(face: Face, folder: Path, dry: bool, force: bool, yes: bool) -> Message:
    """Make DIR (here unless it is given) a project, with all that one needs.

    That is git and DVC, a pipeline in dvc.yaml with a notebook that has parameters, a lock file,
    settings, a devcontainer, pre-commit, what git needs for notebooks (nbstripout, nbdime), and
    workflows for GitHub Actions and CircleCI. No network is used.

    A folder that does not exist, or is empty, is filled at once. Elsewhere you see what will be
    written and are asked, unless --yes is given; where nobody can be asked, as in a cell or a
    script, it is refused without --yes. Files that are there stay as they are: .gitignore,
    .gitattributes and pyproject.toml get what they lack at their end, and others are replaced
    only with --force. Either all is written or nothing.

    \b
    Examples:
      jupyter mlops init churn
      jupyter mlops init --dry
      jupyter mlops init --yes
    """
    from ..app.scaffold_plan import plan_project
    from ..app.scaffold_writing import write_project
    from ..reports.scaffolds import scaffold_record, scaffold_report
    from ..results import Message

    plan = plan_project(folder, force=force)
    if dry or not plan.changes:
        return Message(scaffold_report(plan, "would"), scaffold_record(plan, written=False))
    if not plan.fresh and not yes and not _agreed(face, plan, folder, force=force):
        return Message("Nothing was written.", scaffold_record(plan, written=False))
    write_project(plan)
    return Message(scaffold_report(plan, "done"), scaffold_record(plan, written=True))


def _agreed(face: Face, plan: Plan, folder: Path, *, force: bool) -> bool:
    """Show what will be written and ask. Raises `InvalidInput` where nobody can answer."""
    from ..core import formats
    from ..core.exceptions import InvalidInput
    from ..core.scaffolds import Action
    from ..reports import as_text
    from ..reports.scaffolds import scaffold_report

    replaced = [each.path for each in plan.written if each.action is Action.REPLACE]
    question = "Write this?"
    if replaced:
        question = f"Write this, and replace {formats.counted(len(replaced), 'file')}?"
    face.note(as_text(scaffold_report(plan, "will")))
    agreed = face.ask(question)
    if agreed is None:
        words = ["mlops", "init", *([] if folder == Path() else [shlex.quote(str(folder))])]
        call = face.prefix + " ".join([*words, *(["--force"] if force else [])])
        raise InvalidInput(
            f"{plan.folder} is not empty, and nobody can be asked here. "
            f"Look: {call} --dry; then: {call} --yes"
        )
    return agreed
