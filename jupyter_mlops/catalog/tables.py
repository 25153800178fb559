"""Tables as DuckDB reads them from files, for a window of time."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from ..core.features import Source, Window
from .periods import in_utc

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

READERS = {
    ".parquet": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".json": "read_json",
    ".ndjson": "read_json",
    ".jsonl": "read_json",
}
DATABASES = (".duckdb", ".ddb", ".db")
#: Rows by which the types of a CSV's columns are chosen.
_SNIFFED = 200_000
_TIMES = ("TIMESTAMP", "DATE")


@contextlib.contextmanager
def connected(memory: str = "1GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection that reads the user's files, in their order, and fetches nothing."""
    import duckdb

    config: dict[str, Any] = {
        "memory_limit": memory,
        "preserve_insertion_order": True,
        "autoinstall_known_extensions": False,
        # Beside the files of others, not in the folder where somebody works.
        "temp_directory": str(Path(tempfile.gettempdir()) / f"mlops-features-{os.getpid()}"),
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def ending(path: str) -> str:
    """Return the end of a name that tells the format, without that of a compression."""
    parts = [each.lower() for each in Path(path).suffixes]
    while parts and parts[-1] in (".gz", ".zst"):
        parts.pop()
    return parts[-1] if parts else ""


def relation(connection: duckdb.DuckDBPyConnection, source: Source, files: Sequence[Path]) -> str:
    """Return what to select a source from. Raises `InvalidInput` for formats not known."""
    end = ending(str(source.path))
    if end in DATABASES:
        return _attached(connection, source, files[0])
    if end not in READERS:
        raise unknown_format(source)
    listed = "[" + ", ".join(quoted(str(each)) for each in files) + "]"
    if end in (".csv", ".tsv"):
        return f"read_csv({listed}, sample_size = {_SNIFFED})"
    more = ", union_by_name = true" if len(files) > 1 else ""
    return f"{READERS[end]}({listed}{more})"


def unknown_format(source: Source) -> InvalidInput:
    """Return the error of a source whose format cannot be told."""
    known = ", ".join((*READERS, *DATABASES))
    return InvalidInput(f"Source {source.name}: {source.path} is of no known format ({known}).")


def select(
    connection: duckdb.DuckDBPyConnection, source: Source, table: str, window: Window
) -> pa.Table:
    """Return the rows of a window; those without a time belong to none."""
    where = condition(source, window, _time_column(connection, source, table, window))
    return connection.sql(f"SELECT * FROM {table}{where}").to_arrow_table()  # noqa: S608


def bounds(
    connection: duckdb.DuckDBPyConnection, source: Source, table: str
) -> tuple[datetime, datetime] | None:
    """Return the times of the first and last row; None if there is none."""
    column = _time_column(connection, source, table, Window(since=datetime.now(UTC)))
    found = connection.execute(f"SELECT min({column}), max({column}) FROM {table}").fetchone()  # noqa: S608
    first, last = found or (None, None)
    return (as_time(first), as_time(last)) if first is not None else None


def as_time(value: Any) -> datetime:
    """Return what a database gave for a time, in UTC."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return in_utc(value)


def condition(source: Source, window: Window, column: str) -> str:
    """Return the clause that selects the rows of a window."""
    parts = []
    if window.since is not None:
        parts.append(f"{column} >= {_literal(window.since)}")
    if window.until is not None:
        parts.append(f"{column} < {_literal(window.until)}")
    return f" WHERE {' AND '.join(parts)}" if parts and source.timestamp else ""


def quoted(text: str) -> str:
    """Return text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _time_column(
    connection: duckdb.DuckDBPyConnection, source: Source, table: str, window: Window
) -> str:
    """Return the column by which windows go, as a time without zone in UTC."""
    if source.timestamp is None or window == Window():
        return ""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608
    types = {row[0]: str(row[1]) for row in rows}
    kind = types.get(source.timestamp)
    if kind is None:
        names = ", ".join(types)
        raise InvalidInput(
            f"Source {source.name} has no column {source.timestamp}, which its settings name as "
            f"timestamp. It has: {names}."
        )
    column = identifier(source.timestamp)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {column})"
    if kind.startswith(_TIMES):
        return column
    raise InvalidInput(
        f"Source {source.name}: its timestamp {source.timestamp} is of type {kind}, "
        "which is no time."
    )


def _literal(time: datetime) -> str:
    return f"TIMESTAMP '{in_utc(time).replace(tzinfo=None).isoformat(sep=' ')}'"


def _attached(connection: duckdb.DuckDBPyConnection, source: Source, path: Path) -> str:
    connection.execute(f"ATTACH {quoted(str(path))} AS source (READ_ONLY)")
    if source.query is not None:
        connection.execute("USE source")
        return f"({source.query})"
    found = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'source' "
        "UNION ALL SELECT schema_name, view_name FROM duckdb_views() "
        "WHERE database_name = 'source' AND NOT internal ORDER BY ALL"
    ).fetchall()
    fitting = [each for each in found if source.table in (None, each[1], f"{each[0]}.{each[1]}")]
    if len(fitting) != 1:
        names = ", ".join(each[1] for each in found) or "none"
        what = f"no table {source.table}" if source.table else "not one table"
        raise InvalidInput(
            f"Source {source.name}: {path.name} has {what} (there are: {names}). "
            "Name one as its table."
        )
    schema, name = fitting[0]
    return f"source.{identifier(schema)}.{identifier(name)}"
