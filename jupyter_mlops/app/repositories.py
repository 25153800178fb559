"""Folders under version control: by git where that is the folder's own, and by DVC."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ..core.exceptions import InvalidInput
from . import git

#: So that a commit asks for nothing: no key, no hook of the user's.
_COMMIT = (
    *("-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"),
    *("commit", "--quiet", "--message", "Begin"),
)
#: Whose a commit is where git does not know its user.
_NOBODY = ("-c", "user.name=jupyter-mlops", "-c", "user.email=jupyter-mlops@localhost")


def make_repository(folder: Path) -> None:
    """Let DVC know a folder that we have made, and commit it to a git repository of its own.

    In a folder of somebody else's git repository, and without git, DVC works without it, so that
    nothing outside of the folder changes. A git repository that is there already gets no commit.
    Does nothing where DVC is at home already. Raises `InvalidInput` if git or DVC refuse.
    """
    if (folder / ".dvc").exists():
        return
    new = not (folder / ".git").exists()
    if shutil.which("git") is None or _is_anothers(folder):
        begin_dvc(folder, "--no-scm")
        return
    if new:
        begin_git(folder)
    begin_dvc(folder)
    if new:
        commit_all(folder)


def begin_git(folder: Path, *options: str) -> None:
    """Make a git repository of a folder. Raises `InvalidInput` if git refuses."""
    _run(folder, "git", "init", "--quiet", *options)


def begin_dvc(folder: Path, *options: str) -> None:
    """Make a DVC repository of a folder. Raises `InvalidInput` if DVC refuses."""
    _run(folder, sys.executable, "-m", "dvc", "init", "--quiet", *options)


def commit_all(folder: Path) -> None:
    """Commit all files of a folder that git does not ignore, as its first commit."""
    _run(folder, "git", "add", "--all")
    known = all(git.setting(folder, f"user.{each}") for each in ("name", "email"))
    _run(folder, "git", *(() if known else _NOBODY), *_COMMIT)


def _is_anothers(folder: Path) -> bool:
    """Whether a git repository above the folder would see it."""
    if (folder / ".git").exists():
        return False
    inside = git.says_yes(folder, "rev-parse", "--is-inside-work-tree")
    return inside and not git.says_yes(folder, "check-ignore", "--quiet", str(folder))


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(  # noqa: S603 - git and DVC, with fixed words
        command,
        check=False,
        cwd=folder,
        env=git.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["it failed"])[-1]
        raise InvalidInput(f"{folder} cannot become a repository: {Path(command[0]).name}: {last}")
