"""Which of the project's files a node needs that does not see its folder."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from ....core import formats
from ....core.exceptions import InvalidInput
from ....core.executors import Command, Task
from .files import Entry, Manifest, Places

#: Folders at the top of a project that are never sent: what runs have made, and environments.
_LEFT = frozenset({".git", ".venv", "venv", "runs", "mlruns", "node_modules"})
_LEFT_ANYWHERE = frozenset({"__pycache__", ".ipynb_checkpoints"})
#: Where DVC keeps what it has, and what is its own.
_DVC_LEFT = (".dvc/cache", ".dvc/tmp", ".dvc/config.local")


class Manifests:
    """Lists files with their hashes; a file is read again when its size or time has changed."""

    def __init__(self, places: Places, most: int) -> None:
        """``most`` is how many bytes may be sent of a project."""
        self._places = places
        self._most = most
        self._hashes: dict[Path, tuple[tuple[int, int], str]] = {}
        self._lock = threading.Lock()

    def of_project(self) -> Manifest:
        """List what every attempt needs. Raises `InvalidInput` if that is too much, or not whole.

        Files that git knows, with the content that they have now, and new ones that it does not
        ignore. What DVC keeps is not sent: the node pulls it.
        """
        root = self._places.project
        pulled, kept = _by_dvc(root)
        paths = [each for each in self._listed() if each not in kept]
        self._check_size(paths)
        if pulled and not _has_remote(root):
            raise InvalidInput(
                f"DVC keeps {pulled[0].removesuffix('.dvc')}, and the project has no default "
                "remote from which the nodes of the cluster could get it. Add one: dvc remote add "
                "--default NAME URL"
            )
        entries = tuple(self._entry(root / each) for each in paths)
        return Manifest(entries, tuple(pulled), tuple(sorted(kept)))

    def of_attempt(self, job: Task | Command, project: Manifest) -> tuple[Entry, ...]:
        """List what one attempt needs besides: its notebook, and what it is declared to read."""
        own: list[Path] = []
        if isinstance(job, Task):
            own = [job.snapshot, *([job.kept.notebook] if job.kept else [])]
        root = self._places.project
        there = {each.path for each in project.entries if each.area == "project"}
        inputs = {
            path.relative_to(root).as_posix()
            for each in job.inputs
            if each.is_relative_to(root)
            for path in (each.rglob("*") if each.is_dir() else [each])
            if path.is_file()
        }
        more = sorted(each for each in inputs - there if not _is_below(each, project.kept))
        self._check_size(more)
        return tuple(map(self._entry, (*own, *(root / each for each in more))))

    def _check_size(self, paths: Sequence[str]) -> None:
        sizes = {each: (self._places.project / each).lstat().st_size for each in paths}
        if sum(sizes.values()) > self._most:
            raise InvalidInput(_too_large(sizes, self._most))

    def _entry(self, path: Path) -> Entry:
        found = self._places.area(path)
        if found is None or not path.resolve().is_relative_to(self._places.of(found[0]).resolve()):
            raise InvalidInput(
                f"{path.name} leads out of the project, so the nodes of the cluster cannot have "
                "it. Put what it needs inside."
            )
        facts = path.stat()
        return Entry(
            found[0], found[1], self._hash(path, facts), facts.st_size, stat.S_IMODE(facts.st_mode)
        )

    def _hash(self, path: Path, facts: os.stat_result) -> str:
        state = facts.st_size, facts.st_mtime_ns
        with self._lock:
            known = self._hashes.get(path)
        if known is not None and known[0] == state:
            return known[1]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with self._lock:
            self._hashes[path] = state, digest
        return digest

    def _listed(self) -> Iterator[str]:
        """Yield the files of the project that are its own, relative to it."""
        root, state = self._places.project, self._places.state
        for each in _known_to_git(root) or _walked(root):
            parts = each.split("/")
            path = root / each
            if (
                parts[0] in _LEFT
                or _LEFT_ANYWHERE.intersection(parts)
                or each.startswith(_DVC_LEFT)
                or path.is_relative_to(state)
                or not path.is_file()
            ):
                continue
            yield each


def _is_below(path: str, folders: Collection[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in folders)


def _known_to_git(root: Path) -> list[str]:
    """Return what git tracks or would add; nothing if this is no repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        found = subprocess.run(  # noqa: S603 - a constant
            command, cwd=root, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return []
    return sorted({os.fsdecode(each) for each in found.stdout.split(b"\0") if each})


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            each for each in folders if each not in _LEFT and not _is_environment(here / each)
        )
        for name in sorted(names):
            yield (here / name).relative_to(root).as_posix()


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").exists()


def _by_dvc(root: Path) -> tuple[list[str], frozenset[str]]:
    """Return the ``.dvc`` files of a project, and the paths that they keep."""
    if not (root / ".dvc").is_dir():
        return [], frozenset()
    files: list[str] = []
    kept: set[str] = set()
    for path in _known_to_git(root) or _walked(root):
        if path.endswith(".dvc") and (root / path).is_file():
            files.append(path)
            folder = Path(path).parent
            kept.update((folder / each).as_posix() for each in _outputs(root / path))
    return files, frozenset(kept)


def _outputs(path: Path) -> Iterable[str]:
    try:
        content: Any = yaml.safe_load(path.read_bytes())
        return [str(each["path"]) for each in content["outs"]]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return []


def _has_remote(root: Path) -> bool:
    try:
        text = (root / ".dvc" / "config").read_text("utf-8")
    except OSError:
        return False
    return any(line.strip().startswith("remote") for line in text.splitlines())


def _too_large(sizes: dict[str, int], most: int) -> str:
    folders: Counter[str] = Counter()
    for path, size in sizes.items():
        folders[path.split("/", 1)[0]] += size
    largest = ", ".join(f"{name} ({formats.size(size)})" for name, size in folders.most_common(3))
    return (
        f"The nodes of the cluster do not see the project's folder, and {formats.size(most)} of "
        f"it may be sent (max_sent); it has {formats.size(sum(sizes.values()))}. The largest are "
        f"{largest}. Have git ignore them, have DVC keep them, or raise max_sent."
    )
