"""Training sets: entities' rows, each with what was known of it at its time."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from ..core.features import Computation, Definition, FeatureFailed, Ingredient, Leak
from .asof import Rows, join
from .entities import Entities, check_kind, in_arrow
from .leakage import Nearness, suspicious_times, suspicious_values
from .naming import columns_of
from .place import Place
from .reading import Catalog
from .storing import Offline
from .values import Stored

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows for which features of the request are computed at once.
_PIECE = 500_000
#: Ends of the name of a label's column that tell the column of its time.
_LABEL_TIMES = ("_time", "_at", "_timestamp", "_date")


@dataclass(frozen=True)
class TrainingSet:
    """Entities' rows with features, and what is known of these."""

    #: The rows as they came, with one more column for each feature.
    table: Any
    #: The features that were asked for, and after them those that they are made from.
    ingredients: tuple[Ingredient, ...]
    #: Columns that may tell what will not be known when a prediction is made.
    leaks: tuple[Leak, ...] = ()
    #: Full names of features whose code was changed since they were computed.
    stale: tuple[str, ...] = ()


@dataclass
class _Plan:
    """What is joined to which columns of the entities."""

    #: By the columns that they are returned in.
    columns: dict[str, Definition]
    #: What is stored of these, and what others are made from.
    stored: dict[str, Stored] = field(default_factory=dict)
    records: dict[str, Computation] = field(default_factory=dict)
    timestamp: str | None = None
    label: str | None = None
    label_time: str | None = None

    def column(self, name: str) -> str:
        """Return the column of a feature, or its name if it is none of those asked for."""
        found = (column for column, each in self.columns.items() if each.full_name == name)
        return next(found, name)

    @property
    def on_demand(self) -> list[Definition]:
        """Features that are computed from columns of the entities."""
        return [each for each in self.columns.values() if each.on_demand]

    @property
    def keys(self) -> list[str]:
        """Columns of the entities that features are found by."""
        found = (name for each in self.stored.values() for name in each.entity)
        return list(dict.fromkeys(found))


def training_set(
    place: Place,
    catalog: Catalog,
    entities: Any,
    names: Sequence[str],
    *,
    timestamp: str | None = None,
    label: str | None = None,
    label_time: str | None = None,
    as_: str | None = None,
) -> TrainingSet:
    """Join features to rows, each with the newest values that were known at the row's time.

    ``entities`` is a DataFrame of pandas or polars, or a table of Arrow, with the columns of the
    keys and one of times; ``timestamp`` names it where that is not clear. Its rows, their order and
    their other columns stay as they are. A value that became known later than the row, or is older
    than the feature's ttl, is null. The result is of the same kind, or ``as_`` that: ``pandas``,
    ``polars`` or ``arrow``. With a ``label``, columns that tell it too well are named, and with the
    column of the time at which it was known (``label_time``) values that were not known before.

    Raises `InvalidInput`, `NotFound`, `FeatureFailed`.
    """
    check_kind(as_)
    given = Entities(entities)
    plan = _planned(place, catalog, given, names)
    plan.timestamp = _timestamp_of(given, plan, timestamp)
    plan.label, plan.label_time = _label_of(given, label, label_time)
    rows = _rows(given, plan)
    values: dict[str, pa.ChunkedArray] = {}
    nearness: dict[str, Nearness] = {}
    for each in join(rows, list(plan.stored.values()), place.data):
        values[each.stored.feature] = each.values()
        nearness[plan.column(each.stored.feature)] = each.nearness
    del rows
    if plan.on_demand:
        values |= _computed(place, catalog, given, plan, values)
    columns = {column: values.pop(each.full_name) for column, each in plan.columns.items()}
    values.clear()
    leaks = suspicious_times(nearness, plan.label_time)
    if plan.label is not None:
        leaks += suspicious_values(_judged(given, plan, columns), plan.label)
    ingredients = _ingredients(plan, catalog)
    return TrainingSet(
        given.extended(columns, as_), ingredients, tuple(leaks), _stale(plan, catalog)
    )


def _rows(given: Entities, plan: _Plan) -> Rows:
    """Return what values are joined to. Raises `InvalidInput`."""
    timed = next((each.feature for each in plan.stored.values() if each.timestamp), None)
    if timed is None:
        return Rows(given, plan.keys, None)
    try:
        return Rows(given, plan.keys, plan.timestamp, plan.label_time)
    except InvalidInput as error:
        if error.field != "timestamp":
            raise
        raise InvalidInput(
            f"{timed} changes with time: {error.message}", field=error.field
        ) from None


def needed(catalog: Catalog, definitions: Sequence[Definition]) -> list[Definition]:
    """Return the stored features that some are, or are made from, each once."""
    found: dict[str, Definition] = {}
    for each in definitions:
        names = each.upstream if each.on_demand else (each.full_name,)
        for name in names:
            definition = catalog.find(name)
            if not definition.on_demand:
                found[name] = definition
    return list(found.values())


def stored_values(place: Place, definition: Definition) -> tuple[Stored, Computation]:
    """Return the current values of a feature, and their record. Raises `NotFound`."""
    offline, name = Offline(place), definition.full_name
    record = offline.latest(name)
    files = offline.files(name, record.version if record else None)
    assert record is not None  # noqa: S101  # or there were no files
    stored = Stored(
        feature=name,
        column=definition.name,
        entity=record.entity,
        timestamp=record.timestamp,
        ttl=definition.ttl,
        files=tuple(files),
        rows=record.rows,
    )
    return stored, record


def _planned(place: Place, catalog: Catalog, given: Entities, names: Sequence[str]) -> _Plan:
    """Return what is to be joined. Raises `InvalidInput` where columns are missing."""
    definitions = catalog.checked(names)
    plan = _Plan(columns_of(definitions, given.columns))
    for each in needed(catalog, definitions):
        stored, record = stored_values(place, each)
        plan.records[each.full_name], plan.stored[each.full_name] = record, stored
        for name in record.entity:
            _check_column(given, name, f"{each.full_name} is found by the column {name}")
    for each in plan.on_demand:
        for name in each.request:
            _check_column(given, name, f"{each.full_name} is computed from the column {name}")
    return plan


def _check_column(given: Entities, name: str, what: str) -> None:
    if name in given.columns:
        return
    close = difflib.get_close_matches(name, given.columns, n=1)
    if close:
        hint = f"Is it {close[0]}?"
    elif name in given.index:
        hint = "It is in their index: reset_index() makes it a column."
    else:
        hint = f"They have: {', '.join(given.columns)}."
    raise InvalidInput(f"{what}, which the entities lack. {hint}", field="entities")


def _timestamp_of(given: Entities, plan: _Plan, wanted: str | None) -> str | None:
    """Return the column of the rows' times. Raises `InvalidInput` where it is not clear."""
    if wanted is not None:
        _check_column(given, wanted, f"timestamp names the column {wanted}")
        return wanted
    timed = [each for each in plan.stored.values() if each.timestamp]
    same = {each.timestamp for each in timed if each.timestamp in given.columns}
    times = sorted(filter(None, same)) or [each for each in given.columns if given.is_time(each)]
    if len(times) == 1:
        return times[0]
    if not timed:
        return None
    first = timed[0]
    found = f"Several could be it: {', '.join(times)}" if times else "No column holds times"
    raise InvalidInput(
        f"{first.feature} changes with time, so that each row needs one. {found}. "
        "Name the column: timestamp=…",
        field="timestamp",
    )


def _label_of(
    given: Entities, label: str | None, label_time: str | None
) -> tuple[str | None, str | None]:
    """Return the columns of the label and of its time, which its name tells if nothing else."""
    if label is None and label_time is None:
        return None, None
    if label is not None:
        _check_column(given, label, f"label names the column {label}")
        if label_time is None:
            likely = (f"{label}{end}" for end in _LABEL_TIMES)
            label_time = next((each for each in likely if each in given.columns), None)
            if label_time is not None and not given.is_time(label_time):
                label_time = None
    if label_time is not None:
        _check_column(given, label_time, f"label_time names the column {label_time}")
    return label, label_time


def _computed(
    place: Place,
    catalog: Catalog,
    given: Entities,
    plan: _Plan,
    values: Mapping[str, pa.ChunkedArray],
) -> dict[str, pa.ChunkedArray]:
    """Return features of the request, computed from columns of the entities and stored ones."""
    import pyarrow as pa

    from .engine import on_demand

    names = [each.full_name for each in plan.on_demand]
    request = list(dict.fromkeys(name for each in plan.on_demand for name in each.request))
    inputs = {each.full_name for each in needed(catalog, plan.on_demand)}
    pieces = []
    for start in range(0, max(1, given.rows), _PIECE):
        frame = given.frame(request, start, min(start + _PIECE, given.rows))
        for name in inputs:
            part = values[name].slice(start, _PIECE).to_pandas()
            frame[name] = part.set_axis(frame.index)
        found = on_demand(place, catalog, names, frame)
        arrays = [in_arrow(found[name], name) for name in names]
        pieces.append(pa.table(arrays, names=names))
    try:
        # An integer column has a point in pieces where a value is missing.
        table = pa.concat_tables(pieces, promote_options="permissive")
    except pa.ArrowInvalid as error:
        raise FeatureFailed(f"{', '.join(names)}: values of several types: {error}") from error
    return {name: table.column(name) for name in names}


def _judged(
    given: Entities, plan: _Plan, columns: dict[str, pa.ChunkedArray]
) -> dict[str, pa.ChunkedArray]:
    """Return the columns that a model could learn from, and the label."""
    aside = {*plan.keys, plan.timestamp, plan.label_time}
    own = {name: given.column(name) for name in given.columns if name not in aside}
    return {**own, **columns}


def _ingredients(plan: _Plan, catalog: Catalog) -> tuple[Ingredient, ...]:
    columns = {each.full_name: column for column, each in plan.columns.items()}
    definitions = {each.full_name: each for each in plan.columns.values()}
    definitions |= {name: catalog.find(name) for name in plan.stored}
    found = []
    for name, each in definitions.items():
        record = plan.records.get(name)
        found.append(
            Ingredient(
                feature=name,
                version=record.version if record else None,
                code_hash=record.code_hash if record else each.code_hash,
                type=record.type if record else each.type,
                entity=record.entity if record else each.entity,
                timestamp=record.timestamp if record else each.timestamp,
                statistics=record.statistics if record else None,
                column=columns.get(name),
            )
        )
    return tuple(found)


def _stale(plan: _Plan, catalog: Catalog) -> tuple[str, ...]:
    return tuple(
        name
        for name, record in plan.records.items()
        if record.code_hash != catalog.find(name).code_hash
    )
