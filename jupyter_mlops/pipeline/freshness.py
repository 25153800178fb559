"""Knowing without DVC that nothing has changed.

When DVC has found every stage of a request up to date, what it looked at is written down: time,
size and inode of each file, as DVC itself remembers them. As long as all that is the same, the
answer is too, and takes milliseconds. In any doubt DVC is asked. Needs nothing but the standard
library, so that a command can look before it does anything else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

#: Changes with what is written down.
_FORMAT = 3
#: Files and folders together; of larger projects nothing is written down.
_MOST = 50_000
#: Requests that are remembered.
_KEPT = 16
#: Folders that hold no stages.
_SKIPPED = frozenset([".git", ".dvc", ".mlops"])


class Doubt(Exception):
    """It cannot be known without DVC."""


def request_key(
    folder: str,
    targets: Iterable[str],
    *,
    single_item: bool,
    downstream: bool,
    all_pipelines: bool,
) -> str:
    """Return a name for a request, the same for the same stages."""
    parts = [_FORMAT, folder, list(targets), single_item, downstream, all_pipelines]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def known_stages(root: Path, key: str) -> list[dict[str, Any]] | None:
    """Return what a request looks at if all of it is up to date for certain, as it was saved."""
    try:
        known = json.loads(_record(root, key).read_bytes())
        same = (
            not journal_path(root).exists()
            and all(_stamp(path) == stamp for path, stamp in known["files"].items())
            and all(_same_folder(path, *seen) for path, seen in known["folders"].items())
        )
        return list(known["stages"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Snapshot:
    """What the files of a repository are like before DVC looks at them."""

    def __init__(self, root: Path, files: Iterable[str], trees: Iterable[str]) -> None:
        """``trees`` are dependencies and outputs, which may be folders. Raises `Doubt`."""
        self._root = root
        self._files: dict[str, Any] = {}
        self._folders: dict[str, Any] = {}
        for path in files:
            self._files[path] = _stamp(path)
        for path in trees:
            for each in _walk(path):
                self._files[each] = _stamp(each)
                self._check_size()
        for folder, folders, names in os.walk(root):
            folders[:] = [each for each in folders if each not in _SKIPPED]
            self._folders[folder] = [_stamp(folder), _telling(folders, names)]
            for name in names:
                if _declares(name):
                    path = str(Path(folder, name))
                    self._files[path] = _stamp(path)
            self._check_size()

    def _check_size(self) -> None:
        if len(self._files) + len(self._folders) > _MOST:
            raise Doubt

    def save(self, key: str, stages: list[dict[str, Any]]) -> None:
        """Write it down as a state in which all that a request looks at is up to date."""
        path = _record(self._root, key)
        path.parent.mkdir(exist_ok=True)
        known = {"stages": stages, "files": self._files, "folders": self._folders}
        aside = path.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(known), "utf-8")
        aside.replace(path)
        others = sorted(path.parent.glob("*.json"), key=lambda each: -each.stat().st_mtime)
        for each in others[_KEPT:]:
            each.unlink(missing_ok=True)


def _record(root: Path, key: str) -> Path:
    return root / ".dvc" / "tmp" / "mlops-fresh" / f"{key}.json"


def journal_path(root: Path) -> Path:
    """Return where what is not in dvc.lock yet is kept, in DVC's own folder for such things."""
    return root / ".dvc" / "tmp" / "mlops-journal.jsonl"


def _stamp(path: str) -> list[int] | None:
    """Return what tells whether a file is the same; None if there is none."""
    try:
        facts = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [facts.st_mtime_ns, facts.st_size, facts.st_ino]


def _walk(path: str) -> Iterator[str]:
    """Yield a file, or a folder and all that lies in it."""
    yield path
    if Path(path).is_dir():
        for folder, folders, names in os.walk(path):
            yield from (str(Path(folder, each)) for each in (*folders, *names))


def _declares(name: str) -> bool:
    return name in ("dvc.yaml", "dvc.lock", ".dvcignore") or name.endswith(".dvc")


def _telling(folders: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the entries of a folder that may matter to DVC's graph."""
    return sorted([*(f"{each}/" for each in folders), *filter(_declares, names)])


def _same_folder(path: str, stamp: list[int], telling: list[str]) -> bool:
    """Whether no stages have come to or gone from a folder."""
    if _stamp(path) == stamp:
        return True
    folders, names = [], []
    with os.scandir(path) as entries:
        for each in entries:
            if not each.is_dir():
                names.append(each.name)
            elif each.name not in _SKIPPED:
                folders.append(each.name)
    return _telling(folders, names) == telling
