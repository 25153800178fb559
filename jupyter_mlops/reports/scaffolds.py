"""What to say about a folder that is made a project."""

from __future__ import annotations

import shlex
from typing import Any

from ..core import formats
from ..core.scaffolds import Action, Plan, PlannedFile, Version
from .form import Column, Report, Table

_WORDS = {
    Action.CREATE: "new",
    Action.ADD: "lines added",
    Action.REPLACE: "replaced",
    Action.KEEP: "stays",
    Action.LEAVE_OUT: "left out",
}
_VERB = {"would": "Would make", "will": "Will make", "done": "Made"}


def scaffold_record(plan: Plan, *, written: bool) -> dict[str, Any]:
    """Return the plan for a program."""
    return {
        "folder": str(plan.folder),
        "written": written,
        "git": plan.git,
        "dvc": Version.BEGIN if plan.dvc else Version.THERE,
        "settings": dict(plan.settings),
        "files": [
            {"path": each.path, "action": each.action, "reason": each.reason or None}
            for each in plan.files
        ],
        "remarks": list(plan.remarks),
    }


def scaffold_report(plan: Plan, tense: str) -> Report:
    """Say what is, or would be, done with which file, and what comes next."""
    if not plan.changes:
        return Report(headline=f"{plan.folder} has all of it already.", details=plan.remarks)
    headline = f"{_VERB[tense]} {plan.folder} a project: {', '.join(_parts(plan))}."
    table = Table.of((Column("file"), Column(""), Column("why", spare=True)), _rows(plan))
    hints = _next(plan) if tense == "done" else ()
    return Report(headline=headline, details=plan.remarks, table=table, hints=hints)


def _parts(plan: Plan) -> list[str]:
    """Name what is done, in short."""
    parts = [formats.counted(len(plan.written), "file")] if plan.written else []
    parts += ["git"] if plan.git is Version.BEGIN else []
    parts += ["DVC"] if plan.dvc else []
    return parts + (["git's settings for notebooks"] if plan.settings else [])


def _rows(plan: Plan) -> list[tuple[str, str, str]]:
    rows = []
    if plan.git is Version.BEGIN:
        rows.append((".git/", "new", "with a first commit" if plan.fresh else ""))
    if plan.dvc:
        rows += [(".dvc/", "new", ""), (".dvcignore", "new", "")]
    rows += [(each.path, _WORDS[each.action], each.reason) for each in _sorted(plan)]
    return rows + [(f"git config {name}", "new", value) for name, value in plan.settings]


def _sorted(plan: Plan) -> list[PlannedFile]:
    """Return the files that are written, then those that are not as they would be."""
    others = [each for each in plan.files if not each.written and each.content != each.before]
    return [*plan.written, *others]


def _next(plan: Plan) -> tuple[tuple[str, str], ...]:
    way = f"cd {shlex.quote(str(plan.folder))} && "
    made = {each.path for each in plan.written}
    hints = []
    if "requirements.txt" in made:
        install = "python -m pip install -r requirements.txt"
        hints.append(("Install all of it, by network", f"{way}{install}"))
    if "dvc.yaml" in made:
        hints.append(("Run the pipeline", f"{way}jupyter mlops pipeline run"))
    if not plan.fresh:
        hints.append(("Look at what is new", f"{way}git status"))
    return (*hints, ("Open it", f"{way}jupyter lab"))
