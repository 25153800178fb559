"""From what a feature's function returns to the table that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.features import Definition, FeatureFailed
from . import columns
from .times import as_utc

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Shaped:
    """Values as they are stored, sorted by time and keys."""

    table: pa.Table
    #: Rows that were left out, as a key or the time is missing in them.
    dropped: int


def shaped(
    definition: Definition,
    result: Any,
    frames: Mapping[str, pd.DataFrame],
    now: datetime | None = None,
) -> Shaped:
    """Return a feature's values as a table of its keys, its time and the value.

    ``frames`` are the tables that the result may be aligned with by its index, the nearest first.
    Raises `FeatureFailed`.
    """
    import pyarrow as pa

    found = _columns(definition, result, frames)
    if definition.timestamp is not None:
        found[definition.timestamp] = as_utc(definition, found[definition.timestamp])
    # One after the other, so that what is converted can be let go of.
    table = pa.table({name: columns.array(definition, name, found.pop(name)) for name in [*found]})
    whole, dropped = columns.present(table, _keys(definition))
    columns.refuse_future(definition, table, now or datetime.now(UTC))
    del table
    return Shaped(columns.in_order(definition, whole), dropped)


def in_pandas(result: Any) -> Any:
    """Return tables of Arrow, polars, Dask and Spark as pandas'; anything else as it is."""
    for name in ("to_pandas", "toPandas"):
        if hasattr(result, name):
            return getattr(result, name)()
    return result.compute() if type(result).__module__.startswith("dask") else result


def _keys(definition: Definition) -> list[str]:
    time = [definition.timestamp] if definition.timestamp else []
    return [*definition.entity, *time]


def _columns(
    definition: Definition, result: Any, frames: Mapping[str, pd.DataFrame]
) -> dict[str, pd.Series[Any]]:
    """Return keys, time and value, row by row."""
    import pandas as pd

    name = definition.full_name
    if definition.name in _keys(definition):
        raise FeatureFailed(f"{name} has the name of one of its keys. Rename the function.")
    result = in_pandas(result)
    if isinstance(result, pd.DataFrame):
        return _of_frame(definition, result)
    if not isinstance(result, pd.Series):
        raise FeatureFailed(
            f"{name} returned {_article(type(result).__name__)}. Return a pandas Series or "
            "DataFrame."
        )
    if set(_keys(definition)) <= set(result.index.names):
        return _of_frame(definition, result.to_frame(definition.name))
    return _aligned(definition, result, frames)


def _of_frame(definition: Definition, frame: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Pick the columns; keys and time may be levels of the index."""
    import pandas as pd

    keys = _keys(definition)
    levels = [each for each in frame.index.names if each in keys and each not in frame.columns]
    lacking = [each for each in keys if each not in frame.columns and each not in levels]
    if lacking:
        raise _lacking(definition, lacking, [*levels, *frame.columns])
    rest = [each for each in frame.columns if each not in keys]
    value = definition.name if definition.name in rest else rest[0] if len(rest) == 1 else None
    if value is None:
        names = ", ".join(map(str, rest)) or "none"
        raise FeatureFailed(
            f"{definition.full_name}: which column is the value? Beside its keys there are: "
            f"{names}. Call one {definition.name}, or return only that."
        )
    made = {
        each: pd.Series(frame.index.get_level_values(each)) if each in levels else frame[each]
        for each in keys
    }
    return made | {definition.name: frame[value]}


def _aligned(
    definition: Definition, values: pd.Series[Any], frames: Mapping[str, pd.DataFrame]
) -> dict[str, pd.Series[Any]]:
    """Take keys and time from the table that the values were made from, row by row."""
    keys = _keys(definition)
    lacking: dict[str, list[str]] = {}
    for name, frame in frames.items():
        lacking[name] = [each for each in keys if each not in frame.columns]
        rows = _rows(values.index, frame, keys if not lacking[name] else [])
        if rows is None:
            del lacking[name]
        elif not lacking[name]:
            return {each: rows[each] for each in keys} | {definition.name: values}
    if lacking:
        name = min(lacking, key=lambda each: len(lacking[each]))
        raise _lacking(definition, lacking[name], frames[name].columns, name)
    raise FeatureFailed(
        f"{definition.full_name} has no {' and '.join(keys)}: the values' index names none of "
        "them, and is that of no table that the feature is made from. Return them as columns, or "
        "as levels of the index."
    )


def _rows(index: pd.Index[Any], frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame | None:
    """Return columns of the rows of a table that an index is of; None if it is of another one.

    An index that merely counts from zero may be of any table of that length, and of no longer one.
    """
    import pandas as pd

    if index.equals(frame.index):
        return frame[[*names]]
    if index.empty:
        return frame[[*names]].iloc[:0]
    counts = isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)
    if counts or not frame.index.is_unique or not index.isin(frame.index).all():
        return None
    return frame[[*names]].loc[index]


def _lacking(
    definition: Definition, names: Sequence[str], there: Any, where: str | None = None
) -> FeatureFailed:
    table = f"the table {where} that its values come from" if where else "what it returned"
    listed = ", ".join(map(str, there)) or "none"
    return FeatureFailed(
        f"{definition.full_name} has no column {' and '.join(names)}: {table} has {listed}."
    )


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
