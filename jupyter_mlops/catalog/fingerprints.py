"""What tells whether a file has other content, without reading it again each time."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path

from ..core.files import write_atomically

_NAME = "fingerprints.json"
#: A file that was changed less than this before may be changed again at the same time, in
#: nanoseconds, on file systems that keep coarse times.
_FRESH = 2_000_000_000


class Fingerprints:
    """sha256 of files, remembered by their size and time of change."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._known = self._read()

    def of(self, files: Iterable[Path], *facts: str) -> str:
        """Return one for the content of files, in their order, and further facts."""
        made = hashlib.sha256("\0".join(facts).encode())
        changed = False
        for each in files:
            state = each.stat()
            key = str(each)
            stamp = f"{state.st_size} {state.st_mtime_ns} {state.st_ino}"
            stored = self._known.get(key)
            if stored is None or stored[0] != stamp:
                with each.open("rb") as file:
                    stored = (stamp, hashlib.file_digest(file, "sha256").hexdigest())
                if time.time_ns() - state.st_mtime_ns > _FRESH:
                    self._known[key] = stored
                    changed = True
            made.update(f"\n{each.name} {stored[1]}".encode())
        if changed:
            self._write()
        return made.hexdigest()

    def _read(self) -> dict[str, tuple[str, str]]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {name: (str(each[0]), str(each[1])) for name, each in found.items()}

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self._known).encode())
