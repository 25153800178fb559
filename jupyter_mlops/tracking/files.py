"""The files that runs keep: below a folder of this machine, or in MLflow's store elsewhere."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.artifacts import Artifact, checked_path, is_plain
from ..core.exceptions import (
    Conflict,
    InvalidInput,
    NotAllowedPath,
    NotFound,
    TrackingUnavailable,
)
from ..core.formats import size as size_text
from ..core.urls import without_secrets
from ..core.values import quote
from ..mlflow_client import translated

if TYPE_CHECKING:
    from mlflow.entities import FileInfo
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

T = TypeVar("T")
log = logging.getLogger(__name__)

#: What MLflow calls a file that is still being written.
_UNFINISHED = ".artifact.uploading."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe without a writer would be waited for.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LocalFiles:
    """Files below a folder. Links are followed as long as they stay in it."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    def list(self, limit: int) -> list[Artifact]:
        """Return the files at any depth, by name, at most so many."""
        found: list[Artifact] = []
        for folder, folders, names in os.walk(self._root):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                relative = path.relative_to(self._root).as_posix()
                is_artifact = is_plain(relative) and not name.startswith(_UNFINISHED)
                size = self._size(path) if is_artifact else None
                if size is not None:
                    found.append(Artifact(path=relative, size=size))
                if len(found) >= limit:
                    return found
        return found

    def open(self, path: str) -> BufferedReader:
        """Open a regular file whose path, links resolved, stays in the folder."""
        wanted = os.path.realpath(self._root / checked_path(path))
        if not Path(wanted).is_relative_to(self._root):
            raise NotAllowedPath(
                f"{quote(path)} is a link that leads out of the run's artifacts. "
                "Open what it leads to by itself.",
                field="path",
            )
        try:
            return _open_below(self._root, Path(wanted).relative_to(self._root))
        except FileNotFoundError as error:
            raise _missing(path) from error
        except IsADirectoryError as error:
            raise _no_file(path) from error
        except OSError as error:
            raise Conflict(
                f"{quote(path)} cannot be read: {error.strerror}. Mend its permissions."
            ) from error

    def _size(self, path: Path) -> int | None:
        """Return the size of a regular file in the folder; None of anything else."""
        try:
            if path.is_symlink() and not path.resolve().is_relative_to(self._root):
                return None
            found = path.stat()
        except (OSError, RuntimeError):  # it has just gone, or a link leads to itself
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None


class OneFile(LocalFiles):
    """A single file of a folder that has others, too."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.parent)
        self._name = file.name

    def list(self, limit: int) -> list[Artifact]:
        """Return the file, if it is there."""
        size = self._size(self._root / self._name)
        return [] if size is None else [Artifact(path=self._name, size=size)]

    def open(self, path: str) -> BufferedReader:
        """Open the file."""
        if path != self._name:
            raise _missing(path)
        return super().open(path)


class RemoteFiles:
    """Files that MLflow fetches from where they are. What it names is not trusted."""

    def __init__(self, uri: str, tracking_uri: str) -> None:
        self._uri = uri
        self._tracking_uri = tracking_uri

    def list(self, limit: int) -> list[Artifact]:
        """Return the files at any depth, at most so many."""
        found: list[Artifact] = []
        folders = [""]
        while folders and len(found) < limit:
            folder = folders.pop(0)
            for each in self._call(partial(_children, folder=folder)):
                if each.is_dir:
                    folders.append(each.path)
                else:
                    found.append(Artifact(path=each.path, size=each.file_size))
        return sorted(found[:limit], key=lambda each: each.path)

    def open(self, path: str) -> BufferedReader:
        """Fetch a file to this machine's disk and open it; it is gone once it is closed."""
        parent = checked_path(path).rpartition("/")[0]
        siblings = self._call(lambda store: _children(store, parent))
        known = next((each for each in siblings if each.path == path), None)
        if known is None:
            raise _missing(path)
        if known.is_dir:
            raise _no_file(path)
        with tempfile.TemporaryDirectory(prefix="mlops-artifact-") as folder:
            _check_room(folder, path, known.file_size)
            # Its public methods write to where the store's own names lead.
            local = Path(folder, "file")
            self._call(lambda store: store._download_file(path, str(local)))  # noqa: SLF001
            return _open_below(local.parent, Path(local.name))

    def _call(self, use: Callable[[Any], T]) -> T:
        """Use MLflow's access to the store; whatever it raises is told in one line."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        try:
            with translated(self._tracking_uri):
                return use(get_artifact_repository(self._uri, tracking_uri=self._tracking_uri))
        except (NotFound, TrackingUnavailable):
            raise
        except Exception as error:  # each kind of storage raises errors of its own
            line = str(error).strip().split("\n", 1)[0] or type(error).__name__
            raise TrackingUnavailable(
                f"The artifact store {without_secrets(self._uri)} failed: {line:.300}"
            ) from error


def _children(repository: ArtifactRepository, folder: str) -> list[FileInfo]:
    """Return what a store says of a folder, leaving out what cannot lie in it."""
    found = []
    for each in repository.list_artifacts(folder or None):
        if is_plain(each.path) and each.path.rpartition("/")[0] == folder:
            found.append(each)
        else:
            log.warning("The artifact store names %r in %r, which is ignored.", each.path, folder)
    return found


def _open_below(root: Path, relative: Path) -> BufferedReader:
    """Open a regular file without following any link on the way from the root.

    Raises `IsADirectoryError` for whatever is none, and `OSError`.
    """
    *folders, name = relative.parts or (".",)
    here = os.open(root, _FOLDER)
    try:
        for folder in folders:
            inner = os.open(folder, _FOLDER, dir_fd=here)
            os.close(here)
            here = inner
        found = os.open(name, _FILE, dir_fd=here)
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise IsADirectoryError(errno.EISDIR, "It is no file", str(relative))
    return os.fdopen(found, "rb")


def _check_room(folder: str, path: str, size: int | None) -> None:
    free = shutil.disk_usage(folder).free
    if size is not None and size > free:
        raise Conflict(
            f"{quote(path)} has {size_text(size)}, but {folder} has only {size_text(free)} left. "
            "Free some space."
        )


def _missing(path: str) -> NotFound:
    return NotFound(
        f"The run kept no {quote(path)}. Take a path from: jupyter mlops runs show ID", field="path"
    )


def _no_file(path: str) -> InvalidInput:
    return InvalidInput(f"{quote(path)} is no file. Name a file in it.", field="path")
