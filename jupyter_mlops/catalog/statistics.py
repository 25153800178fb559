"""What the values of a feature look like, told by DuckDB in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.features import Statistics
from .periods import in_utc
from .tables import identifier, quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Bars of a histogram, and frequent values.
_BARS = 20
_FREQUENT = 20
#: Letters of a frequent value.
_LETTERS = 80
#: Rows up to which different values are counted exactly.
_COUNTED = 1_000_000
_NUMBERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\)")
_TIMES = ("TIMESTAMP", "DATE")


def describe(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    value: str,
    timestamp: str | None,
) -> tuple[Statistics, datetime | None, datetime | None]:
    """Return the statistics of a feature's stored values, and their first and last time."""
    listed = ", ".join(quoted(str(each)) for each in files)
    table = f"read_parquet([{listed}])"
    name = identifier(value)
    number = _number(_kind(connection, table, name), name)
    if number is not None:
        made = _numbers(connection, f"(SELECT {number} AS v FROM {table})")  # noqa: S608
    else:
        made = _others(connection, f"(SELECT {name} AS v FROM {table})")  # noqa: S608
    first, last = _span(connection, table, timestamp)
    return made, first, last


def drawn(
    connection: duckdb.DuckDBPyConnection, table: str, value: str, most: int
) -> tuple[pa.Array, bool]:
    """Return values as statistics take them, numbers or text, and whether they are numbers.

    Of more than ``most`` some are drawn.
    """
    name = identifier(value)
    number = _number(_kind(connection, table, name), name)
    made = number if number is not None else f"left({name}::VARCHAR, {_LETTERS})"
    query = f"SELECT {made} AS v FROM {table} USING SAMPLE reservoir({most} ROWS)"  # noqa: S608
    found = connection.sql(query).to_arrow_table().column("v").combine_chunks()
    return found, number is not None


def _kind(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> str:
    rows = connection.execute(f"DESCRIBE SELECT {name} FROM {table}").fetchall()  # noqa: S608
    return str(rows[0][1])


def _number(kind: str, name: str) -> str | None:
    """Return what makes a number of a value; None if nothing does."""
    if kind.startswith(_TIMES) and "[" not in kind:
        # It knows no epoch of nanoseconds in a zone.
        return f"epoch({name}::{'TIMESTAMPTZ' if 'Z' in kind else 'TIMESTAMP'})"
    return f"{name}::DOUBLE" if _NUMBERS.fullmatch(kind) else None


def _numbers(connection: duckdb.DuckDBPyConnection, values: str) -> Statistics:
    rows, missing, distinct = _counted(connection, values)
    low, high, mean, deviation = _one(
        connection,
        f"SELECT min(v), max(v), avg(v), stddev_samp(v) FROM {values} WHERE isfinite(v)",  # noqa: S608
    )
    edges, counts = _bars(connection, values, low, high)
    return Statistics(
        rows=rows,
        missing=missing,
        distinct=distinct,
        minimum=low,
        maximum=high,
        mean=mean,
        deviation=deviation,
        edges=edges,
        counts=counts,
    )


def _counted(connection: duckdb.DuckDBPyConnection, values: str) -> tuple[int, int, int]:
    """Return the number of rows, of those without a value, and of different values."""
    rows, present = _one(connection, f"SELECT count(*), count(v) FROM {values}")  # noqa: S608
    exactly = "count(DISTINCT v)" if rows <= _COUNTED else "approx_count_distinct(v)"
    (distinct,) = _one(connection, f"SELECT {exactly} FROM {values}")  # noqa: S608
    return rows, rows - present, min(distinct, present)


def _bars(
    connection: duckdb.DuckDBPyConnection, values: str, low: float | None, high: float | None
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return edges and heights of a histogram; one bar if all values are equal."""
    if low is None or high is None:
        return (), ()
    bars = _BARS if high > low else 1
    width = (high - low) / bars
    place = f"least(floor((v - {low!r}) / {width!r}), {bars - 1})" if width > 0 else "0"
    query = f"SELECT {place}::INT, count(*) FROM {values} WHERE isfinite(v) GROUP BY 1"  # noqa: S608
    found = dict(connection.execute(query).fetchall())
    edges = (*(low + width * each for each in range(bars)), high)
    return edges, tuple(found.get(each, 0) for each in range(bars))


def _others(connection: duckdb.DuckDBPyConnection, values: str) -> Statistics:
    rows, missing, distinct = _counted(connection, values)
    frequent = connection.execute(
        f"SELECT left(v::VARCHAR, {_LETTERS}) AS text, count(*) AS n FROM {values} "  # noqa: S608
        f"WHERE v IS NOT NULL GROUP BY text ORDER BY n DESC, text LIMIT {_FREQUENT}"
    ).fetchall()
    return Statistics(
        rows=rows,
        missing=missing,
        distinct=distinct,
        values=tuple((str(text), count) for text, count in frequent),
    )


def _span(
    connection: duckdb.DuckDBPyConnection, table: str, timestamp: str | None
) -> tuple[datetime | None, datetime | None]:
    if timestamp is None:
        return None, None
    column = f"timezone('UTC', {identifier(timestamp)})"
    first, last = _one(connection, f"SELECT min({column}), max({column}) FROM {table}")  # noqa: S608
    return (in_utc(first) if first else None), (in_utc(last) if last else None)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = connection.execute(query).fetchone()
    return found if found is not None else ()
