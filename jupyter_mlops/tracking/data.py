"""Versions of the files that a run read: their hashes, and by what DVC and git know them."""

from __future__ import annotations

import ast
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

#: How a file came to be known, the surest first.
DECLARED, OPENED, NAMED = "declared", "opened", "named"
_RANK = {DECLARED: 0, OPENED: 1, NAMED: 2}

#: Bytes of files that are hashed for one run; further ones have their size and DVC's hash only.
HASHED = 20_000_000_000
#: Files of a run, and of a folder, that are told one by one.
MOST = 1000
_CHUNK = 1 << 20
_CODE = frozenset({".ipynb", ".py"})
_OURS = ("runs", ".mlops", ".dvc", ".git")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFile:
    """A file or folder that a run read, as it was afterwards."""

    #: Relative to the project.
    path: str
    #: ``declared``, ``opened`` or ``named``: a text in the notebook is its path.
    how: str
    size: int
    #: Of a folder: over the hashes of its files. None if it was too large.
    sha256: str | None
    md5: str | None
    #: ``code`` or ``data``.
    kind: str
    #: What keeps its versions: ``dvc``, ``git`` or nothing.
    kept_by: str | None
    #: The file of DVC that tells its version, and the version.
    dvc_file: str | None = None
    dvc_md5: str | None = None
    #: Whether it differs from what DVC has.
    changed: bool = False

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)


class Hashes:
    """Hashes of files, each computed once for as long as the file is the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[tuple[int, int, int], str, str]] = {}

    def of(self, path: Path) -> tuple[str, str]:
        """Return sha256 and md5 of a file. Raises OSError."""
        facts = path.stat()
        state = facts.st_mtime_ns, facts.st_size, facts.st_ino
        with self._lock:
            known = self._known.get(path)
            if known is None or known[0] != state:
                known = (state, *_hash(path))
                self._known[path] = known
        return known[1:]


def read_reports(path: Path) -> list[str]:
    """Return the absolute paths that a kernel reported as opened."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    return [line.decode("utf-8", "surrogateescape") for line in lines]


def named_in(sources: Iterable[str], folder: Path) -> set[Path]:
    """Return the files that texts in code cells name, as seen from a folder."""
    found: set[Path] = set()
    for source in sources:
        try:
            tree = ast.parse(_without_magics(source))
        except (SyntaxError, ValueError, RecursionError):
            continue
        texts = (
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        for text in texts:
            if 2 < len(text) < 500 and "\n" not in text and "\0" not in text:
                path = folder / text
                if ("." in text or "/" in text) and path.exists():
                    found.add(path)
    return found


def _without_magics(source: str) -> str:
    lines = (" " if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n"))
    return "\n".join(lines)


def versions(
    root: Path, found: Mapping[Path, str], *, hashes: Hashes, tracked: frozenset[str], before: float
) -> list[DataFile]:
    """Return the versions of what was read below a project's root.

    ``found`` says how each came to be known, ``tracked`` what git knows, relative to the root.
    What is only named counts if it was there before the run began, as it could be an output. A
    folder counts if it is declared.
    """
    files: dict[str, str] = {}
    for path, how in found.items():
        place = _place(root, path)
        if place is not None and _RANK[how] < _RANK.get(files.get(place, ""), len(_RANK)):
            files[place] = how
    dvc = _Dvc(root)
    made, left = [], HASHED
    for place in sorted(files)[:MOST]:
        try:
            one = _version(root, place, files[place], dvc, hashes, tracked, left, before)
        except OSError:
            continue
        if one is not None:
            made.append(one)
            left -= one.size if one.sha256 else 0
    return made


def _place(root: Path, path: Path) -> str | None:
    try:
        place = path.resolve().relative_to(root) if path.is_symlink() else path.relative_to(root)
        place = (root / place).resolve().relative_to(root)
    except (ValueError, OSError):
        return None
    return None if not place.parts or place.parts[0] in _OURS else place.as_posix()


def _version(
    root: Path,
    place: str,
    how: str,
    dvc: _Dvc,
    hashes: Hashes,
    tracked: frozenset[str],
    left: int,
    before: float,
) -> DataFile | None:
    path = root / place
    if how != DECLARED and path.is_dir():
        return None  # listed, locked or removed, which nobody can tell from read
    if not (path.is_file() or path.is_dir()):
        return None  # a pipe or a device, which has no versions and may never end
    if how == NAMED and path.stat().st_mtime > before:
        return None
    dvc_file, dvc_md5 = dvc.of(place)
    size = sum(each.stat().st_size for each in _files(path))
    sha256 = md5 = None
    if size <= left:
        sha256, md5 = hash_tree(path, hashes)
    kept_by = "dvc" if dvc_md5 else "git" if _is_tracked(place, path, tracked) else None
    return DataFile(
        path=place,
        how=how,
        size=size,
        sha256=sha256,
        md5=md5,
        kind="code" if path.suffix in _CODE else "data",
        kept_by=kept_by,
        dvc_file=dvc_file,
        dvc_md5=dvc_md5,
        changed=bool(dvc_md5 and md5 and md5 != dvc_md5),
    )


def _is_tracked(place: str, path: Path, tracked: frozenset[str]) -> bool:
    if not path.is_dir():
        return place in tracked
    return all(
        each.relative_to(path).as_posix()
        and f"{place}/{each.relative_to(path).as_posix()}" in tracked
        for each in _files(path)
    )


def hash_tree(path: Path, hashes: Hashes) -> tuple[str, str]:
    """Return sha256 and md5 of a file or folder, the md5 as DVC computes it. Raises OSError."""
    if not path.is_dir():
        return hashes.of(path)
    listed, total = [], hashlib.sha256()
    for each in _files(path):
        sha256, md5 = hashes.of(each)
        place = each.relative_to(path).as_posix()
        total.update(f"{sha256} {place}\n".encode())
        listed.append({"md5": md5, "relpath": place})
    listed.sort(key=lambda each: tuple(each["relpath"].split("/")))
    text = json.dumps(listed, sort_keys=True)
    return total.hexdigest(), f"{hashlib.md5(text.encode()).hexdigest()}.dir"  # noqa: S324 - DVC's


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob("*") if each.is_file())


def _hash(path: Path) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5()  # noqa: S324 - DVC's
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            md5.update(chunk)
    return sha256.hexdigest(), md5.hexdigest()


class _Dvc:
    """What ``.dvc`` files and ``dvc.lock`` say, each read once. DVC itself is not needed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[Path, dict[str, tuple[str, str]]] = {}

    def of(self, place: str) -> tuple[str | None, str | None]:
        """Return which file of DVC knows a path, and as which version."""
        folder = (self._root / place).parent
        beside = self._root / f"{place}.dvc"
        found = self._outputs(beside).get(place)
        while found is None:
            found = self._outputs(folder / "dvc.lock").get(place)
            if folder in (self._root, folder.parent):
                break
            folder = folder.parent
        return found or (None, None)

    def _outputs(self, path: Path) -> dict[str, tuple[str, str]]:
        if path not in self._read:
            self._read[path] = dict(self._parse(path)) if path.is_file() else {}
        return self._read[path]

    def _parse(self, path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            content = yaml.load(path.read_bytes(), loader)  # noqa: S506 - a safe loader
        except (OSError, yaml.YAMLError):
            return
        whole = content if isinstance(content, dict) else {}
        stages = [whole] if path.suffix == ".dvc" else list((whole.get("stages") or {}).values())
        folder = path.parent / str(whole.get("wdir") or ".")
        name = path.relative_to(self._root).as_posix()
        for stage in stages:
            for out in (stage or {}).get("outs") or ():
                place = _place(self._root, folder / str(out.get("path", "")))
                if place is not None and out.get("md5"):
                    yield place, (name, str(out["md5"]))
