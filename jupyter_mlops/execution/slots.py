"""The ledger of cores: one lock file per core in the user's runtime folder.

Whoever holds a file's lock holds the core. The system frees the locks of a dead process, so that
the ledger is right whatever happens, without anybody to keep it.
"""

from __future__ import annotations

import fcntl
import math
import os
from pathlib import Path


class Slots:
    """One project's hold on the cores of the machine. Not for use from several threads."""

    def __init__(self, folder: Path, project: str, *, cores: int, limit: int | None = None) -> None:
        """Use ``folder`` as the ledger of ``cores`` slots, of which we take at most ``limit``."""
        self.cores = cores
        self.limit = min(cores, limit or cores)
        self.held = 0
        self._folder = folder
        self._wish = folder / f"wish-{project}"
        self._wishing: int | None = None

    def acquire(self, number: int) -> tuple[int, ...] | None:
        """Take slots, or none: returns their descriptors for `release`.

        Where other projects wait too, nobody takes more than an equal share.
        """
        if self.held + number > self.limit:
            return None
        if self.held and self.held + number > self._share():
            self._wait()
            return None
        taken: list[int] = []
        for index in range(self.cores):
            descriptor = _lock(self._folder / f"core-{index}")
            if descriptor is not None:
                taken.append(descriptor)
                if len(taken) == number:
                    break
        if len(taken) < number:
            _close(taken)
            self._wait()
            return None
        self.held += number
        self.content()
        return tuple(taken)

    def release(self, taken: tuple[int, ...]) -> None:
        """Give slots back."""
        _close(taken)
        self.held -= len(taken)

    def content(self) -> None:
        """Say that we no longer wait for a slot."""
        if self._wishing is not None:
            os.close(self._wishing)
            self._wishing = None

    @property
    def waiting(self) -> bool:
        """Whether we were refused slots that others hold, and want to be told no more of it."""
        return self._wishing is not None

    def held_by_all(self) -> int:
        """Count the slots that any project of this user holds."""
        free = 0
        for index in range(self.cores):
            descriptor = _lock(self._folder / f"core-{index}")
            if descriptor is not None:
                free += 1
                os.close(descriptor)
        return self.cores - free

    def _wait(self) -> None:
        if self._wishing is None:
            self._wishing = _lock(self._wish)

    def _share(self) -> int:
        others = 0
        for path in self._folder.glob("wish-*"):
            if path == self._wish:
                continue
            descriptor = _lock(path)
            if descriptor is None:
                others += 1
            else:
                os.close(descriptor)
        return math.ceil(self.cores / (others + 1))


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _close(descriptors: list[int] | tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
