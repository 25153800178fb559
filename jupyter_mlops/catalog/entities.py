"""Tables of entities, of whatever library: extended by columns, otherwise left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: What a table can be given and returned as.
KINDS = ("pandas", "polars", "arrow")
#: Microseconds in a unit of Arrow's times that is not finer.
_LONGER = {"s": 1_000_000, "ms": 1_000, "us": 1}


class Entities:
    """Rows that features are joined to: a DataFrame of pandas or polars, or a table of Arrow.

    Nothing but its columns is ever read, and its rows stay as they are and where they are.
    """

    def __init__(self, given: Any) -> None:
        """Raises `InvalidInput` if it is no table."""
        self.kind, self._given = _recognised(given)
        names = self._given.column_names if self.kind == "arrow" else self._given.columns
        self.columns: list[str] = [str(each) for each in names]
        self.rows = self._given.num_rows if self.kind == "arrow" else len(self._given)

    @property
    def index(self) -> list[str]:
        """Names of pandas' index, which are no columns."""
        names = self._given.index.names if self.kind == "pandas" else []
        return [str(each) for each in names if each is not None]

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column. Raises `InvalidInput` if it is there twice or of mixed types."""
        if self.columns.count(name) != 1:
            raise InvalidInput(f"The entities have {self.columns.count(name)} columns {name}.")
        position = self.columns.index(name)
        if self.kind == "arrow":
            return self._given.column(position)
        if self.kind == "polars":
            return _chunked(self._given.to_series(position).to_arrow())
        return in_arrow(self._given.iloc[:, position], name)

    def moments(self, name: str) -> pa.ChunkedArray:
        """Return a column of times as microseconds since 1970, those without a zone being UTC.

        Raises `InvalidInput` if it holds no times, or some of several zones.
        """
        if self.kind == "pandas" and self.columns.count(name) == 1:
            _check_zones(self._given.iloc[:, self.columns.index(name)], name)
        return as_moments(self.column(name), name)

    def is_time(self, name: str) -> bool:
        """Whether a column is declared to hold times."""
        import pyarrow as pa

        if self.kind == "pandas":
            return getattr(self._given.dtypes.iloc[self.columns.index(name)], "kind", "") == "M"
        found = self.column(name).type
        return bool(pa.types.is_timestamp(found))

    def frame(self, names: Sequence[str], start: int, stop: int) -> pd.DataFrame:
        """Return some columns of some rows for pandas, the rows numbered from ``start`` on."""
        import pandas as pd

        if self.kind == "pandas":
            positions = [self.columns.index(each) for each in names]
            part: pd.DataFrame = self._given.iloc[start:stop, positions]
            return part.set_axis(pd.RangeIndex(start, start + len(part)), axis=0)
        columns = {name: self.column(name).slice(start, stop - start) for name in names}
        frame = pd.DataFrame({name: each.to_pandas() for name, each in columns.items()})
        return frame.set_axis(pd.RangeIndex(start, start + len(frame)), axis=0)

    def extended(self, columns: dict[str, pa.ChunkedArray], as_: str | None = None) -> Any:
        """Return the table with further columns, of its own kind unless told.

        They are taken out of ``columns``, so that none is held twice for longer than needed.
        """
        kind = as_ or self.kind
        if kind == "pandas":
            return self._as_pandas(columns)
        if kind == "polars":
            polars = import_polars()
            own = self._given if self.kind == "polars" else polars.from_arrow(self._as_arrow())
            return own.with_columns(
                polars.from_arrow(each).alias(name) for name, each in columns.items()
            )
        table: pa.Table = self._as_arrow()
        for name, each in columns.items():
            table = table.append_column(name, each)
        return table

    def _as_arrow(self) -> pa.Table:
        import pyarrow as pa

        if self.kind == "pandas":
            try:
                return pa.Table.from_pandas(self._given)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise InvalidInput(f"The entities cannot be turned into Arrow: {error}") from error
        return self._given.to_arrow() if self.kind == "polars" else self._given

    def _as_pandas(self, columns: dict[str, pa.ChunkedArray]) -> pd.DataFrame:
        import pandas as pd

        own = self._given if self.kind == "pandas" else self._as_arrow().to_pandas()
        made = {name: columns.pop(name).to_pandas().array for name in list(columns)}
        further = pd.DataFrame(made, index=own.index, copy=False)  # as one block it would be copied
        both: pd.DataFrame = pd.concat([own, further], axis=1)
        return both


def check_kind(as_: str | None) -> None:
    """Raise `InvalidInput` unless tables can be returned like that."""
    if as_ not in (None, *KINDS):
        raise InvalidInput(f"as_: {as_!r} is none of {', '.join(KINDS)}.", field="as_")
    if as_ == "polars":
        import_polars()


def import_polars() -> Any:
    """Return the module polars. Raises `InvalidInput` where it is not installed."""
    try:
        import polars as pl
    except ImportError:
        raise InvalidInput(
            "polars is not installed. Run: pip install polars", field="as_"
        ) from None
    return pl


def in_arrow(values: pd.Series[Any], name: str) -> pa.ChunkedArray:
    """Turn a column of pandas into Arrow, times with a zone in UTC. Raises `InvalidInput`."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(values.dtype, pd.DatetimeTZDtype):
        plain = pa.array(values.dt.tz_convert(None).to_numpy(), from_pandas=True)
        return _chunked(plain.cast(pa.timestamp(plain.type.unit, "UTC")))
    try:
        return _chunked(pa.array(values, from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"{name} cannot be read as a column of one type: {error}") from error


def as_moments(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Turn times into microseconds since 1970, rounded down. Raises `InvalidInput`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_moments(column.cast(kind.value_type), name)
    if pa.types.is_null(kind):
        return column.cast(pa.int64())
    if pa.types.is_date(kind):
        return as_moments(column.cast(pa.timestamp("s" if kind == pa.date32() else "ms")), name)
    if not pa.types.is_timestamp(kind):
        hint = f" Convert it: df[{name!r}] = pd.to_datetime(df[{name!r}], utc=True)"
        raise InvalidInput(f"{name} holds {kind}, not times.{hint}", field="timestamp")
    numbers = column.cast(pa.int64())
    if kind.unit == "ns":
        return _floored(numbers)
    try:
        return pc.multiply_checked(numbers, pa.scalar(_LONGER[kind.unit], pa.int64()))
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{name} holds times too far from now.", field="timestamp") from error


def _floored(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Divide by 1000, downwards for times before 1970 as well."""
    import numpy as np
    import pyarrow as pa

    def divided(chunk: pa.Array) -> pa.Array:
        missing = chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else None
        values = (chunk.fill_null(0) if chunk.null_count else chunk).to_numpy()
        return pa.array(np.floor_divide(values, 1000), mask=missing)

    return pa.chunked_array([divided(each) for each in numbers.chunks], pa.int64())


def _recognised(given: Any) -> tuple[str, Any]:
    import pyarrow as pa

    library = type(given).__module__.partition(".")[0]
    if library == "pandas" and hasattr(given, "columns"):
        return "pandas", given
    if library == "polars" and hasattr(given, "collect_schema"):
        return "polars", given.collect() if hasattr(given, "collect") else given
    if isinstance(given, pa.Table):
        return "arrow", given
    if isinstance(given, pa.RecordBatch):
        return "arrow", pa.Table.from_batches([given])
    if hasattr(given, "__arrow_c_stream__") and library not in ("pandas", "polars"):
        return "arrow", pa.table(given)
    raise InvalidInput(
        "The entities must be a DataFrame of pandas or polars, or a table of Arrow, "
        f"not {type(given).__name__}.",
        field="entities",
    )


def _chunked(array: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _check_zones(values: pd.Series[Any], name: str) -> None:
    """Raise `InvalidInput` if a column of Python's objects holds times of several zones."""
    if values.dtype != object:
        return
    zones = {str(each.tzinfo) for each in values if hasattr(each, "tzinfo") and each == each}  # noqa: PLR0124  # NaT is not equal to itself
    if len(zones) > 1:
        found = ", ".join(sorted("no zone" if each == "None" else each for each in zones)[:3])
        raise InvalidInput(
            f"{name} holds times of several zones ({found}). Make it one: "
            f"df[{name!r}] = pd.to_datetime(df[{name!r}], utc=True)",
            field="timestamp",
        )
