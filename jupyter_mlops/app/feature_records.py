"""What computing features told, read again only where it has changed."""

from __future__ import annotations

import os

from ..catalog.storing import Offline
from ..core.features import Computation, Definition


class Records:
    """The current records of a catalog's features."""

    def __init__(self, offline: Offline) -> None:
        self._offline = offline
        self._known: dict[str, tuple[int | None, Computation | None]] = {}
        self._paths: dict[str, str] = {}

    def latest(self, name: str) -> Computation | None:
        """Return the record of a feature as it is now, by its full name."""
        changed = self._changed_at(name)
        known = self._known.get(name)
        if known is None or known[0] != changed:
            record = None if changed is None else self._offline.latest(name)
            known = self._known[name] = changed, record
        return known[1]

    def known_type(self, definition: Definition) -> str | None:
        """Return the type of a feature's values as far as it is known without reading anything."""
        _, record = self._known.get(definition.full_name, (None, None))
        return record.type if record is not None else definition.type

    def type_of(self, definition: Definition) -> str | None:
        """Return the type of a feature's values."""
        self.latest(definition.full_name)
        return self.known_type(definition)

    def _changed_at(self, name: str) -> int | None:
        path = self._paths.get(name)
        if path is None:
            path = self._paths[name] = os.fspath(self._offline.record_path(name))
        try:
            return os.stat(path).st_mtime_ns  # noqa: PTH116  # a Path takes thrice as long
        except OSError:
            return None
