"""Folders under version control: by git where that is the folder's own, and by DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..core.exceptions import InvalidInput

#: So that a commit asks for nothing: no name, no key, no hook of the user's.
_COMMIT = (
    *("-c", "user.name=jupyter-mlops", "-c", "user.email=jupyter-mlops@localhost"),
    *("-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"),
    *("commit", "--quiet", "--message", "Begin"),
)
#: Variables that would point git at another repository than the folder's.
_ELSEWHERE = frozenset(["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"])


def make_repository(folder: Path) -> None:
    """Let DVC know a folder that we have made, and commit it to a git repository of its own.

    In a folder of somebody else's git repository, and without git, DVC works without it, so that
    nothing outside of the folder changes. A git repository that is there already gets no commit.
    Does nothing where DVC is at home already. Raises `InvalidInput` if git or DVC refuse.
    """
    if (folder / ".dvc").exists():
        return
    new = not (folder / ".git").exists()
    dvc = (sys.executable, "-m", "dvc", "init", "--quiet")
    if shutil.which("git") is None or _is_anothers(folder):
        _run(folder, *dvc, "--no-scm")
        return
    if new:
        _run(folder, "git", "init", "--quiet")
    _run(folder, *dvc)
    if new:
        _run(folder, "git", "add", "--all")
        _run(folder, "git", *_COMMIT)


def _is_anothers(folder: Path) -> bool:
    """Whether a git repository above the folder would see it."""
    if (folder / ".git").exists():
        return False
    inside = _asks_git(folder, "rev-parse", "--is-inside-work-tree")
    return inside and not _asks_git(folder, "check-ignore", "--quiet", str(folder))


def _asks_git(folder: Path, *question: str) -> bool:
    command = ["git", *question]
    asked = subprocess.run(  # noqa: S603 - fixed words, no shell
        command, check=False, cwd=folder, env=_environment(), capture_output=True
    )
    return asked.returncode == 0


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(  # noqa: S603 - git and DVC, with fixed words
        command,
        check=False,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["it failed"])[-1]
        raise InvalidInput(f"{folder} cannot become a repository: {Path(command[0]).name}: {last}")
