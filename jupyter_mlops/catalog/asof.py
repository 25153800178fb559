"""The point-in-time join: to each row the newest value known by its time, by DuckDB.

A row is joined by its number, so that the rows' own columns never pass through the database, and
values come back in the order of the rows. It goes piece by piece and spills to disk, so that memory
is bounded by what is returned.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from ..core.features import FeatureFailed
from .entities import Entities, as_moments
from .leakage import Nearness

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Memory that DuckDB may use itself; beyond that it writes to disk.
_MEMORY = "512MB"
#: Rows that are joined at once, unless the feature has more: it is read again for each piece.
_PIECE = 2_000_000
_BATCH = 131_072
#: Seconds after which what a killed join wrote to disk is removed.
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


class Rows:
    """The keys and times of the rows that values are joined to."""

    def __init__(
        self,
        entities: Entities,
        keys: Sequence[str],
        timestamp: str | None,
        label_time: str | None = None,
    ) -> None:
        """Raises `InvalidInput` where a column cannot be used."""
        import numpy as np
        import pyarrow as pa

        self.count = entities.rows
        self.kinds: dict[str, str] = {}
        columns: dict[str, Any] = {"row": np.arange(entities.rows)}
        for name in keys:
            columns[f"k_{name}"], self.kinds[name] = _comparable(entities.column(name), name)
        self.has_label_time = label_time is not None
        for short, moment in (("t", timestamp), ("l", label_time)):
            if moment is not None:
                columns[short] = entities.moments(moment)
        self._table = pa.table(columns)

    def pieces(self, rows: int) -> Iterator[pa.Table]:
        """Yield the rows in pieces, larger ones for a feature with many rows."""
        size = max(_PIECE, rows)
        for start in range(0, self.count, size):
            yield self._table.slice(start, size)


class Joiner:
    """Joins features to rows, one after another."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, rows: Rows) -> None:
        self._connection = connection
        self._rows = rows

    def join(self, stored: Stored) -> tuple[pa.ChunkedArray, Nearness]:
        """Return a value, or null, for each row in its order, and how near these are to the rows.

        Raises `InvalidInput`, `FeatureFailed`.
        """
        import duckdb
        import pyarrow as pa

        nearness = Nearness()
        schema = schema_of(stored)
        kind = schema.field(stored.column).type
        if any(self._rows.kinds[name] == "null" for name in stored.entity):
            return pa.chunked_array([pa.nulls(self._rows.count, kind)]), nearness
        self._check_keys(stored, schema)
        found: list[pa.Array] = []
        try:
            for piece in self._rows.pieces(stored.rows):
                found += self._joined(stored, schema, piece, nearness)
        except duckdb.Error as error:
            raise _failed(stored, error) from error
        except OSError as error:  # Arrow wraps what DuckDB says while it streams
            raise _failed(stored, error) from error
        values = pa.chunked_array(found) if found else pa.chunked_array([], kind)
        return (values if values.type == kind else values.cast(kind)), nearness

    def _joined(
        self, stored: Stored, schema: pa.Schema, piece: pa.Table, nearness: Nearness
    ) -> list[pa.Array]:
        self._connection.register("e", piece)
        query = self._query(stored, schema, piece)
        found, count = [], 0
        for batch in self._connection.sql(query).to_arrow_reader(_BATCH):
            count += batch.num_rows
            found.append(batch.column("value"))
            nearness.add(batch)
        if count != piece.num_rows:
            keys = ", ".join(stored.entity)
            raise FeatureFailed(
                f"{stored.feature} has several values for one {keys}, and no time to tell them "
                "apart. Make its function return one each, and compute it again."
            )
        return found

    def _query(self, stored: Stored, schema: pa.Schema, piece: pa.Table) -> str:
        keys = [
            f"{_in_sql(schema.field(name).type, name)} AS {_identifier(f'k_{name}')}"
            for name in stored.entity
        ]
        on = [f"e.{k} = f.{k}" for k in (_identifier(f"k_{name}") for name in stored.entity)]
        files = ", ".join(_quoted(str(each)) for each in stored.files)
        source = f"read_parquet([{files}])"
        value = f"{_identifier(stored.column)} AS value"
        if stored.timestamp is None:
            return (
                "SELECT f.value AS value, false AS known, false AS same, false AS after "  # noqa: S608
                f"FROM e LEFT JOIN (SELECT {', '.join(keys)}, {value} FROM {source}) AS f "
                f"ON {' AND '.join(on)} ORDER BY e.row"
            )
        moment = f"epoch_us({_identifier(stored.timestamp)}) AS t"
        ttl = None if stored.ttl is None else stored.ttl // timedelta(microseconds=1)
        held = "f.t IS NOT NULL" if ttl is None else f"(f.t >= e.t - {ttl})"
        after = f"({held} AND f.t >= e.l)" if self._rows.has_label_time else "false"
        return (
            f"SELECT CASE WHEN {held} THEN f.value END AS value, {held} AS known, "  # noqa: S608
            f"({held} AND f.t = e.t) AS same, {after} AS after FROM e ASOF LEFT JOIN "
            f"(SELECT {', '.join(keys)}, {moment}, {value} FROM {source} "
            f"{_within(stored.timestamp, ttl, piece)}) AS f "
            f"ON {' AND '.join(on)} AND e.t >= f.t ORDER BY e.row"
        )

    def _check_keys(self, stored: Stored, schema: pa.Schema) -> None:
        for name in stored.entity:
            here, there = self._rows.kinds[name], kind_of(schema.field(name).type)
            if here != there:
                raise InvalidInput(
                    f"{stored.feature}: {name} holds {there}, but {here} among the entities. "
                    "Convert it there.",
                    field="entities",
                )


@contextlib.contextmanager
def joiner(rows: Rows, data: Path) -> Iterator[Joiner]:
    """Open what joins features to rows; what memory does not hold is written below ``data``."""
    with _connected(data) as connection:
        yield Joiner(connection, rows)


def newest(stored: Stored, data: Path) -> Iterator[pa.RecordBatch]:
    """Yield the newest value of each entity: its keys, since when it was known, and the value.

    Keys that are times, and ``at``, are in microseconds since 1970. Raises `FeatureFailed`.
    """
    import duckdb

    schema = schema_of(stored)
    kind = schema.field(stored.column).type
    query = _newest_query(stored, schema)
    try:
        with _connected(data) as connection:
            for batch in connection.sql(query).to_arrow_reader(_BATCH):
                values = batch.column("value")
                place = batch.schema.names.index("value")
                yield batch.set_column(place, "value", values.cast(kind))
    except (duckdb.Error, OSError) as error:
        raise _failed(stored, error) from error


def _newest_query(stored: Stored, schema: pa.Schema) -> str:
    names = [_in_sql(schema.field(name).type, name) for name in stored.entity]
    keys = ", ".join(f"{each} AS k{place}" for place, each in enumerate(names))
    files = ", ".join(_quoted(str(each)) for each in stored.files)
    value, source = _identifier(stored.column), f"read_parquet([{files}])"
    if stored.timestamp is None:
        return f'SELECT {keys}, NULL::BIGINT AS "at", {value} AS value FROM {source}'  # noqa: S608
    time = _identifier(stored.timestamp)
    # In a struct, since the newest value counts also where it is missing.
    newest = f"arg_max({{'v': {value}}}, {time}).v"
    return (
        f'SELECT {keys}, epoch_us(max({time})) AS "at", {newest} AS value '  # noqa: S608
        f"FROM {source} WHERE {time} IS NOT NULL GROUP BY {', '.join(names)}"
    )


def sampled_keys(stored: Sequence[Stored], rows: int, data: Path) -> pa.Table:
    """Return some entities of features that have the same keys. Raises `FeatureFailed`."""
    import duckdb

    keys = ", ".join(_identifier(each) for each in stored[0].entity)
    files = ", ".join(_quoted(str(path)) for each in stored for path in each.files)
    every = f"SELECT DISTINCT {keys} FROM read_parquet([{files}], union_by_name = true)"  # noqa: S608
    try:
        with _connected(data) as connection:
            query = f"SELECT * FROM ({every}) USING SAMPLE reservoir({rows} ROWS)"  # noqa: S608
            return connection.sql(query).to_arrow_table()
    except (duckdb.Error, OSError) as error:
        raise _failed(stored[0], error) from error


@contextlib.contextmanager
def _connected(data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    spill = _spill_folder(data)
    try:
        # Without their order, since rows bring numbers; and nothing is fetched from anywhere.
        with duckdb.connect(
            config={
                "memory_limit": _MEMORY,
                "temp_directory": str(spill),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
            }
        ) as connection:
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


def schema_of(stored: Stored) -> pa.Schema:
    """Return the columns of a feature's files, as their values are. Raises `FeatureFailed`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not stored.files:
        raise _failed(stored, "there is no file")
    try:
        schema: pa.Schema = pq.read_schema(stored.files[0])
    except (OSError, pa.ArrowInvalid) as error:
        raise _failed(stored, error) from error
    for name in (stored.column, *stored.entity, *([stored.timestamp] if stored.timestamp else [])):
        if name not in schema.names:
            raise _failed(stored, f"{stored.files[0].name} has no column {name}")
    fields = [
        each.with_type(each.type.value_type) if pa.types.is_dictionary(each.type) else each
        for each in schema
    ]
    return pa.schema(fields)


def _comparable(column: pa.ChunkedArray, name: str) -> tuple[pa.ChunkedArray, str]:
    """Return the values of a key as they are compared, and what they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = kind_of(column.type)
    if kind == "times":
        return as_moments(column, name), kind
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column), kind
    return column, kind


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


def _in_sql(kind: pa.DataType, name: str) -> str:
    return f"epoch_us({_identifier(name)})" if kind_of(kind) == "times" else _identifier(name)


def _within(timestamp: str, ttl: int | None, piece: pa.Table) -> str:
    """Return the condition that leaves out whole parts of files that no row can meet."""
    import pyarrow.compute as pc

    ends = pc.min_max(piece.column("t")).as_py()
    if ends["max"] is None:
        return "WHERE false"
    column = _identifier(timestamp)
    # Whole seconds, as a number with a point has too few digits for microseconds.
    until = f"{column} <= to_timestamp({ends['max'] // 1_000_000 + 1})"
    if ttl is None:
        return f"WHERE {until}"
    return f"WHERE {until} AND {column} >= to_timestamp({(ends['min'] - ttl) // 1_000_000})"


def _failed(stored: Stored, error: Exception | str) -> FeatureFailed:
    line = next((each.strip() for each in str(error).splitlines() if each.strip()), "no reason")
    return FeatureFailed(
        f"{stored.feature}: its stored values cannot be joined ({line}). "
        f"Compute it again: jupyter mlops features compute {stored.feature} --force"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
