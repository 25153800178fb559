"""Whether features are the same offline and online: a sample of them, computed both ways."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput, NotFound
from ..core.features import CheckReport, Definition, Difference
from .entities import Entities
from .joining import needed, stored_values, training_set
from .online import is_current, online, open_online
from .place import Place
from .reading import Catalog
from .sources import sample
from .values import Stored, sampled_keys

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class _Found:
    """What was seen so far."""

    rows: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)


def check(
    place: Place,
    catalog: Catalog,
    names: Sequence[str],
    *,
    rows: int = 1000,
    tolerance: float = 0.0,
    entities: Any = None,
) -> CheckReport:
    """Compare a sample of features offline, joined as of their newest value, with those online.

    Entities are drawn from the stored values. For features of the request rows are drawn from
    ``entities``, a table with the request's columns and keys, or else from a source that has all of
    them; online each of these rows is a request of its own. Values are to be equal, numbers but for
    ``tolerance``, absolute and relative; what is missing equals what is missing.

    Raises `InvalidInput`, `FeatureFailed`, `OnlineUnavailable`, and `NotFound` if none of the
    features can be compared.
    """
    if rows < 1 or not 0 <= tolerance < math.inf:
        raise InvalidInput("Compare at least one row, with a tolerance from 0 on.", field="rows")
    definitions = catalog.checked(names)
    checker = _Checker(place, catalog, rows, tolerance, entities)
    checker.run(definitions)
    found = checker.found
    if not found.rows:
        reasons = " ".join(found.skipped.values())
        raise NotFound(f"Nothing could be compared. {reasons}")
    return CheckReport(
        rows=found.rows,
        differences=tuple(found.differences),
        skipped=found.skipped,
        behind=tuple(found.behind),
    )


class _Checker:
    """Compares features."""

    def __init__(
        self, place: Place, catalog: Catalog, rows: int, tolerance: float, entities: Any
    ) -> None:
        self._place = place
        self._catalog = catalog
        self._rows = rows
        self._tolerance = tolerance
        self._entities = None if entities is None else Entities(entities)
        self._fills = open_online(place).fills()
        #: Times of the newest stored values.
        self._last: dict[str, datetime] = {}
        self.found = _Found()

    def run(self, definitions: Sequence[Definition]) -> None:
        """Compare each feature with its own kind."""
        stored: dict[tuple[str, ...], list[tuple[Definition, Stored]]] = defaultdict(list)
        requested: dict[tuple[str, ...], list[Definition]] = defaultdict(list)
        for each in definitions:
            known = self._known(each)
            if known is None:
                continue
            if each.on_demand:
                keys = (name for one in known for name in one.entity)
                requested[tuple(dict.fromkeys((*each.request, *keys)))].append(each)
            else:
                stored[known[0].entity].append((each, known[0]))
        for pairs in stored.values():
            keys = sampled_keys([one for _, one in pairs], self._rows, self._place.data)
            self._compare([each for each, _ in pairs], keys)
        for columns, some in requested.items():
            table = self._requests(columns)
            if table is None:
                for each in some:
                    self.found.skipped[each.full_name] = (
                        f"{each.full_name} needs rows to be compared with: no source has the "
                        f"columns {', '.join(columns)}."
                    )
            else:
                self._compare(some, table)

    def _known(self, definition: Definition) -> list[Stored] | None:
        """Return what is stored of a feature, or of what it is made from; None if it is lacking."""
        found = []
        for each in needed(self._catalog, [definition]):
            fill = self._fills.get(each.full_name)
            try:
                one, record = stored_values(self._place, each)
            except NotFound as error:
                self.found.skipped[definition.full_name] = error.message
                return None
            if fill is None:
                self.found.skipped[definition.full_name] = f"{each.full_name} is not online."
                return None
            if not is_current(fill, record) and each.full_name not in self.found.behind:
                self.found.behind.append(each.full_name)
            if record.last is not None:
                self._last[definition.full_name] = record.last
            found.append(one)
        return found

    def _requests(self, columns: Sequence[str]) -> pa.Table | None:
        """Return rows with these columns; None if there are none."""
        import numpy as np
        import pyarrow as pa

        if self._entities is None:
            found = (
                sample(self._place, each, columns, self._rows)
                for each in self._place.sources.values()
            )
            return next((each for each in found if each is not None), None)
        lacking = [each for each in columns if each not in self._entities.columns]
        if lacking:
            raise InvalidInput(f"The entities lack {', '.join(lacking)}.", field="entities")
        table = pa.table({each: self._entities.column(each) for each in columns})
        if len(table) <= self._rows:
            return table
        chosen = np.random.default_rng().choice(len(table), self._rows, replace=False)
        return table.take(np.sort(chosen))

    def _compare(self, definitions: Sequence[Definition], table: pa.Table) -> None:
        names = [each.full_name for each in definitions]
        now = self._moment(names)
        offline = self._offline(names, table, now)
        for each in definitions:
            self.found.rows[each.full_name] = len(table)
        together = not definitions[0].on_demand
        requests = table.to_pylist()
        answers = self._online(names, requests, now, together=together)
        columns = list(offline.column_names)[len(table.column_names) + 1 :]
        expected = [offline.column(column).to_pylist() for column in columns]
        for row, answer in enumerate(answers):
            for position, column in enumerate(columns):
                value = expected[position][row]
                if not _equal(value, answer[column], self._tolerance):
                    self.found.differences.append(
                        Difference(
                            feature=names[position],
                            row=requests[row],
                            offline=value,
                            online=answer[column],
                        )
                    )

    def _moment(self, names: Sequence[str]) -> datetime:
        """Return the time to compare at: of data that are not renewed, no value may hold now."""
        last = [self._last[name] for name in names if name in self._last]
        return min(datetime.now(UTC), max(last, default=datetime.max.replace(tzinfo=UTC)))

    def _offline(self, names: Sequence[str], table: pa.Table, now: datetime) -> pa.Table:
        import pyarrow as pa

        column = "now"
        while column in table.column_names:
            column += "_"
        times = pa.array([now], pa.timestamp("us", "UTC")).take(pa.array([0] * len(table)))
        entities = table.append_column(column, times)
        made = training_set(self._place, self._catalog, entities, names, timestamp=column)
        found: pa.Table = made.table
        return found

    def _online(
        self,
        names: Sequence[str],
        requests: Sequence[Mapping[str, Any]],
        now: datetime,
        *,
        together: bool,
    ) -> Iterator[dict[str, Any]]:
        """Yield what is online, features of the request one by one, as they are asked for there."""
        if together:
            yield from online(self._place, self._catalog, requests, names, now=now)
            return
        for each in requests:
            yield online(self._place, self._catalog, each, names, now=now)


def _equal(one: Any, other: Any, tolerance: float) -> bool:
    """Whether values are equal, numbers but for a tolerance, missing ones to each other."""
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            _equal(*each, tolerance) for each in zip(one, other, strict=True)
        )
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return bool(one == other)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
