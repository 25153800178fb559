"""Which files of the project this process reads, as Python opens them.

Needs the standard library alone: a kernel that was not forked executes this very file.
"""

from __future__ import annotations

import os
import sys
from typing import Any

#: Environment variables: the file that takes the paths, one in a line, and the project's folder.
REPORT = "JUPYTER_MLOPS_READS"
PROJECT = "JUPYTER_MLOPS_PROJECT"

#: Files that are remembered at most.
MOST = 10_000
#: Folders below which nothing is data or code of the user's.
_PASSED_OVER = ("/.git/", "/.mlops/", "/.dvc/", "/__pycache__/", "/.ipynb_checkpoints/")
_WRITES = os.O_WRONLY | os.O_RDWR


class Reads:
    """Takes note of each file once."""

    def __init__(self) -> None:
        self._watching = False
        self._seen: set[str] = set()
        self._root: str | None = None
        self._report: int | None = None

    def watch(self) -> None:
        """Take note of what is opened from now on, for good: such a hook cannot be taken away."""
        if self._watching:
            return
        self._watching = True

        # A function, not a method: Python asks it for `__cantrace__` at every event, of which there
        # are many (`id` is one), and a method takes ten times as long to say that it has none.
        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open":
                self._note(arguments)

        sys.addaudithook(hook)

    def begin(self) -> None:
        """Tell what was read, and from now on is, to the report of the attempt."""
        path, root = os.environ.get(REPORT), os.environ.get(PROJECT)
        if not path or not root:
            return
        self.watch()
        self._root = root.rstrip("/") + "/"
        self._report = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.set_inheritable(self._report, False)
        for each in sorted(self._seen):
            self._tell(each)

    def _note(self, arguments: tuple[Any, ...]) -> None:
        if type(path := arguments[0]) is not str:
            return
        if path in self._seen or len(self._seen) > MOST or arguments[2] & _WRITES:
            return
        if path[:1] != "/":
            path = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118
        elif self._root is not None and not path.startswith(self._root):
            return
        full = os.path.normpath(path)
        if full not in self._seen:
            self._seen.add(full)
            self._tell(full)

    def _tell(self, path: str) -> None:
        if self._report is None or self._root is None:
            return
        if not path.startswith(self._root) or path.endswith(".pyc") or "\n" in path:
            return
        if not any(each in f"{path}/" for each in _PASSED_OVER):
            os.write(self._report, path.encode("utf-8", "surrogateescape") + b"\n")


reads = Reads()

if __name__ == "mlops_reads":
    reads.begin()
