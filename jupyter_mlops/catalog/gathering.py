"""What the functions of features are given: sources, and the stored values of other features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from ..core.features import Computation, Definition, FeatureFailed, Source, Window
from . import sources, tables
from .place import Place
from .storing import Offline

if TYPE_CHECKING:
    import pandas as pd

ALWAYS = Window()


class Inputs:
    """Reads the arguments of one group's functions."""

    def __init__(self, place: Place, definitions: Iterable[Definition]) -> None:
        self._place = place
        self._offline = Offline(place)
        self._features = {
            full.rpartition(".")[2]: full
            for each in definitions
            for full in each.upstream
            if full.rpartition(".")[0] != each.group
        }
        #: Tables without a time, which each window has as a whole.
        self._still: dict[str, Any] = {}
        # Each is asked for once, as a database may have to read all rows for it.
        self._fingerprint = cache(partial(self._of, sources.fingerprint))
        self._span = cache(partial(self._of, sources.span))

    def fingerprints(self, definition: Definition) -> dict[str, str]:
        """Return what the sources of a feature are like, and the versions of stored features."""
        found = {name: self._fingerprint(name) for name in definition.sources}
        for full in self._features.values():
            if full in definition.upstream:
                found[full] = self._stored(full).version
        return found

    def span(self, definition: Definition) -> tuple[datetime, datetime] | None:
        """Return the first and last time of what a feature is made from; None if nothing tells."""
        found = [self._span(name) for name in definition.sources]
        for full in self._features.values():
            record = self._stored(full) if full in definition.upstream else None
            if record is not None and record.first is not None and record.last is not None:
                found.append((record.first, record.last))
        known = [each for each in found if each is not None]
        if not known:
            return None
        return min(first for first, _ in known), max(last for _, last in known)

    def read(self, names: Iterable[str], window: Window) -> dict[str, Any]:
        """Return arguments by their names, with the rows of a window. Raises `FeatureFailed`."""
        return {name: self._read(name, window) for name in names}

    def _of(self, asked: Callable[[Place, Source], Any], name: str) -> Any:
        """Ask something of a source."""
        return asked(self._place, self._place.sources[name])

    def _read(self, name: str, window: Window) -> Any:
        if name in self._still:
            return self._still[name]
        source = self._place.sources.get(name)
        if source is not None:
            found: Any = sources.read(self._place, source, window)
            still = source.timestamp is None
        elif name in self._features:
            record = self._stored(self._features[name])
            found = stored_values(self._place, record, window)
            still = record.timestamp is None
        else:
            raise FeatureFailed(
                f"There is no source {name}, which functions need. Declare it in the settings "
                "below [features.sources]."
            )
        if still and window != ALWAYS:
            self._still[name] = found
        return found

    def _stored(self, full: str) -> Computation:
        record = self._offline.latest(full)
        if record is None:
            raise FeatureFailed(f"{full} is not computed, and other features are made from it.")
        return record


def stored_values(place: Place, record: Computation, window: Window = ALWAYS) -> pd.Series[Any]:
    """Return the stored values of a feature in a window, with keys and time as index."""
    files = Offline(place).files(record.feature, record.version)
    short = record.feature.rpartition(".")[2]
    source = Source(name=record.feature, path="values.parquet", timestamp=record.timestamp)
    with tables.connected() as connection:
        table = tables.relation(connection, source, files)
        frame = sources.in_pandas(tables.select(connection, source, table, window))
    keys = [*record.entity, *([record.timestamp] if record.timestamp else [])]
    found: pd.Series[Any] = frame.set_index(keys)[short]
    return found


def changed(place: Place, known: Mapping[str, str]) -> set[str]:
    """Return the names of sources that are not what they were, as far as that costs little."""
    return {
        name
        for name, was in known.items()
        if (source := place.sources.get(name)) is not None
        and source.url is None
        and sources.fingerprint(place, source) != was
    }
