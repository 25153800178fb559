"""Stored values of features, as DuckDB reads them from their files."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.features import FeatureFailed
from .tables import identifier, quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Memory that DuckDB may use itself; beyond that it writes to disk.
_MEMORY = "512MB"
#: Rows that it gives at once.
BATCH = 131_072
#: Seconds after which what was written to disk by somebody who was killed is removed.
_FORGOTTEN = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """The values of a feature, as they are stored."""

    #: Its full name, and the column of its values.
    feature: str
    column: str
    entity: tuple[str, ...]
    timestamp: str | None
    ttl: timedelta | None
    files: tuple[Path, ...]
    rows: int

    @property
    def relation(self) -> str:
        """What SQL selects the values from."""
        return relation(self.files)


def relation(files: Iterable[Path]) -> str:
    """Return what SQL selects the values of files from."""
    listed = ", ".join(quoted(str(each)) for each in files)
    return f"read_parquet([{listed}], union_by_name = true)"


def schema_of(stored: Stored) -> pa.Schema:
    """Return the columns of a feature's files, as their values are. Raises `FeatureFailed`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not stored.files:
        raise failed(stored, "there is no file")
    try:
        schema: pa.Schema = pq.read_schema(stored.files[0])
    except (OSError, pa.ArrowInvalid) as error:
        raise failed(stored, error) from error
    for name in (stored.column, *stored.entity, *([stored.timestamp] if stored.timestamp else [])):
        if name not in schema.names:
            raise failed(stored, f"{stored.files[0].name} has no column {name}")
    fields = [
        each.with_type(each.type.value_type) if pa.types.is_dictionary(each.type) else each
        for each in schema
    ]
    return pa.schema(fields)


def kind_of(kind: pa.DataType) -> str:
    """Return what values of a type are called, where those of other types can equal them."""
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numbers"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "times"
    return str(kind)


def newest(stored: Stored, data: Path) -> Iterator[pa.RecordBatch]:
    """Yield the newest value of each entity: its keys, since when it was known, and the value.

    Keys that are times, and ``at``, are in microseconds since 1970. Raises `FeatureFailed`.
    """
    import duckdb

    schema = schema_of(stored)
    kind = schema.field(stored.column).type
    query = _newest_query(stored, schema)
    try:
        with spilling(data) as connection:
            for batch in connection.sql(query).to_arrow_reader(BATCH):
                values = batch.column("value")
                place = batch.schema.names.index("value")
                yield batch.set_column(place, "value", values.cast(kind))
    except (duckdb.Error, OSError) as error:
        raise failed(stored, error) from error


def _newest_query(stored: Stored, schema: pa.Schema) -> str:
    names = [in_sql(schema.field(name).type, name) for name in stored.entity]
    keys = ", ".join(f"{each} AS k{place}" for place, each in enumerate(names))
    value, source = identifier(stored.column), stored.relation
    if stored.timestamp is None:
        return f'SELECT {keys}, NULL::BIGINT AS "at", {value} AS value FROM {source}'  # noqa: S608
    time = identifier(stored.timestamp)
    # In a struct, since the newest value counts also where it is missing.
    last = f"arg_max({{'v': {value}}}, {time}).v"
    return (
        f'SELECT {keys}, epoch_us(max({time})) AS "at", {last} AS value '  # noqa: S608
        f"FROM {source} WHERE {time} IS NOT NULL GROUP BY {', '.join(names)}"
    )


def sampled_keys(stored: Sequence[Stored], rows: int, data: Path) -> pa.Table:
    """Return some entities of features that have the same keys. Raises `FeatureFailed`."""
    import duckdb

    keys = ", ".join(identifier(each) for each in stored[0].entity)
    files = relation(path for each in stored for path in each.files)
    every = f"SELECT DISTINCT {keys} FROM {files}"  # noqa: S608
    try:
        with spilling(data) as connection:
            query = f"SELECT * FROM ({every}) USING SAMPLE reservoir({rows} ROWS)"  # noqa: S608
            return connection.sql(query).to_arrow_table()
    except (duckdb.Error, OSError) as error:
        raise failed(stored[0], error) from error


@contextlib.contextmanager
def spilling(data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection that writes below ``data`` what memory does not hold."""
    import duckdb

    spill = _spill_folder(data)
    try:
        config: dict[str, Any] = {
            "memory_limit": _MEMORY,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
        }
        with duckdb.connect(config=config) as connection:
            yield connection
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _spill_folder(data: Path) -> Path:
    """Return a new folder on the disk of the features, which has room for such tables."""
    parent = data / ".spill"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for each in parent.iterdir():
            if each.stat().st_mtime < time.time() - _FORGOTTEN:
                shutil.rmtree(each, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=parent))
    except OSError:  # somebody else's features, which one may only read
        return Path(tempfile.mkdtemp())


def in_sql(kind: pa.DataType, name: str) -> str:
    """Return a key as it is compared: times in microseconds since 1970."""
    import pyarrow as pa

    if kind_of(kind) != "times":
        return identifier(name)
    zone = "TIMESTAMPTZ" if pa.types.is_timestamp(kind) and kind.tz else "TIMESTAMP"
    # It knows no epoch of nanoseconds in a zone.
    return f"epoch_us({identifier(name)}::{zone})"


def failed(stored: Stored, error: Exception | str) -> FeatureFailed:
    """Return the error of stored values that cannot be read."""
    line = first_line(error)
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        return FeatureFailed(f"{stored.feature} needs more memory, or room on the disk: {line}")
    return FeatureFailed(
        f"{stored.feature}: its stored values cannot be read ({line}). "
        f"Compute it again: jupyter mlops features compute {stored.feature} --force"
    )


def first_line(error: Exception | str) -> str:
    """Return the first line of what a library says."""
    return next((each.strip() for each in str(error).splitlines() if each.strip()), "no reason")
