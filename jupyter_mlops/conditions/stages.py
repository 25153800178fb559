"""What dvc.yaml says of the stage whose command we are, without importing DVC."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.conditions import normal
from ..core.exceptions import MlopsError
from .files import read_values

_FILE = "dvc.yaml"
_PARAMS = "params.yaml"
_TEMPLATE = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A stage as dvc.yaml declares it; paths are seen from the folder in which it is executed."""

    name: str
    #: Its commands, a line for each.
    command: str
    outputs: tuple[str, ...]
    dependencies: tuple[str, ...]
    always_changed: bool

    def declares(self, path: str, among: Collection[str]) -> bool:
        """Whether a path, or a folder above it, is among some that may hold templates."""
        return any(_pattern(each).fullmatch(normal(path)) for each in among)


def find_declaration(address: str, root: Path, folder: Path) -> Declaration | None:
    """Find a stage by the address that DVC gave it, from the folder in which it is executed.

    An address is relative to the folder where DVC was called, which is not known. None if dvc.yaml
    does not tell, or not in this form.
    """
    path, colon, name = address.rpartition(":")
    file = path if colon else _FILE
    above = [each for each in (folder, *folder.parents) if each.is_relative_to(root)]
    for base in (*above, root):
        found = _stage(Path(os.path.normpath(base / file)), name, folder)
        if found is not None:
            return found
    return None


def _stage(file: Path, name: str, folder: Path) -> Declaration | None:
    if not file.is_file():
        return None
    try:
        content = read_values(file, file.name)
    except MlopsError:
        return None
    stages = content.get("stages") if isinstance(content, dict) else None
    if not isinstance(stages, dict):
        return None
    entry = stages.get(name, stages.get(name.partition("@")[0]))
    if isinstance(entry, dict) and isinstance(entry.get("do"), dict):
        entry = entry["do"]
    if not isinstance(entry, dict) or not _is_executed_in(entry, file, folder):
        return None
    return _declaration(name, entry)


def _is_executed_in(entry: Mapping[str, Any], file: Path, folder: Path) -> bool:
    wdir = str(entry.get("wdir") or ".")
    return "${" in wdir or Path(os.path.realpath(file.parent / wdir)) == folder


def _declaration(name: str, entry: Mapping[str, Any]) -> Declaration:
    command = entry.get("cmd") or ""
    outputs = (path for key in ("outs", "metrics", "plots") for path in _paths(entry.get(key)))
    always = entry.get("always_changed", False)
    return Declaration(
        name=name,
        command="\n".join(map(str, command)) if isinstance(command, list) else str(command),
        outputs=tuple(outputs),
        dependencies=(*_paths(entry.get("deps")), *_parameter_files(entry.get("params"))),
        always_changed=always is True or (isinstance(always, str) and "${" in always),
    )


def _paths(value: Any) -> Iterator[str]:
    """Yield the paths of a list whose entries are paths, or paths with options."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield from each
        elif each is not None:
            yield str(each)


def _parameter_files(value: Any) -> Iterator[str]:
    """Yield the files whose parameters a stage depends on."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield from each
        elif each is not None:
            yield _PARAMS


def _pattern(path: str) -> re.Pattern[str]:
    """Match a path that may hold templates, and all that lies below it."""
    texts = map(re.escape, _TEMPLATE.split(normal(path)))
    return re.compile(f"{'.*'.join(texts)}(/.*)?", re.DOTALL)
