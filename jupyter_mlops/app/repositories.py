"""Folders under version control: by git where that is the folder's own, and by DVC."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ..core.exceptions import InvalidInput

#: Who commits, so that it works where nobody has told git their name.
_COMMITTER = ("-c", "user.name=jupyter-mlops", "-c", "user.email=jupyter-mlops@localhost")


def make_repository(folder: Path) -> None:
    """Let DVC know a folder that we have made, and commit it to a git repository of its own.

    In a folder of somebody else's git repository, and without git, DVC works without it, so that
    nothing outside of the folder changes. Does nothing where DVC is at home already. Raises
    `InvalidInput` if git or DVC refuse.
    """
    if (folder / ".dvc").exists():
        return
    dvc = (sys.executable, "-m", "dvc", "init", "--quiet")
    if shutil.which("git") is None or _is_anothers(folder):
        _run(folder, *dvc, "--no-scm")
        return
    if not (folder / ".git").exists():
        _run(folder, "git", "init", "--quiet")
    _run(folder, *dvc)
    _run(folder, "git", "add", "--all")
    _run(folder, "git", *_COMMITTER, "commit", "--quiet", "--no-verify", "--message", "Begin")


def _is_anothers(folder: Path) -> bool:
    """Whether a git repository above the folder would see it."""
    if (folder / ".git").exists():
        return False
    inside = _asks_git(folder, "rev-parse", "--is-inside-work-tree")
    return inside and not _asks_git(folder, "check-ignore", "--quiet", str(folder))


def _asks_git(folder: Path, *question: str) -> bool:
    command = ("git", *question)
    asked = subprocess.run(command, check=False, cwd=folder, capture_output=True)  # noqa: S603 - fixed words
    return asked.returncode == 0


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(  # noqa: S603 - git and DVC, with fixed words
        command,
        check=False,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["it failed"])[-1]
        raise InvalidInput(f"{folder} cannot become a repository: {Path(command[0]).name}: {last}")
