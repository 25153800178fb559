"""Folders of exported files, which are written again but never over what others wrote."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...core.exceptions import Conflict, NotFound

#: What is written of each file, beside them: hashes of its content.
RECORD = ".jupyter-mlops-export.json"

#: Text of a file, or what writes it to a path.
Content = str | Callable[[Path], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written for another system."""

    files: tuple[Path, ...]
    #: What was left out or is to be known, in a line each.
    notes: tuple[str, ...] = ()


def write(folder: Path, contents: Mapping[str, Content]) -> tuple[Path, ...]:
    """Write files into a folder, in place of those that were exported there before.

    Raises `Conflict` if another file is in the way, or an exported one was changed, and `NotFound`
    if the folder cannot be written. The files that are there stay as they are then.
    """
    if folder.exists() and not folder.is_dir():
        raise Conflict(f"{folder} is a file. Name another folder with --output.")
    known = _read(folder / RECORD)
    _refuse_others(folder, contents, known)
    aside = folder / f".export.{os.getpid()}"
    try:
        aside.mkdir(parents=True)
        hashes = _write_aside(aside, contents)
        # Until all have their names, each may be the old or the new one.
        both = {name: [*known.get(name, []), *hashes.get(name, [])] for name in {*known, *hashes}}
        _note(folder, both)
        _take_names(aside, folder, hashes)
        _remove(folder, known, known.keys() - hashes.keys())
        _note(folder, hashes)
    except OSError as error:
        raise NotFound(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return tuple(folder / name for name in contents)


def _refuse_others(folder: Path, names: Iterable[str], known: Mapping[str, list[str]]) -> None:
    for name in names:
        path = folder / name
        if not os.path.lexists(path):
            continue
        if name not in known:
            raise Conflict(f"{path} exists already. Remove it, or name another with --output.")
        if not _is_ours(path, known[name]):
            raise Conflict(
                f"{path} was changed since it was exported. Move it away, or name another folder "
                "with --output."
            )


def _write_aside(aside: Path, contents: Mapping[str, Content]) -> dict[str, list[str]]:
    hashes = {}
    for name, content in contents.items():
        path = aside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, "utf-8", newline="")
        else:
            content(path)
        hashes[name] = [_hash(path)]
    return hashes


def _take_names(aside: Path, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (aside / name).replace(path)


def _remove(folder: Path, known: Mapping[str, list[str]], names: Iterable[str]) -> None:
    """Remove what was exported before and is not any more, unless it was changed."""
    for name in names:
        if _is_ours(folder / name, known[name]):
            (folder / name).unlink()


def _is_ours(path: Path, hashes: Iterable[str]) -> bool:
    return path.is_file() and not path.is_symlink() and _hash(path) in hashes


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note(folder: Path, hashes: Mapping[str, list[str]]) -> None:
    path = folder / RECORD
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.write_text(json.dumps({"files": hashes}, indent=2, sort_keys=True) + "\n", "utf-8")
    aside.replace(path)


def _read(path: Path) -> dict[str, list[str]]:
    try:
        files = json.loads(path.read_bytes())["files"]
        known = {str(name): [str(each) for each in hashes] for name, hashes in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    # Who wrote this is not known for sure: no name leads out of the folder.
    return {name: hashes for name, hashes in known.items() if _is_below(name)}


def _is_below(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts
