"""Computing features: what is not computed yet, and nothing that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from ..core.exceptions import MlopsError
from ..core.features import Computation, Definition, FeatureFailed, Why, Window
from . import planning
from .adapters import PANDAS, running
from .engine import group_of
from .gathering import Inputs
from .measuring import Meter
from .place import Place
from .planning import ALWAYS, SAID, Task
from .producing import Production, Told, Wanted, silent
from .reading import Catalog
from .storing import Offline


def compute(
    place: Place,
    catalog: Catalog,
    names: Iterable[str],
    window: Window | None = None,
    *,
    force: bool = False,
    backfill: bool = False,
    told: Told = silent,
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
    `FeatureFailed` or `InvalidInput` when all is done that can be: what failed, and what is made
    from it, is stored as it was.
    """
    work = _Work(place, catalog)
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
            work.compute(definitions, wanted)
    work.raise_failures()
    return work.records


class _Work:
    """Features of several groups, one group after the other."""

    def __init__(self, place: Place, catalog: Catalog) -> None:
        self._place = place
        self._catalog = catalog
        self._offline = Offline(place)
        self.records: list[Computation] = []
        #: By the full names of features.
        self._failures: dict[str, MlopsError] = {}

    def compute(self, definitions: Sequence[Definition], wanted: Wanted) -> None:
        """Compute what is to be computed of one group, while nobody else does."""
        before = len(self._failures)
        ready = [each for each in definitions if not self._is_blocked(each)]
        names = [each.full_name for each in ready]
        try:
            with self._offline.writing(names):
                self._compute(ready, wanted)
        except OSError as error:
            failure = FeatureFailed(
                f"{names[0]}: values cannot be written below {self._place.data}: "
                f"{error.strerror or error}."
            )
            failure.__cause__ = error
            self._failures |= dict.fromkeys(names, failure)
        for name in list(self._failures)[before:]:
            wanted.told(f"{name} is not stored: {self._failures[name].message}")

    def raise_failures(self) -> None:
        """Raise what failed, if anything has."""
        different = list(dict.fromkeys(self._failures.values()))
        if len(different) > 1:
            others = ", ".join(list(self._failures)[1:])
            raise FeatureFailed(f"{different[0].message} Not computed either: {others}.")
        if different:
            raise different[0]

    def _is_blocked(self, definition: Definition) -> bool:
        """Whether a feature is made from one that failed, of another group."""
        failed = next(
            (
                each
                for each in definition.upstream
                if each in self._failures and self._catalog.find(each).group != definition.group
            ),
            None,
        )
        if failed is not None:
            self._failures[definition.full_name] = FeatureFailed(
                f"{definition.full_name} is made from {failed}, which could not be computed."
            )
        return failed is not None

    def _compute(self, definitions: Sequence[Definition], wanted: Wanted) -> None:
        inputs = Inputs(self._place, definitions)
        found: dict[str, Computation] = {}
        tasks = []
        for each in definitions:
            try:
                planned = self._planned(each, inputs, wanted)
            except MlopsError as error:
                self._failures[each.full_name] = error
                continue
            if isinstance(planned, Task):
                tasks.append(planned)
            else:
                found[each.full_name] = planned
        for alike in planning.shared(tasks):
            for record in self._produce(alike, inputs, wanted):
                found[record.feature] = record
        self.records += [found[each.full_name] for each in definitions if each.full_name in found]

    def _produce(self, tasks: Sequence[Task], inputs: Inputs, wanted: Wanted) -> list[Computation]:
        group = tasks[0].definition.group
        try:
            graph = group_of(self._place, self._catalog, group, wanted.adapter)
            records, failures = Production(self._place, inputs, graph, wanted).run(tasks)
        except MlopsError as error:
            records, failures = [], {each.definition.full_name: error for each in tasks}
        self._failures |= failures
        return records

    def _planned(
        self, definition: Definition, inputs: Inputs, wanted: Wanted
    ) -> Task | Computation:
        """Return what is to be done about a feature, or its record if nothing is."""
        name = definition.full_name
        latest = self._offline.latest(name)
        known = inputs.fingerprints(definition)
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
            slices=planning.slices(definition, window, _span(definition, inputs, wanted)),
            sources=known,
            base=base,
            complete=window == ALWAYS or (base is not None and base.complete and whole),
        )


def _span(
    definition: Definition, inputs: Inputs, wanted: Wanted
) -> tuple[datetime, datetime] | None:
    """Return the time to go through piece by piece; None if it is done at once."""
    if not wanted.backfill or definition.timestamp is None:
        return None
    span = inputs.span(definition)
    if span is None:
        wanted.told(
            f"{definition.full_name} is computed at once: none of its sources has a timestamp."
        )
    elif definition.lookback is None:
        wanted.told(
            f"{definition.full_name} does not say its lookback, so that each partition reads "
            "its sources from their begin."
        )
    return span
