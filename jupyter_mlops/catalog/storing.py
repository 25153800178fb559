"""Values of features as files: ``GROUP/NAME/VERSION/PARTITION.parquet``, with a record each.

A version is written aside and takes its name when it is whole; ``latest.json``, replaced at once,
says which one is current. The version before stays, for who still reads it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.exceptions import NotFound
from ..core.features import Computation
from ..core.files import write_atomically
from .manifests import dumped, loaded
from .place import Place

_LATEST = "latest.json"
_RECORD = "computation.json"
_DONE = "done.json"
_END = ".parquet"


class Offline:
    """The stored values of a project's features."""

    def __init__(self, place: Place) -> None:
        self._data = place.data

    def folder(self, name: str, version: str | None = None) -> Path:
        """Return where a feature lies, or one version of it."""
        folder = self._data.joinpath(*name.split("."))
        return folder / version if version else folder

    def record_path(self, name: str) -> Path:
        """Return where the record of the current version lies."""
        return self.folder(name) / _LATEST

    def latest(self, name: str) -> Computation | None:
        """Return the record of the current version of a feature, by its full name."""
        return _read(self.record_path(name))

    def version(self, name: str, version: str) -> Computation | None:
        """Return the record of one version; None if it is not kept."""
        return _read(self.folder(name, version) / _RECORD)

    def versions(self, name: str) -> list[Computation]:
        """Return the records of all versions that are kept, the newest first."""
        found = [_read(each) for each in self.folder(name).glob(f"[!.]*/{_RECORD}")]
        known = [each for each in found if each is not None]
        return sorted(known, key=lambda each: each.computed_at, reverse=True)

    def files(self, name: str, version: str | None = None) -> list[Path]:
        """Return the files of a version, the current one unless told, in the order of time.

        Raises `NotFound` if it is not computed, not kept, or has lost a file.
        """
        record = self.version(name, version) if version else self.latest(name)
        if record is None:
            raise NotFound(
                f"{name} has no version {version}. The current one and the one before are kept."
                if version
                else f"{name} is not computed. Run: jupyter mlops features compute {name}"
            )
        files = self._files_of(record)
        lost = next((each for each in files if not each.is_file()), None)
        if lost is not None:
            raise NotFound(
                f"{name}: {lost.name} of version {record.version} is not there any more. "
                f"Run: jupyter mlops features compute {name}"
            )
        return files

    def is_whole(self, record: Computation) -> bool:
        """Tell whether all files of a version are there."""
        return all(each.is_file() for each in self._files_of(record))

    def note(self, record: Computation) -> None:
        """Replace what is said of a version, such as when it went online."""
        folder = self.folder(record.feature)
        write_atomically(folder / record.version / _RECORD, dumped(record))
        current = self.latest(record.feature)
        if current is not None and current.version == record.version:
            write_atomically(folder / _LATEST, dumped(record))

    @contextlib.contextmanager
    def writing(self, names: Sequence[str]) -> Iterator[None]:
        """Be the only one who writes these features, having waited for others.

        All take them in the same order, so that nobody waits for ever.
        """
        with contextlib.ExitStack() as held:
            for name in sorted(names):
                folder = self.folder(name)
                folder.mkdir(parents=True, exist_ok=True)
                file = held.enter_context((folder / ".lock").open("ab"))
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def draft(self, name: str, version: str) -> Draft:
        """Begin a version, or go on with what is there of it."""
        return Draft(self.folder(name), version)

    def publish(self, record: Computation) -> None:
        """Make a version that lies there whole the current one, and remove older ones."""
        folder = self.folder(record.feature)
        current = self.latest(record.feature)
        others = [each.version for each in self.versions(record.feature)]
        if current is not None:
            others.insert(0, current.version)
        before = next((each for each in others if each != record.version), None)
        write_atomically(folder / _LATEST, dumped(record))
        for each in folder.iterdir():
            if each.is_dir() and each.name not in (record.version, before):
                shutil.rmtree(each, ignore_errors=True)

    def _files_of(self, record: Computation) -> list[Path]:
        folder = self.folder(record.feature, record.version)
        return [folder / f"{each.name}{_END}" for each in record.partitions]


class Draft:
    """A version while it is written, partition by partition, in a hidden folder.

    It survives the process, so that another one can go on with it.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._final = folder / version
        self.path = folder / f".{version}"
        self.path.mkdir(parents=True, exist_ok=True)
        self._done, self.seconds, self.peak_memory = self._read_done()

    @property
    def done(self) -> frozenset[str]:
        """Names of the slices of time that were finished."""
        return frozenset(self._done)

    def spend(self, seconds: float, peak_memory: int | None) -> None:
        """Add to what the version has taken, by whatever processes, and note the largest peak."""
        self.seconds += seconds
        self.peak_memory = max(self.peak_memory, peak_memory or 0)

    def file(self, partition: str) -> Path:
        """Return where a partition lies once it is written."""
        return self.path / f"{partition}{_END}"

    def files(self) -> list[Path]:
        """Return the partitions that are written, in the order of time."""
        return sorted(self.path.glob(f"[!.]*{_END}"))

    @contextlib.contextmanager
    def replacing(self, partition: str) -> Iterator[Path]:
        """Yield a path to write a partition to; it takes its name when the block ends well."""
        path = self.file(partition)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            yield aside
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    def carry(self, file: Path) -> None:
        """Take over a partition of another version, without copying it where that can be."""
        target = self.path / file.name
        if target.exists():
            return
        try:
            os.link(file, target)
        except OSError:  # a file system without links
            with self.replacing(file.stem) as aside:
                shutil.copyfile(file, aside)

    def finish(self, piece: str) -> None:
        """Note that a slice of time is written whole."""
        self._done.append(piece)
        state = {"done": self._done, "seconds": self.seconds, "peak_memory": self.peak_memory}
        write_atomically(self.path / _DONE, json.dumps(state).encode())

    def complete(self, record: Computation) -> None:
        """Give the version its name."""
        for each in self.path.iterdir():
            if each.name == _DONE or each.name.startswith("."):
                each.unlink()
        write_atomically(self.path / _RECORD, dumped(record))
        if self._final.exists():
            lost = self._final.with_name(f".{self._final.name}.{os.getpid()}.lost")
            self._final.replace(lost)
            shutil.rmtree(lost, ignore_errors=True)
        self.path.replace(self._final)

    def discard(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _read_done(self) -> tuple[list[str], float, int]:
        try:
            found = json.loads((self.path / _DONE).read_bytes())
            return list(found["done"]), float(found["seconds"]), int(found["peak_memory"])
        except (OSError, ValueError, TypeError, KeyError):
            return [], 0.0, 0


def _read(path: Path) -> Computation | None:
    try:
        return loaded(path.read_bytes())
    except (OSError, ValueError):
        return None
