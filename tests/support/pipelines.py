"""Small DVC projects in the styles of public ones, and DVC itself beside us."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "fixtures" / "pipelines"

#: Each is a folder of ``tests/fixtures/pipelines``.
STYLES = sorted(path.name for path in FOLDER.iterdir())

#: Where DVC's root lies, if it is not git's.
ROOTS = {"monorepo": "ml"}

#: Makes what a style needs besides its files, in its DVC repository; it is not part of it.
_SETUP = "setup.sh"


def lay_out(name: str, folder: Path) -> Path:
    """Make a git repository of a style in a folder, and return the root of its DVC repository."""
    root = folder / ROOTS.get(name, ".")
    root.mkdir(parents=True)
    repository(folder, root)
    ignored = shutil.ignore_patterns(_SETUP)
    shutil.copytree(FOLDER / name, folder, ignore=ignored, dirs_exist_ok=True)
    if (FOLDER / name / _SETUP).is_file():
        _run("sh", "-e", str(FOLDER / name / _SETUP), cwd=root)
    commit(folder)
    return root


def repository(folder: Path, root: Path | None = None, *, dvc: bool = True) -> None:
    """Make a folder a git repository, and it or a folder below it a DVC repository."""
    _run("git", "init", "--quiet", cwd=folder)
    if dvc:
        shutil.copytree(_template(), root or folder, dirs_exist_ok=True)


def commit(folder: Path) -> None:
    """Commit everything in a folder."""
    _run("git", "add", "--all", cwd=folder)
    _run("git", "commit", "--quiet", "--message", "Lay it out", cwd=folder)


def dvc(root: Path, *arguments: str) -> str:
    """Run DVC in a repository and return what it printed."""
    return _run(sys.executable, "-m", "dvc", *arguments, cwd=root)


def mlops(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``jupyter mlops pipeline`` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter_mlops", "pipeline", *arguments],
        check=False,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def dag(root: Path) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the nodes and edges of ``dvc dag``; an edge leads downstream."""
    nodes, edges = set(), set()
    for line in dvc(root, "dag", "--dot").splitlines():
        names = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
        nodes.update(names)
        if "->" in line:
            edges.add((names[0], names[1]))
    return nodes, edges


def written(root: Path) -> dict[str, str]:
    """Return all that DVC writes beside the data: dvc.lock, .dvc and .gitignore files.

    A .gitignore's lines are sorted: DVC adds them in the order in which stages end.
    """
    found = {}
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        if not path.is_file() or ".dvc" in place.parts[:-1]:
            continue
        if path.name == ".gitignore":
            found[place.as_posix()] = "\n".join(sorted(path.read_text("utf-8").splitlines()))
        elif path.name == "dvc.lock" or path.suffix == ".dvc":
            found[place.as_posix()] = path.read_text("utf-8")
    return found


def ran(printed: str) -> list[str]:
    """Return the stages that ``dvc repro`` says it ran, or would run."""
    return re.findall(r"^Running stage '(.+)':$", printed, re.MULTILINE)


def stale(root: Path) -> list[str]:
    """Return the stages that ``dvc status`` finds out of date."""
    return list(json.loads(dvc(root, "status", "--json").splitlines()[-1]))


@functools.cache
def _template() -> Path:
    """Return what ``dvc init`` makes, which is the same everywhere."""
    folder = Path(tempfile.mkdtemp(prefix="dvc-init-"))
    _run("git", "init", "--quiet", cwd=folder)
    dvc(folder, "init", "--quiet")
    shutil.rmtree(folder / ".git")
    return folder


def environment() -> dict[str, str]:
    """Return the variables for programs that find DVC and us as the tests do."""
    found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": found, "DVC_NO_ANALYTICS": "1", "NO_COLOR": "1"}


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
    return done.stdout
