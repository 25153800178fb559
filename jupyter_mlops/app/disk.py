"""Files of a project: which belong to a run, and how much space each kind takes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ..core import formats
from ..core.runs import Run
from .messages.housekeeping import Kind
from .projects import Project
from .tasks import output_path

#: The id of a run at the beginning of a file's name.
_RUN = re.compile(r"([0-9a-z]+-[0-9]+)\.")


def files_of(project: Project, runs: Collection[Run]) -> dict[Kind, list[Path]]:
    """Return the files of runs by their kind. Each folder is read once."""
    ids = {run.id for run in runs}
    folders = {output_path(project, run).parent for run in runs}
    found: dict[Kind, list[Path]] = {
        "runs": [path for folder in folders for path, run in _owned(folder) if run in ids]
    }
    kinds: tuple[Kind, ...] = ("journals", "logs")
    for kind in kinds:
        found[kind] = [path for path, run in by_run(project, kind).items() if run in ids]
    return found


def by_run(project: Project, kind: Kind) -> dict[Path, str]:
    """Return the journals or logs that belong to a run, whether or not it is still known."""
    return dict(_owned(project.state / kind))


def snapshots(project: Project, before: float) -> list[Path]:
    """Return the snapshots that were last asked for before a time, in seconds since the epoch."""
    folder = project.state / "snapshots"
    found = (path for suffix in (".ipynb", ".diff") for path in folder.glob(f"*{suffix}"))
    return [path for path in found if path.lstat().st_mtime < before]


def remove(paths: Iterable[Path], within: Path) -> None:
    """Remove files, and the folders below ``within`` that become empty."""
    folders: set[Path] = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    while folders:
        folder = folders.pop()
        if folder != within and folder.is_relative_to(within) and not any(folder.iterdir()):
            folder.rmdir()
            folders.add(folder.parent)


def usage(project: Project) -> dict[Kind, int]:
    """Return the bytes that each kind takes."""
    state = project.state
    found: dict[Kind, int] = {"runs": size(_files(project.root / "runs"))}
    for kind in ("artifacts", "snapshots", "journals", "logs"):
        found[kind] = size(_files(state / kind))
    databases = (each for name in ("store.db", "mlflow.db") for each in state.glob(f"{name}*"))
    found["store"] = size(databases)
    return found


def told(project: Project) -> str:
    """Write what each kind takes."""
    kinds = usage(project)
    return ", ".join(f"{kind} {formats.size(count)}" for kind, count in kinds.items())


def size(paths: Iterable[Path]) -> int:
    """Return the bytes of files; those that go away meanwhile take none."""
    total = 0
    for path in paths:
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def _owned(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder that are named after a run, and its id."""
    if folder.is_dir():
        found = ((path, _RUN.match(path.name)) for path in folder.iterdir() if path.is_file())
        yield from ((path, match[1]) for path, match in found if match)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
