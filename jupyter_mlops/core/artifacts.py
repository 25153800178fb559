"""Artifacts: the files that a run keeps, what their names say, and which paths may name one."""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader
from pathlib import PurePosixPath
from typing import Protocol

from .exceptions import NotAllowedPath
from .values import quote

#: Characters that a path may have.
_LONGEST = 4096

#: Media types by the end of a name. Whatever is not listed may be anything.
_TYPES = {
    "bmp": "image/bmp",
    "cfg": "text/plain",
    "csv": "text/csv",
    "gif": "image/gif",
    "htm": "text/html",
    "html": "text/html",
    "ini": "text/plain",
    "ipynb": "application/x-ipynb+json",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "jsonl": "text/plain",
    "latex": "text/latex",
    "log": "text/plain",
    "md": "text/markdown",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "py": "text/x-python",
    "r": "text/plain",
    "sql": "text/plain",
    "svg": "image/svg+xml",
    "toml": "text/plain",
    "tsv": "text/tab-separated-values",
    "txt": "text/plain",
    "webp": "image/webp",
    "yaml": "text/yaml",
    "yml": "text/yaml",
}
#: Files that have no such end.
_NAMED = {"MLmodel": "text/yaml"}
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that a run kept."""

    #: Relative to the run, with forward slashes.
    path: str
    #: Bytes; None if the store does not tell.
    size: int | None


class ArtifactStore(Protocol):
    """Files below one folder of a run. Blocking; may be used from several threads."""

    def list(self, limit: int) -> list[Artifact]:
        """Return the files at any depth, at most so many. Raises `TrackingUnavailable`."""
        ...

    def open(self, path: str) -> BufferedReader:
        """Open a file, which has a descriptor and lies on this machine.

        Raises `NotFound`, `NotAllowedPath`, `InvalidInput` and `TrackingUnavailable`.
        """
        ...


def is_plain(path: str) -> bool:
    """Whether a path stays below its folder on any system, and can be written in one line."""
    parts = path.split("/")
    if "\\" in path or not path.isprintable() or len(path) > _LONGEST:
        return False
    return all(part not in ("", ".", "..") for part in parts)


def checked_path(path: str) -> str:
    """Return a path that `is_plain`. Raises `NotAllowedPath` for any other."""
    if not is_plain(path):
        raise NotAllowedPath(
            f"{quote(path)} is no path of an artifact. Take one from: jupyter mlops runs show ID",
            field="path",
        )
    return path


def media_type(path: str) -> str:
    """Return the media type that a file's name promises."""
    name = PurePosixPath(path).name
    end = name.rpartition(".")[2].lower() if "." in name else ""
    return _NAMED.get(name) or _TYPES.get(end, UNKNOWN_TYPE)
