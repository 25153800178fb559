"""A node's copies of the project's files: contents by their hash, and a folder for each attempt."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec
import yaml

from ....core.exceptions import MlopsError
from .files import Area, Entry, Made, Manifest, Part, Places

#: What DVC leaves in a folder is not an attempt's.
_NOT_MADE = (".dvc/", ".git/")


class NotPulled(MlopsError):
    """Data cannot be had from the project's DVC remote."""

    code = "not_pulled"


class Copies:
    """What a node has of a project whose folder it does not see. Safe to use from threads."""

    def __init__(self, folder: Path) -> None:
        self._contents = folder / "contents"
        self._attempts = folder / "attempts"
        self._data = folder / "data"
        self._cache = folder / "dvc-cache"
        for each in (self._contents, self._attempts, self._data):
            each.mkdir(parents=True, exist_ok=True)
        self._times: dict[str, dict[tuple[Area, str], tuple[int, int]]] = {}
        self._pulling = threading.Lock()

    # -- contents ----------------------------------------------------------------------------------

    def lacks(self, hashes: Collection[str]) -> list[str]:
        """Return which contents are not here."""
        return [each for each in hashes if not (self._contents / each).exists()]

    def receive(self, parts: Collection[Part]) -> None:
        """Take pieces of contents; those that are complete and right are kept."""
        for part in parts:
            path = self._contents / f"{part.sha256}.part"
            with path.open("r+b" if part.offset else "wb") as file:
                file.seek(part.offset)
                file.write(part.data)
            if part.offset + len(part.data) < part.size:
                continue
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != part.sha256:
                path.unlink()
                raise OSError(f"{part.sha256} changed on its way, or while it was sent")
            path.rename(self._contents / part.sha256)

    def manifest(self, digest: str) -> Manifest:
        """Return a manifest that was received as a content."""
        packed = (self._contents / digest).read_bytes()
        return msgspec.msgpack.decode(packed, type=Manifest)

    # -- attempts ----------------------------------------------------------------------------------

    def places(self, attempt: str) -> Places:
        """Return the folders of an attempt."""
        folder = self._folder(attempt)
        return Places(folder / "project", folder / "state")

    def _folder(self, attempt: str) -> Path:
        # A stage's name may have any character.
        return self._attempts / hashlib.sha256(attempt.encode()).hexdigest()[:24]

    def unpack(self, attempt: str, manifest: Manifest) -> Places:
        """Make the clean folders of an attempt. Raises OSError, `NotPulled`."""
        self.remove(attempt)
        places = self.places(attempt)
        for folder in (places.project, places.state / "journals", places.state / "logs"):
            folder.mkdir(parents=True)
        times: dict[tuple[Area, str], tuple[int, int]] = {}
        for each in manifest.entries:
            path = places.of(each.area) / each.path
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._contents / each.sha256, path)
            path.chmod(each.mode | stat.S_IWUSR)
            times[each.area, each.path] = _state(path)
        if manifest.pulled:
            self._link_data(manifest, places)
        self._times[attempt] = times
        return places

    def made(self, attempt: str) -> list[Made]:
        """Return what an attempt has made or changed."""
        places, times = self.places(attempt), self._times.get(attempt, {})
        found = []
        areas: tuple[Area, ...] = ("project", "state")
        for area in areas:
            for path in _files(places.of(area)):
                name = path.relative_to(places.of(area)).as_posix()
                if name.startswith(_NOT_MADE) or times.get((area, name)) == _state(path):
                    continue
                facts = path.stat()
                found.append(Made(area, name, facts.st_size, stat.S_IMODE(facts.st_mode)))
        return found

    def read(
        self, attempt: str, area: Area, path: str, offset: int, length: int
    ) -> tuple[int, bytes]:
        """Return a piece of a file, and which file it is now: zero if there is none."""
        try:
            with (self.places(attempt).of(area) / path).open("rb") as file:
                file.seek(offset)
                return os.fstat(file.fileno()).st_ino, file.read(length)
        except FileNotFoundError:
            return 0, b""

    def remove(self, attempt: str) -> None:
        """Remove the folders of an attempt."""
        self._times.pop(attempt, None)
        shutil.rmtree(self._folder(attempt), ignore_errors=True)

    # -- data --------------------------------------------------------------------------------------

    def _link_data(self, manifest: Manifest, places: Places) -> None:
        """Let an attempt see the data that DVC keeps, which are pulled once."""
        with self._pulling:
            repository = self._pull(manifest)
        for path in _links(repository, manifest):
            link = places.project / path.relative_to(repository)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)

    def _pull(self, manifest: Manifest) -> Path:
        of_dvc = [each for each in manifest.entries if _is_of_dvc(each)]
        key = hashlib.sha256("".join(each.path + each.sha256 for each in of_dvc).encode())
        repository = self._data / key.hexdigest()[:16]
        done = repository / ".dvc" / "tmp" / "pulled"
        if done.exists():
            return repository
        for each in of_dvc:
            path = repository / each.path
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._contents / each.sha256, path)
        local = repository / ".dvc" / "config.local"
        local.write_text(
            f"[core]\n    no_scm = true\n    analytics = false\n"
            f'[cache]\n    dir = {self._cache}\n    type = "hardlink,symlink,copy"\n',
            "utf-8",
        )
        command = [sys.executable, "-m", "dvc", "pull", "--quiet", "--", *manifest.pulled]
        result = subprocess.run(  # noqa: S603 - DVC, and paths of the project
            command,
            cwd=repository,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if result.returncode:
            lines = [each for each in result.stderr.splitlines() if each.strip()]
            why = lines[0].removeprefix("ERROR: ") if lines else f"exit code {result.returncode}"
            raise NotPulled(
                f"Its data cannot be had from the DVC remote: {why[:300]}. If they were never "
                "pushed: dvc push"
            )
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()
        return repository


def _is_of_dvc(entry: Entry) -> bool:
    return entry.area == "project" and (
        entry.path.startswith(".dvc/") or entry.path.endswith(".dvc")
    )


def _links(repository: Path, manifest: Manifest) -> Iterator[Path]:
    """Yield what the pulled files have brought, folders as a whole."""
    for each in manifest.pulled:
        content = yaml.safe_load((repository / each).read_bytes())
        for out in content.get("outs", ()):
            yield (repository / each).parent / out["path"]


def _files(folder: Path) -> Iterator[Path]:
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _state(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns
