"""DVC's locks: held as DVC itself holds them, and waited for, saying who has them.

The lock of the repository is held while DVC's own work is done, never while a command runs. The
outputs of a stage are locked (DVC's *rwlock*) from its beginning to its end, its dependencies until
the plan is closed, so that another DVC process leaves them alone meanwhile.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from dvc.dependency.db import AbstractDependency
from dvc.dependency.repo import RepoDependency
from dvc.lock import LockError
from dvc.rwlock import rwlock

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import Stage

#: Seconds between two tries to get a lock; DVC offers nothing that could be awaited.
_PAUSE = 0.25


class Locks:
    """The locks of one repository. ``notify`` is told what we wait for, and "" at the end."""

    def __init__(self, repo: Repo, notify: Callable[[str], None]) -> None:
        self._repo = repo
        self._notify = notify
        self._writers: dict[Stage, contextlib.ExitStack] = {}
        self._readers = contextlib.ExitStack()
        self._read: set[str] = set()

    @contextlib.contextmanager
    def repository(self) -> Iterator[None]:
        """Hold the lock of the repository, after others if need be."""
        repo = self._repo
        self._wait(repo.lock.lock, self._holder)
        repo._lock_depth += 1  # noqa: SLF001  # what lock_repo does, which would drop the index
        try:
            yield
        finally:
            repo._lock_depth -= 1  # noqa: SLF001
            repo.lock.unlock()

    def hold(self, stage: Stage) -> None:
        """Lock the files of a stage, after others if need be. Needs the repository's lock."""
        new = [path for path in _paths(stage.deps) if path not in self._read]
        if new:
            # DVC counts no holders within a process, so that what one stage lets go of, another
            # that still reads it would lose. What is read stays locked to the end therefore.
            self._enter(self._readers, new, [])
            self._read.update(new)
        stack = contextlib.ExitStack()
        self._enter(stack, [], _paths(stage.outs))
        self._writers[stage] = stack

    def release(self, stage: Stage) -> None:
        """Let others have the outputs of a stage. Needs the repository's lock."""
        stack = self._writers.pop(stage, None)
        if stack is not None:
            stack.close()

    def release_all(self) -> None:
        """Let go of everything. Needs the repository's lock."""
        for stage in list(self._writers):
            self.release(stage)
        self._readers.close()
        self._read.clear()

    def _enter(self, stack: contextlib.ExitStack, read: list[str], write: list[str]) -> None:
        repo = self._repo
        hardlink = repo.config["core"].get("hardlink_lock", False)
        # The same words as DVC's own calls in this process use, which would else block each other.
        command = " ".join(sys.argv)

        def take() -> None:
            stack.enter_context(rwlock(repo.tmp_dir, repo.fs, command, read, write, hardlink))

        self._wait(take, _first_line)

    def _wait(self, take: Callable[[], object], explain: Callable[[LockError], str]) -> None:
        told = ""
        while True:
            try:
                take()
            except LockError as error:
                text = explain(error)
                if text != told:
                    self._notify(text)
                told = text
                time.sleep(_PAUSE)
            else:
                break
        if told:
            self._notify("")

    def _holder(self, error: LockError) -> str:
        path = Path(self._repo.lock.lockfile)
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            pid = int(path.read_text("utf-8").split()[0])
            command = " ".join(psutil.Process(pid).cmdline())
            return f"Waiting for process {pid} ({command[:100]}), which holds DVC's lock."
        return "Waiting for another process that holds DVC's lock."


def _first_line(error: LockError) -> str:
    """Return what DVC says of a file that is busy: the file, and which processes use it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    holders = ", ".join(line for line in lines[1:] if line.startswith("(PID"))
    return f"Waiting: {lines[0].rstrip(':')} {holders}".rstrip() + "."


def _paths(items: list[Output]) -> list[str]:
    # What lies in another repository or a database, nobody here can write.
    return [
        item.fs_path for item in items if not isinstance(item, RepoDependency | AbstractDependency)
    ]
