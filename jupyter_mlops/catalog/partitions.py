"""Values of a feature cut by time, and written so that all files of a version are of one type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.features import Definition, FeatureFailed, Partition, Period, Window
from .periods import ALL
from .storing import Draft

if TYPE_CHECKING:
    import pyarrow as pa

_UNITS = {Period.DAY: "D", Period.MONTH: "M", Period.YEAR: "Y"}
_FORMATS = {Period.DAY: "%Y-%m-%d", Period.MONTH: "%Y-%m", Period.YEAR: "%Y"}


def write(draft: Draft, definition: Definition, table: pa.Table, kept: Window) -> int:
    """Write the values of a window, sorted as they are; return how many there were."""
    import pyarrow.parquet as pq

    rows = 0
    for name, part in _cut(definition, _within(definition, table, kept)):
        with draft.replacing(name) as path:
            pq.write_table(part, path, compression="zstd")
        rows += part.num_rows
    return rows


def write_empty(draft: Draft, table: pa.Table) -> None:
    """Write a file without values, so that the columns of a feature that has none are known."""
    import pyarrow.parquet as pq

    with draft.replacing(ALL) as path:
        pq.write_table(table, path)


def begins(definition: Definition, partition: str) -> datetime | None:
    """Return when a partition begins; None for that of values without time."""
    if partition == ALL:
        return None
    return datetime.strptime(partition, _FORMATS[definition.partition]).replace(tzinfo=UTC)


def unite(draft: Draft, definition: Definition) -> str:
    """Give all files the same types, those that hold the values of each; return the value's.

    Whole numbers of one month are floats in another where one is missing. Raises `FeatureFailed`
    if no type holds all.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = draft.files()
    schemas = [pq.read_schema(each).remove_metadata() for each in files]
    try:
        common = pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise FeatureFailed(_disagreeing(definition, files, schemas)) from error
    for file, schema in zip(files, schemas, strict=True):
        if schema.equals(common):
            continue
        with draft.replacing(file.stem) as path:
            pq.write_table(pq.read_table(file).cast(common), path, compression="zstd")
    return str(common.field(definition.name).type)


def listed(files: Sequence[Path]) -> tuple[Partition, ...]:
    """Return what is known of files."""
    import pyarrow.parquet as pq

    return tuple(
        Partition(name=each.stem, rows=pq.read_metadata(each).num_rows, size=each.stat().st_size)
        for each in files
    )


def _within(definition: Definition, table: pa.Table, kept: Window) -> pa.Table:
    import pyarrow.compute as pc

    if definition.timestamp is None:
        return table
    times = table.column(definition.timestamp)
    if kept.since is not None:
        table = table.filter(pc.greater_equal(times, _scalar(kept.since)))
        times = table.column(definition.timestamp)
    return table.filter(pc.less(times, _scalar(kept.until))) if kept.until else table


def _scalar(time: datetime) -> Any:
    import pyarrow as pa

    return pa.scalar(time, pa.timestamp("us", "UTC"))


def _cut(definition: Definition, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield each partition's rows; the table is sorted by time."""
    import numpy as np

    if not table.num_rows:
        return
    if definition.timestamp is None:
        yield ALL, table
        return
    times = table.column(definition.timestamp).to_numpy()
    labels = times.astype(f"datetime64[{_UNITS[definition.partition]}]")
    cuts = [0, *(np.flatnonzero(labels[1:] != labels[:-1]) + 1).tolist(), table.num_rows]
    for start, end in pairwise(cuts):
        yield str(labels[start]), table.slice(start, end - start)


def _disagreeing(
    definition: Definition, files: Sequence[Path], schemas: Sequence[pa.Schema]
) -> str:
    for column in schemas[0].names:
        kinds = {str(schema.field(column).type): file.stem for schema, file in
                 zip(schemas, files, strict=True)}  # fmt: skip
        if len(kinds) > 1:
            which = ", ".join(f"{kind} in {name}" for kind, name in kinds.items())
            return f"{definition.full_name}: {column} is of several types: {which}."
    return f"{definition.full_name}: its partitions have different columns."
