"""From what a feature's function returns to the table that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.features import Definition, FeatureFailed
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
    frame = _framed(definition, result, frames)
    if definition.timestamp is not None:
        frame[definition.timestamp] = as_utc(definition, frame[definition.timestamp])
    keys = _keys(definition)
    whole = frame.dropna(subset=keys)
    dropped = len(frame) - len(whole)
    if definition.timestamp is not None:
        _refuse_future(definition, whole, now or datetime.now(UTC))
    _refuse_duplicates(definition, whole)
    by = [definition.timestamp, *definition.entity] if definition.timestamp else keys
    return Shaped(_table(definition, _sorted(definition, whole, by)), dropped)


def in_pandas(result: Any) -> Any:
    """Return tables of Arrow, polars, Dask and Spark as pandas'; anything else as it is."""
    for name in ("to_pandas", "toPandas"):
        if hasattr(result, name):
            return getattr(result, name)()
    return result.compute() if type(result).__module__.startswith("dask") else result


def describe_row(definition: Definition, row: Any) -> str:
    """Return how a row is told from others: by its keys."""
    return ", ".join(f"{each}={_plain(row[each])!r}" for each in definition.entity)


def _keys(definition: Definition) -> list[str]:
    time = [definition.timestamp] if definition.timestamp else []
    return [*definition.entity, *time]


def _framed(
    definition: Definition, result: Any, frames: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return a table of keys, time and value, which is nobody else's."""
    import pandas as pd

    name = definition.full_name
    if definition.name in _keys(definition):
        raise FeatureFailed(f"{name} has the name of one of its keys. Rename the function.")
    result = in_pandas(result)
    if isinstance(result, pd.DataFrame):
        return _from_frame(definition, result)
    if not isinstance(result, pd.Series):
        raise FeatureFailed(
            f"{name} returned {_article(type(result).__name__)}. Return a pandas Series or "
            "DataFrame."
        )
    named = [each for each in result.index.names if each is not None]
    if set(_keys(definition)) <= set(named):
        return _from_frame(definition, result.to_frame(definition.name))
    return _aligned(definition, result, frames)


def _from_frame(definition: Definition, frame: pd.DataFrame) -> pd.DataFrame:
    """Pick the columns; keys and time may be levels of the index."""
    levels = [each for each in frame.index.names if each is not None and each not in frame.columns]
    keys = _keys(definition)
    if any(each in levels for each in keys):
        frame = frame.reset_index(level=[each for each in levels if each in keys])
    lacking = [each for each in keys if each not in frame.columns]
    if lacking:
        raise _lacking(definition, lacking, frame.columns)
    rest = [each for each in frame.columns if each not in keys]
    value = definition.name if definition.name in rest else rest[0] if len(rest) == 1 else None
    if value is None:
        names = ", ".join(map(str, rest)) or "none"
        raise FeatureFailed(
            f"{definition.full_name}: which column is the value? Beside its keys there are: "
            f"{names}. Call one {definition.name}, or return only that."
        )
    return frame[[*keys, value]].set_axis([*keys, definition.name], axis="columns").copy()


def _aligned(
    definition: Definition, values: pd.Series[Any], frames: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Take keys and time from the table that the values were made from, row by row."""
    keys = _keys(definition)
    lacking: dict[str, list[str]] = {}
    for name, frame in frames.items():
        rows = _rows(values.index, frame)
        if rows is None:
            continue
        lacking[name] = [each for each in keys if each not in rows.columns]
        if not lacking[name]:
            made = rows[keys].copy()
            made[definition.name] = values.array
            return made
    if lacking:
        name = min(lacking, key=lambda each: len(lacking[each]))
        raise _lacking(definition, lacking[name], frames[name].columns, name)
    raise FeatureFailed(
        f"{definition.full_name} has no {_joined(keys)}: the values' index names none of them, "
        "and is that of no table that the feature is made from. Return them as columns, or as "
        "levels of the index."
    )


def _rows(index: pd.Index[Any], frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows of a table that an index is of; None if it is of another one.

    An index that merely counts may be of any table of that length, and of no longer one.
    """
    import pandas as pd

    if index.equals(frame.index):
        return frame
    counts = isinstance(index, pd.RangeIndex)
    if counts or not frame.index.is_unique or not index.isin(frame.index).all():
        return None
    return frame.loc[index]


def _lacking(
    definition: Definition, names: Sequence[str], columns: Any, where: str | None = None
) -> FeatureFailed:
    table = f"the table {where} that its values come from" if where else "what it returned"
    there = ", ".join(map(str, columns)) or "none"
    return FeatureFailed(
        f"{definition.full_name} has no column {_joined(names)}: {table} has {there}."
    )


def _refuse_future(definition: Definition, frame: pd.DataFrame, now: datetime) -> None:
    times = frame[definition.timestamp]
    late = (times > now).to_numpy()
    if not late.any():
        return
    place = int(late.argmax())
    row = frame.iloc[place]
    raise FeatureFailed(
        f"{definition.full_name}: row {place} ({describe_row(definition, row)}) has the time "
        f"{times.iloc[place].isoformat()}, which lies in the future. A value's "
        f"{definition.timestamp} is from when on it was known."
    )


def _refuse_duplicates(definition: Definition, frame: pd.DataFrame) -> None:
    keys = _keys(definition)
    try:
        again = frame.duplicated(subset=keys, keep="first").to_numpy()
    except TypeError as error:
        raise FeatureFailed(
            f"{definition.full_name}: {_joined(definition.entity)} cannot be keys: {error}."
        ) from error
    if not again.any():
        return
    row = frame.iloc[int(again.argmax())]
    same = (frame[keys] == row[keys]).all(axis="columns")
    time = f" at {row[definition.timestamp].isoformat()}" if definition.timestamp else ""
    hint = "" if definition.timestamp else " If they change over time, name its timestamp."
    raise FeatureFailed(
        f"{definition.full_name} has {int(same.sum())} values for {describe_row(definition, row)}"
        f"{time}, where there can be one.{hint}"
    )


def _sorted(definition: Definition, frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    try:
        return frame.sort_values(list(by), kind="stable")
    except TypeError as error:
        raise FeatureFailed(
            f"{definition.full_name}: the values of {_joined(by)} are of several types: {error}."
        ) from error


def _table(definition: Definition, frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    arrays = {}
    for column in frame.columns:
        try:
            array = _array(frame[column])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise _unfit(definition, column, str(frame[column].dtype), error) from error
        arrays[column] = _stored(definition, column, array)
    return pa.table(arrays)


def _array(values: pd.Series[Any]) -> Any:
    """Return values as Arrow's, where what is not a number is missing."""
    import pandas as pd
    import pyarrow as pa

    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.Array.from_pandas(values)
    plain = values.dt.tz_convert(None).dt.as_unit("us").to_numpy()
    return pa.array(plain, pa.timestamp("us"), from_pandas=True).cast(pa.timestamp("us", "UTC"))


def _stored(definition: Definition, column: str, array: Any) -> Any:
    """Return an array of a type that each partition has, and that Parquet holds."""
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_duration(kind):
        raise _unfit(definition, column, str(kind))
    if pa.types.is_large_string(kind):
        return array.cast(pa.string())
    if pa.types.is_timestamp(kind):
        return array.cast(pa.timestamp("us", kind.tz), safe=False)
    return array


def _unfit(
    definition: Definition, column: str, kind: str, error: Exception | None = None
) -> FeatureFailed:
    reason = f" ({' '.join(str(error).split())})" if error else ""
    return FeatureFailed(
        f"{definition.full_name}: Parquet has no type for {column}, which is of type "
        f"{kind}{reason}. Turn it into numbers, text or times."
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names)


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
