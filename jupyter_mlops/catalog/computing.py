"""Computing features: what is not computed yet, and nothing that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ..core.features import Computation, Definition, FeatureFailed, Why, Window
from . import partitions, planning
from .adapters import PANDAS, Adapter, running
from .engine import Group, Value, compute_values, group_of
from .gathering import Inputs, changed
from .measuring import Meter
from .periods import holds, widened
from .place import Place
from .planning import ALWAYS, SAID, Slice, Task
from .reading import Catalog
from .shapes import shaped
from .statistics import describe
from .storing import Draft, Offline

Told = Callable[[str], None]


def _silent(_line: str) -> None:
    """Say it to nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is asked for beyond the features."""

    window: Window = ALWAYS
    force: bool = False
    backfill: bool = False
    told: Told = _silent
    adapter: Adapter | None = None
    meter: Meter = field(default_factory=Meter)


def compute(
    place: Place,
    catalog: Catalog,
    names: Iterable[str],
    window: Window | None = None,
    *,
    force: bool = False,
    backfill: bool = False,
    told: Told = _silent,
    engine: str = PANDAS,
) -> list[Computation]:
    """Compute features, and before them those of other groups that they are made from.

    What nobody has changed is not computed again. A window replaces the partitions that it touches
    and leaves the others; sources are read from its begin on, and for as long before it as a
    feature looks back, or from their own begin if it does not say. A backfill goes partition by
    partition, and goes on where one that was killed has stopped. ``told`` hears why each feature
    is or is not computed. The functions run in this process, or by another engine: Dask, Ray or
    Spark.

    Returns a record of each; where nothing was to do its reason is `Why.FRESH`. Raises
    `FeatureFailed`, after which the stored values are what they were.
    """
    found: list[Computation] = []
    with running(engine) as adapter, Meter() as meter:
        wanted = Wanted(
            window=window or ALWAYS,
            force=force,
            backfill=backfill,
            told=told,
            adapter=adapter,
            meter=meter,
        )
        for definitions in planning.batches(catalog, names):
            found += _Batch(place, catalog, definitions, wanted).compute()
    return found


@dataclass(slots=True)
class _Open:
    """A feature that is being computed."""

    task: Task
    draft: Draft
    #: Columns of the last slice.
    empty: Any = None


class _Batch:
    """Features of one group, none of which needs another group that is not computed."""

    def __init__(
        self, place: Place, catalog: Catalog, definitions: Sequence[Definition], wanted: Wanted
    ) -> None:
        self._place = place
        self._catalog = catalog
        self._definitions = definitions
        self._wanted = wanted
        self._offline = Offline(place)
        self._inputs = Inputs(place, definitions)

    def compute(self) -> list[Computation]:
        """Compute what is to be computed, while nobody else does."""
        with self._offline.writing([each.full_name for each in self._definitions]):
            found = {each.full_name: self._planned(each) for each in self._definitions}
            tasks = [each for each in found.values() if isinstance(each, Task)]
            for group in planning.shared(tasks):
                for record in self._compute(group):
                    found[record.feature] = record
        return [each for each in found.values() if isinstance(each, Computation)]

    def _planned(self, definition: Definition) -> Task | Computation:
        """Return what is to be done about a feature, or its record if nothing is."""
        name, wanted = definition.full_name, self._wanted
        latest = self._offline.latest(name)
        known = self._inputs.fingerprints(definition)
        whole = latest is not None and self._offline.is_whole(latest)
        why = planning.decide(
            definition, latest, known, whole=whole, window=wanted.window, force=wanted.force
        )
        if why is Why.FRESH and latest is not None:
            wanted.told(f"{name} is not computed: {SAID[why]}.")
            return replace(latest, why=why)
        window = wanted.window if definition.timestamp is not None else ALWAYS
        version = planning.version_of(definition, known, why, window, latest)
        stored = self._offline.version(name, version)
        if stored is not None and self._offline.is_whole(stored):
            wanted.told(f"{name} is not computed: {SAID[why]}, but {version} is still stored.")
            self._offline.publish(stored)
            return replace(stored, why=Why.FRESH)
        wanted.told(f"{name} is computed: {SAID[why]}.")
        base = latest if window != ALWAYS else None
        return Task(
            definition=definition,
            version=version,
            why=why,
            slices=planning.slices(definition, window, self._span(definition)),
            sources=known,
            base=base,
            complete=window == ALWAYS or (base is not None and base.complete and whole),
        )

    def _span(self, definition: Definition) -> tuple[datetime, datetime] | None:
        """Return the time to go through piece by piece; None if it is done at once."""
        if not self._wanted.backfill or definition.timestamp is None:
            return None
        span = self._inputs.span(definition)
        if span is None:
            self._wanted.told(
                f"{definition.full_name} is computed at once: none of its sources has a timestamp."
            )
        elif definition.lookback is None:
            self._wanted.told(
                f"{definition.full_name} does not say its lookback, so that each partition reads "
                "its sources from their begin."
            )
        return span

    def _compute(self, tasks: Sequence[Task]) -> list[Computation]:
        """Compute features that read the same, slice by slice."""
        opened = [self._open(each) for each in tasks]
        group = group_of(
            self._place, self._catalog, tasks[0].definition.group, self._wanted.adapter
        )
        records = []
        try:
            for piece in tasks[0].slices:
                pending = [each for each in opened if piece.name not in each.draft.done]
                if pending:
                    self._compute_slice(group, pending, piece)
            for each in opened:
                self._refuse_changed(each.task)
                records.append(self._publish(each))
        except BaseException:
            if len(tasks[0].slices) == 1:
                for each in opened[len(records) :]:
                    each.draft.discard()
            raise
        return records

    def _open(self, task: Task) -> _Open:
        draft = self._offline.draft(task.definition.full_name, task.version)
        if not draft.done:
            draft.discard()
            draft = self._offline.draft(task.definition.full_name, task.version)
        else:
            self._wanted.told(
                f"{task.definition.full_name} goes on: {len(draft.done)} of {len(task.slices)} "
                "partitions are computed."
            )
        return _Open(task, draft)

    def _compute_slice(self, group: Group, pending: Sequence[_Open], piece: Slice) -> None:
        definitions = [each.task.definition for each in pending]
        needed = dict.fromkeys(name for each in definitions for name in group.needs(each.name))
        with self._wanted.meter.block() as reading:
            values = compute_values(group, definitions, self._inputs.read(needed, piece.read))
        for each in pending:
            with self._wanted.meter.block() as own:
                self._write(each, next(values), piece)
            # What several read at once counts for each in equal parts.
            each.draft.spend(own.seconds, own.peak)
            each.draft.spend(reading.seconds / len(pending), reading.peak)
            each.draft.finish(piece.name)

    def _write(self, opened: _Open, value: Value, piece: Slice) -> None:
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

    def _refuse_changed(self, task: Task) -> None:
        name = changed(self._place, task.sources)
        if name is not None:
            raise FeatureFailed(
                f"{task.definition.full_name}: its source {name} was changed while it was read. "
                "Compute it again."
            )

    def _publish(self, opened: _Open) -> Computation:
        task, draft, definition = opened.task, opened.draft, opened.task.definition
        with self._wanted.meter.block() as measured:
            self._carry(task, draft)
            if not draft.files() and opened.empty is not None:
                partitions.write_empty(draft, opened.empty)
            kind = partitions.unite(draft, definition)
            files = draft.files()
            statistics, first, last = describe(files, definition.name, definition.timestamp)
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
