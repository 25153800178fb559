"""Which projects have work left, so that a server that starts after a crash goes on with it."""

from __future__ import annotations

import os
from pathlib import Path

from .projects import Project


def marks_dir() -> Path:
    """Return the user's folder of marks, which outlives a restart of the machine."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "jupyter-mlops" / "unfinished"


def mark(project: Project, has_work: bool) -> None:
    """Note whether a project has runs that wait or run."""
    path = marks_dir() / project.id
    if has_work == path.exists():
        return
    if has_work:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(str(project.root), "utf-8")
    else:
        path.unlink(missing_ok=True)


def marked(within: Path) -> list[Path]:
    """Return the roots of the projects below a folder that have work left."""
    if not marks_dir().is_dir():
        return []
    roots = [Path(each.read_text("utf-8")) for each in sorted(marks_dir().iterdir())]
    return [root for root in roots if root.is_dir() and root.is_relative_to(within)]
