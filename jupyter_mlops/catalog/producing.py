"""Producing the values of features that read the same, slice by slice, and storing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..core.exceptions import MlopsError
from ..core.features import Computation, Definition, FeatureFailed, Window
from . import partitions
from .adapters import PANDAS, Adapter
from .engine import Group, Value, compute_values
from .gathering import Inputs, changed
from .measuring import Meter
from .periods import holds, widened
from .place import Place
from .planning import ALWAYS, Slice, Task
from .shapes import shaped
from .statistics import describe
from .storing import Draft, Offline
from .tables import connected

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Told = Callable[[str], None]


def silent(_line: str) -> None:
    """Say it to nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is asked for beyond the features."""

    window: Window = ALWAYS
    force: bool = False
    backfill: bool = False
    told: Told = silent
    adapter: Adapter | None = None
    meter: Meter = field(default_factory=Meter)


@dataclass(slots=True)
class _Open:
    """A feature that is being computed."""

    task: Task
    draft: Draft
    #: Columns of the last slice.
    empty: Any = None
    #: Why it is computed no further.
    failure: MlopsError | None = None

    @property
    def definition(self) -> Definition:
        """The feature."""
        return self.task.definition


class Production:
    """Computes features of one group that read the same."""

    def __init__(self, place: Place, inputs: Inputs, group: Group, wanted: Wanted) -> None:
        self._place = place
        self._inputs = inputs
        self._group = group
        self._wanted = wanted
        self._offline = Offline(place)
        #: Sources by their names, as they were before.
        self._sources: dict[str, str] = {}

    def run(self, tasks: Sequence[Task]) -> tuple[list[Computation], dict[str, MlopsError]]:
        """Compute and store features; return their records, and why some are not stored.

        What is finished of several slices stays, so that it can be gone on with.
        """
        opened = [self._open(each) for each in tasks]
        for task in tasks:
            self._sources |= task.sources
        records = []
        try:
            for number, piece in enumerate(tasks[0].slices, 1):
                pending = [
                    each
                    for each in opened
                    if each.failure is None and piece.name not in each.draft.done
                ]
                if pending:
                    self._compute_slice(pending, piece)
                if pending and len(tasks[0].slices) > 1:
                    self._tell(f"{piece.name} is computed, {number} of {len(tasks[0].slices)}.")
            with connected() as connection:
                for one in opened:
                    with _noted(one):
                        records.append(self._publish(one, connection))
        finally:
            if len(tasks[0].slices) == 1:
                for one in opened:
                    one.draft.discard()  # what is stored has left it
        failures = {
            one.definition.full_name: one.failure for one in opened if one.failure is not None
        }
        return records, failures

    def _tell(self, line: str) -> None:
        self._wanted.told(f"{self._group.name}: {line}")

    def _open(self, task: Task) -> _Open:
        name = task.definition.full_name
        draft = self._offline.draft(name, task.version)
        if not draft.done or not draft.files():
            draft.discard()
            draft = self._offline.draft(name, task.version)
        else:
            self._wanted.told(
                f"{name} goes on: {len(draft.done)} of {len(task.slices)} partitions are computed."
            )
        return _Open(task, draft)

    def _compute_slice(self, pending: Sequence[_Open], piece: Slice) -> None:
        definitions = [each.definition for each in pending]
        meter = self._wanted.meter
        needed = dict.fromkeys(
            name for each in definitions for name in self._group.needs(each.name)
        )
        with meter.block() as reading:
            values = compute_values(self._group, definitions, self._inputs.read(needed, piece.read))
        for each in pending:
            with _noted(each):
                with meter.block() as own:
                    self._write(each, next(values), piece)
                # What several read at once counts for each in equal parts.
                each.draft.spend(own.seconds, own.peak)
                each.draft.spend(reading.seconds / len(pending), reading.peak)
                if len(each.task.slices) > 1:
                    each.draft.finish(piece.name)

    def _write(self, opened: _Open, value: Value, piece: Slice) -> None:
        if value.failure is not None:
            raise value.failure
        definition = value.definition
        made = shaped(definition, value.result, value.frames)
        for line in value.warnings:
            self._wanted.told(f"{definition.full_name}: a check warns: {line}")
        if made.dropped:
            self._wanted.told(
                f"{definition.full_name}: {made.dropped} rows without key or time are left out."
            )
        partitions.write(opened.draft, definition, made.table, piece.kept)
        opened.empty = made.table.schema.empty_table()

    def _publish(self, opened: _Open, connection: DuckDBPyConnection) -> Computation:
        if opened.failure is not None:
            raise opened.failure
        task, draft, definition = opened.task, opened.draft, opened.definition
        for name in self._changed & set(task.sources):
            raise FeatureFailed(
                f"{definition.full_name}: its source {name} was changed while it was read. "
                "Compute it again."
            )
        with self._wanted.meter.block() as measured:
            self._carry(task, draft)
            if not draft.files() and opened.empty is not None:
                partitions.write_empty(draft, opened.empty)
            kind = partitions.unite(draft, definition)
            files = draft.files()
            statistics, first, last = describe(
                connection, files, definition.name, definition.timestamp
            )
        draft.spend(measured.seconds, measured.peak)
        adapter = self._wanted.adapter
        record = Computation(
            feature=definition.full_name,
            version=task.version,
            code_hash=definition.code_hash,
            sources=dict(task.sources),
            computed_at=datetime.now(UTC),
            why=task.why,
            seconds=draft.seconds,
            peak_memory=None if adapter and adapter.elsewhere else draft.peak_memory or None,
            rows=statistics.rows,
            type=kind,
            entity=definition.entity,
            timestamp=definition.timestamp,
            first=first,
            last=last,
            partitions=partitions.listed(files),
            statistics=statistics,
            complete=task.complete,
            engine=adapter.name if adapter else PANDAS,
        )
        draft.complete(record)
        self._offline.publish(record)
        return record

    def _carry(self, task: Task, draft: Draft) -> None:
        """Take over the partitions of the version before that lie outside of the window."""
        if task.base is None:
            return
        folder = self._offline.folder(task.base.feature, task.base.version)
        window = widened(self._wanted.window, task.definition.partition)
        for each in task.base.partitions:
            start = partitions.begins(task.definition, each.name)
            file = folder / f"{each.name}.parquet"
            if start is not None and not holds(window, start) and file.is_file():
                draft.carry(file)

    @cached_property
    def _changed(self) -> set[str]:
        """Names of sources that were changed while they were read."""
        return changed(self._place, self._sources)


@contextmanager
def _noted(opened: _Open) -> Iterator[None]:
    """Note why a feature cannot be computed, so that others can."""
    import duckdb
    import pyarrow as pa

    name = opened.definition.full_name
    try:
        yield
    except MlopsError as error:
        opened.failure = error
    except (OSError, pa.ArrowException, duckdb.Error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        opened.failure = FeatureFailed(f"{name}: its values cannot be written: {reason}.")
        opened.failure.__cause__ = error
