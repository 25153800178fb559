"""Questions to git about a folder, and a repository's own settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from ..core.exceptions import InvalidInput

#: The first that is told by `git init` what to call the first branch.
MINIMUM = (2, 28)
#: Variables that would point git at another repository than the folder's.
_ELSEWHERE = frozenset(["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"])


def environment() -> dict[str, str]:
    """Return the variables with which git looks at the current folder's repository."""
    return {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}


def check_git() -> None:
    """Raise `InvalidInput` unless there is a git that is new enough."""
    wanted = ".".join(map(str, MINIMUM))
    if shutil.which("git") is None:
        raise InvalidInput(f"git is not installed. Install git {wanted} or newer.")
    told = _call(None, "--version").stdout.strip()
    found = re.search(r"(\d+)\.(\d+)", told)
    if found is None:
        raise InvalidInput(
            f"git does not tell its version ({told}). Install git {wanted} or newer."
        )
    if (int(found[1]), int(found[2])) < MINIMUM:
        raise InvalidInput(f"git {found[0]} is too old. Install git {wanted} or newer.")


def repository_of(folder: Path) -> Path | None:
    """Return the root of the repository that sees a folder, which need not exist yet.

    A repository that ignores the folder does not see it. Raises `InvalidInput` where git refuses
    to look.
    """
    there = nearest(folder)
    asked = _call(there, "rev-parse", "--show-toplevel")
    if asked.returncode:
        if "not a git repository" in asked.stderr:
            return None
        raise InvalidInput(f"git refuses to look at {there}: {_first(asked.stderr)}")
    top = Path(os.path.realpath(asked.stdout.removesuffix("\n")))
    if top != folder and not _call(there, "check-ignore", "--quiet", f"{folder}/").returncode:
        return None
    return top


def nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def uncommitted(folder: Path) -> list[str]:
    """Return the files below a folder that git tracks and that differ from the last commit."""
    asked = _call(folder, "status", "--porcelain", "--untracked-files=no", "-z", "--", ".")
    if asked.returncode:
        raise InvalidInput(f"git refuses to look at {folder}: {_first(asked.stderr)}")
    entries = iter(asked.stdout.split("\0"))
    found = []
    for each in entries:
        if each:
            found.append(each[3:])
        if each[:1] in ("R", "C"):
            next(entries, None)  # where it was before
    return found


def says_yes(folder: Path, *question: str) -> bool:
    """Whether git answers a question by success."""
    return _call(folder, *question).returncode == 0


def tracked(folder: Path, pattern: str) -> list[Path]:
    """Return the files below a folder that git tracks and a pattern matches."""
    asked = _call(folder, "ls-files", "-z", "--", pattern)
    return [folder / each for each in asked.stdout.split("\0") if each]


def setting(folder: Path, name: str) -> str | None:
    """Return what a setting of git is in a folder."""
    asked = _call(folder, "config", "--get", name)
    return asked.stdout.removesuffix("\n") if asked.returncode == 0 else None


def set_setting(folder: Path, name: str, value: str | None) -> None:
    """Change a setting of the folder's repository; None removes it. Raises `InvalidInput`."""
    change = ("--unset", name) if value is None else (name, value)
    done = _call(folder, "config", "--local", *change)
    if done.returncode:
        raise InvalidInput(f"git refuses the setting {name}: {_first(done.stderr)}")


def _call(folder: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - no shell
        ("git", *arguments),  # noqa: S607 - the user's git
        check=False,
        cwd=folder,
        env=environment() | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
    )


def _first(text: str) -> str:
    return next(iter(text.strip().splitlines()), "it failed")
