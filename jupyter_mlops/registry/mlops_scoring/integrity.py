"""Whether a model's files are those that were registered. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Files that MLflow, or we, add beside a model after its hashes were taken.
ADDED = frozenset({"registered_model_meta", "model_card.json", "model_card.md"})
#: In place of a path: one hash of all files, where there are too many to name each in a tag.
ALL = ""


class Altered(Exception):
    """A model's files differ from what was registered."""


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file of a model, by its path with forward slashes."""
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}


def text_of(recorded: Mapping[str, str], most: int) -> str:
    """Return hashes as JSON of ``most`` characters at most: else one hash that stands for all."""
    text = json.dumps(recorded)
    return text if len(text) <= most else json.dumps({ALL: _of_all(recorded)})


def check(folder: Path, recorded: Mapping[str, str]) -> None:
    """Raise `Altered` unless a model's files have the recorded hashes; none recorded, all pass."""
    if not recorded:
        return
    if ALL in recorded:
        if _of_all(hashes(folder)) != recorded[ALL]:
            raise Altered("one of them was changed, added or removed")
        return
    present = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    for name in sorted({*recorded, *present} - ADDED):
        if name not in present:
            raise Altered(f"{name} is missing")
        if name not in recorded:
            raise Altered(f"{name} was added")
        if _sha256(present[name]) != recorded[name]:
            raise Altered(f"{name} was changed")


def _of_all(named: Mapping[str, str]) -> str:
    lines = (f"{named[name]} {name}\n" for name in sorted(named.keys() - ADDED))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not _compiled(path))


def _compiled(path: Path) -> bool:
    """Whether Python wrote it while it imported the model's code."""
    return path.parent.name == "__pycache__"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
