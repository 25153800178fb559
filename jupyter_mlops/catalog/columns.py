"""Columns of values as Arrow keeps them, sorted, and whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.features import Definition, FeatureFailed

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def array(definition: Definition, column: str, values: pd.Series[Any]) -> pa.Array:
    """Return values of a type that Parquet holds. Raises `FeatureFailed` if there is none."""
    import pyarrow as pa

    try:
        found = _converted(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise _unfit(definition, column, str(values.dtype), error) from error
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    if pa.types.is_dictionary(found.type):
        found = found.dictionary_decode()
    kind = found.type
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_duration(kind):
        raise _unfit(definition, column, str(kind))
    if pa.types.is_large_string(kind):
        return found.cast(pa.string())
    if pa.types.is_timestamp(kind):
        return found.cast(pa.timestamp("us", kind.tz), safe=False)
    return found


def present(table: pa.Table, keys: Sequence[str]) -> tuple[pa.Table, int]:
    """Return the rows that lack no key, and how many do."""
    import pyarrow.compute as pc

    before = table.num_rows
    for each in keys:
        if table.column(each).null_count:
            table = table.filter(pc.is_valid(table.column(each)))
    return table, before - table.num_rows


def refuse_future(definition: Definition, table: pa.Table, now: datetime) -> None:
    """Raise `FeatureFailed` if a value is of a time that has not come yet."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if definition.timestamp is None:
        return
    times = table.column(definition.timestamp)
    place = pc.index(pc.greater(times, pa.scalar(now, times.type)), True).as_py()
    if place < 0:
        return
    raise FeatureFailed(
        f"{definition.full_name}: row {place} ({_told(definition, table, place)}) has the time "
        f"{times[place].as_py().isoformat()}, which lies in the future. A value's "
        f"{definition.timestamp} is from when on it was known."
    )


def in_order(definition: Definition, table: pa.Table) -> pa.Table:
    """Return rows sorted by time and keys. Raises `FeatureFailed` if two are of the same."""
    import pyarrow as pa

    time = [definition.timestamp] if definition.timestamp else []
    keys = [*time, *definition.entity]
    try:
        ordered = table.sort_by([(each, "ascending") for each in keys]).combine_chunks()
    except pa.ArrowException as error:
        raise FeatureFailed(
            f"{definition.full_name}: {' and '.join(keys)} cannot be keys: "
            f"{' '.join(str(error).split())}."
        ) from error
    if ordered.num_rows > 1:
        _refuse_same(definition, ordered, keys)
    return ordered


def _converted(values: pd.Series[Any]) -> Any:
    """Return values as Arrow's, where what is not a number is missing."""
    import pandas as pd
    import pyarrow as pa

    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.Array.from_pandas(values)
    plain = values.dt.tz_convert(None).dt.as_unit("us").to_numpy()
    return pa.array(plain, pa.timestamp("us"), from_pandas=True).cast(pa.timestamp("us", "UTC"))


def _refuse_same(definition: Definition, table: pa.Table, keys: Sequence[str]) -> None:
    import pyarrow.compute as pc

    same: Any = None
    for each in keys:
        column = table.column(each)
        equal = pc.equal(column.slice(1), column.slice(0, table.num_rows - 1))
        same = equal if same is None else pc.and_(same, equal)
    place = pc.index(same, True).as_py()
    if place < 0:
        return
    further = pc.index(same.slice(place), False).as_py()
    count = 1 + (further if further >= 0 else len(same) - place)
    time, hint = "", " If they change over time, name its timestamp."
    if definition.timestamp:
        time, hint = f" at {table.column(definition.timestamp)[place].as_py().isoformat()}", ""
    raise FeatureFailed(
        f"{definition.full_name} has {count} values for {_told(definition, table, place)}{time}, "
        f"where there can be one.{hint}"
    )


def _told(definition: Definition, table: pa.Table, place: int) -> str:
    """Return how a row is told from others: by its keys."""
    return ", ".join(f"{each}={table.column(each)[place].as_py()!r}" for each in definition.entity)


def _unfit(
    definition: Definition, column: str, kind: str, error: Exception | None = None
) -> FeatureFailed:
    reason = f" ({' '.join(str(error).split())})" if error else ""
    return FeatureFailed(
        f"{definition.full_name}: Parquet has no type for {column}, which is of type "
        f"{kind}{reason}. Turn it into numbers, text or times."
    )
