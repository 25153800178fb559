"""Where a run comes from: git, Python, the machine, and what the notebook asks of MLflow.

Nothing here writes to the repository, runs its hooks or waits for a password.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.urls import without_secrets
from . import changes
from .client_calls import client_calls

#: Seconds for all git commands together.
GIT_TIMEOUT = 10.0
#: Bytes of the diff that are hashed.
DIFF_LIMIT = 64 * 1024 * 1024
#: Bytes of a notebook that is read for its MLflow calls.
NOTEBOOK_LIMIT = 64 * 1024 * 1024

#: Files in the git directory that tell that something is under way.
_STATES = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
#: Options that keep a repository's configuration from starting programs of its choice.
_HARMLESS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
#: Variables that would point git at another repository than the folder's.
_ELSEWHERE = frozenset(
    f"GIT_{name}"
    for name in (
        "ALTERNATE_OBJECT_DIRECTORIES",
        "COMMON_DIR",
        "DIR",
        "INDEX_FILE",
        "NAMESPACE",
        "OBJECT_DIRECTORY",
        "PREFIX",
        "WORK_TREE",
    )
)


#: What tells the facts of the repository around a folder.
Git = Callable[[Path], dict[str, Any] | None]


def capture(
    project: Path, notebook: str | None = None, *, git: Git | None = None
) -> dict[str, Any]:
    """Return the facts about a project and one of its notebooks, ready for JSON.

    ``git`` is None outside a repository; git's own failures are told in ``git["error"]``.
    """
    folder = (project / notebook).parent if notebook else project
    facts: dict[str, Any] = {
        "git": (git or git_facts)(folder),
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "host": socket.gethostname(),
        "user": _user(),
    }
    if notebook:
        facts["mlflow"] = client_calls(code_cells(project / notebook))
    return facts


def git_facts(
    folder: Path, *, timeout: float = GIT_TIMEOUT, keep: Path | None = None
) -> dict[str, Any] | None:
    """Return commit, branch, state and changes of the repository around a folder.

    With ``keep`` the changes are kept there as a patch, and ``changes`` tells of it. ``dirty`` and
    ``diff_sha256`` are about tracked files. A bare repository and a folder outside any repository
    give None. Everything is None that git could not tell within ``timeout`` seconds.
    """
    git = _Git(folder, time.monotonic() + timeout)
    try:
        where = git("rev-parse", "--is-inside-work-tree", "--absolute-git-dir").splitlines()
        if where[:1] != ["true"]:
            return None
        facts = _status(git("status", "--porcelain=v2", "--branch", "--untracked-files=no"))
        facts["state"] = _state(Path(where[1]))
        facts["remote"] = _remote(git)
        facts["diff_sha256"] = git.digest() if facts["dirty"] and facts["commit"] else None
        if keep is not None and facts["commit"]:
            facts |= _changes(git, Path(where[1]), facts, keep)
    except _NotARepository:
        return None
    except _GitFailed as error:
        return dict.fromkeys(_FACTS) | {"error": str(error)}
    return facts


_FACTS = ("commit", "branch", "detached", "unborn", "dirty", "state", "remote", "diff_sha256")


def index_state(folder: Path) -> tuple[str, float] | None:
    """Return what changes when git comes to know other files; None outside a repository."""
    for each in (folder, *folder.parents):
        index = each / ".git" / "index"
        if index.is_file():
            return str(index), index.stat().st_mtime
        if (each / ".git").exists():
            return str(each), time.monotonic()  # a worktree or submodule: look each time
    return None


def tracked_files(folder: Path, *, timeout: float = GIT_TIMEOUT) -> frozenset[str]:
    """Return the files below a folder that git knows, relative to it; none outside a repository."""
    git = _Git(folder, time.monotonic() + timeout)
    try:
        listed = git.read(("ls-files", "-z"), {})
    except (_NotARepository, _GitFailed):
        return frozenset()
    return frozenset(os.fsdecode(each) for each in listed.split(b"\0") if each)


def _changes(git: _Git, git_dir: Path, facts: dict[str, Any], into: Path) -> dict[str, Any]:
    """Keep the changes; return what is known of them, and where in the repository we are."""
    prefix = git("rev-parse", "--show-prefix").strip()
    top = Path(git("rev-parse", "--show-toplevel").strip())
    changed = bool(facts["dirty"])
    try:
        if changed and facts["diff_sha256"] is None:
            kept = changes.refused("The changes since the commit are too large to be kept.")
        else:
            kept = changes.keep_patch(git.read, top, git_dir, changed=changed, into=into)
    except (_GitFailed, OSError) as error:
        kept = changes.refused(f"The changes since the commit were not kept: {error}.")
    return {"folder": prefix, "changes": kept}


class _GitFailed(Exception):
    """git is missing, too slow, or refused to answer."""


class _NotARepository(Exception):
    """There is no repository."""


class _Git:
    """Runs git commands that only read, until a deadline."""

    def __init__(self, folder: Path, deadline: float) -> None:
        self._command = ("git", *_HARMLESS, "-C", str(folder))
        self._deadline = deadline
        self._environment = {
            **{name: text for name, text in os.environ.items() if name not in _ELSEWHERE},
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    def __call__(self, *arguments: str) -> str:
        return self.read(arguments, {}).decode(errors="replace")

    def read(self, arguments: Sequence[str], variables: Mapping[str, str]) -> bytes:
        """Return what git prints."""
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, no shell
                (*self._command, *arguments),
                env={**self._environment, **variables},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._remaining(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _GitFailed("git took too long") from None
        except OSError as error:
            raise _GitFailed(f"git cannot be started: {error.strerror}") from None
        if done.returncode == 0:
            return done.stdout
        message = done.stderr.decode(errors="replace").strip()
        if "not a git repository" in message:
            raise _NotARepository
        raise _GitFailed(message.splitlines()[0] if message else f"git {arguments[0]} failed")

    def digest(self) -> str | None:
        """Return the sha256 of all changes of tracked files; None if it is too long or slow."""
        command = (*self._command, "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv")
        sha, size = hashlib.sha256(), 0
        with subprocess.Popen(  # noqa: S603 - a fixed program, no shell
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - it was asked for
            clock = threading.Timer(self._remaining(), process.kill)
            clock.start()
            while (chunk := process.stdout.read(1 << 16)) and size <= DIFF_LIMIT:
                sha.update(chunk)
                size += len(chunk)
            process.stdout.close()  # git ends if it has more to say
            clock.cancel()
        return sha.hexdigest() if process.returncode == 0 and not chunk else None

    def _remaining(self) -> float:
        return max(0.01, self._deadline - time.monotonic())


def _status(text: str) -> dict[str, Any]:
    """Read ``git status --porcelain=v2 --branch``."""
    headers = dict(re.findall(r"^# branch\.(\w+) (.*)$", text, re.MULTILINE))
    oid, head = headers.get("oid", ""), headers.get("head", "")
    return {
        "commit": None if oid == "(initial)" else oid or None,
        "branch": None if head == "(detached)" else head or None,
        "detached": head == "(detached)",
        "unborn": oid == "(initial)",
        "dirty": any(line and not line.startswith("#") for line in text.splitlines()),
    }


def _state(git_dir: Path) -> str | None:
    return next((word for name, word in _STATES.items() if (git_dir / name).exists()), None)


def _remote(git: _Git) -> str | None:
    try:
        return without_secrets(git("config", "--get", "remote.origin.url").strip()) or None
    except _GitFailed:  # there is no remote
        return None


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return None


def code_cells(notebook: Path) -> list[str]:
    """Return the sources of a notebook's code cells; none if it cannot be read."""
    try:
        if notebook.stat().st_size > NOTEBOOK_LIMIT:
            return []
        content = json.loads(notebook.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    cells = content.get("cells") if isinstance(content, dict) else None
    return [
        source if isinstance(source, str) else "".join(map(str, source))
        for cell in (cells if isinstance(cells, list) else ())
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
        for source in [cell.get("source", "")]
        if isinstance(source, str | list)
    ]
