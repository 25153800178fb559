"""The point-in-time join: to each row the newest value known by its time, by DuckDB.

Rows are joined by their numbers, so that their other columns never pass through the database, and
values are put in the order of the rows. It goes piece by piece and spills to disk, so that memory
is bounded by what is returned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from ..core.features import FeatureFailed
from .entities import Entities, as_moments
from .leakage import Nearness
from .tables import identifier
from .values import BATCH, Stored, failed, first_line, in_sql, kind_of, schema_of, spilling

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Rows that are joined at once, unless a feature has more: it is read again for each piece.
_PIECE = 2_000_000


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
        import pyarrow as pa

        self.count = entities.rows
        self.kinds: dict[str, str] = {}
        columns: dict[str, Any] = {}
        for name in keys:
            columns[f"k_{name}"], self.kinds[name] = _comparable(entities.column(name), name)
        self.has_label_time = label_time is not None
        for short, moment in (("t", timestamp), ("l", label_time)):
            if moment is not None:
                columns[short] = entities.moments(moment)
        self._table = pa.table(columns)

    def pieces(self, rows: int) -> Iterator[pa.Table]:
        """Yield the rows in pieces, larger ones for features with many rows, each numbered."""
        import numpy as np

        size = max(_PIECE, rows)
        for start in range(0, self.count, size):
            piece = self._table.slice(start, size)
            yield piece.append_column("row", [np.arange(len(piece), dtype="int32")])


@dataclass(slots=True)
class Joined:
    """Values of a feature, one or null for each row, and how near these are to the rows."""

    stored: Stored
    schema: pa.Schema
    pieces: list[pa.ChunkedArray] = field(default_factory=list)
    nearness: Nearness = field(default_factory=Nearness)

    @property
    def type(self) -> pa.DataType:
        """Type of the values, as they are stored."""
        return self.schema.field(self.stored.column).type

    def values(self) -> pa.ChunkedArray:
        """Return the values in the order of the rows."""
        import pyarrow as pa

        chunks = [chunk for each in self.pieces for chunk in each.chunks]
        return pa.chunked_array(chunks, self.type)


def join(rows: Rows, features: Sequence[Stored], data: Path) -> list[Joined]:
    """Join features to rows; what memory does not hold is written below ``data``.

    Raises `InvalidInput`, `FeatureFailed`.
    """
    found = [Joined(each, schema_of(each)) for each in features]
    alike: dict[tuple[str, ...], list[Joined]] = defaultdict(list)
    for each in found:
        _check_keys(rows, each)
        alike[each.stored.entity].append(each)
    if not found:
        return found
    with spilling(data) as connection:
        for piece in rows.pieces(max(each.rows for each in features)):
            for keys, some in alike.items():
                _sort(connection, piece, keys)
                for each in some:
                    each.pieces.append(_joined(connection, rows, each, piece))
    return found


def _check_keys(rows: Rows, joined: Joined) -> None:
    """Raise `InvalidInput` where keys can never equal the stored ones."""
    for name in joined.stored.entity:
        here, there = rows.kinds[name], kind_of(joined.schema.field(name).type)
        if here not in (there, "null"):
            raise InvalidInput(
                f"{joined.stored.feature}: {name} holds {there}, but {here} among the entities. "
                "Convert it there.",
                field="entities",
            )


def _sort(connection: duckdb.DuckDBPyConnection, piece: pa.Table, keys: Sequence[str]) -> None:
    """Put rows into a table of the database, sorted as joins sort them, which then cost less."""
    import duckdb

    names = [identifier(f"k_{each}") for each in keys]
    times = [each for each in ("t", "l") if each in piece.column_names]
    order = ", ".join([*names, *times[:1]])
    columns = ", ".join(["row", *names, *times])
    connection.register("given", piece)
    query = f"SELECT {columns} FROM given ORDER BY {order}"  # noqa: S608
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE e AS {query}")
    except duckdb.Error as error:
        raise FeatureFailed(f"The entities cannot be joined to: {first_line(error)}") from error


def _joined(
    connection: duckdb.DuckDBPyConnection, rows: Rows, joined: Joined, piece: pa.Table
) -> pa.ChunkedArray:
    """Return the values of a piece in the order of its rows. Raises `FeatureFailed`."""
    import duckdb
    import pyarrow as pa

    stored = joined.stored
    if any(rows.kinds[name] == "null" for name in stored.entity):
        return pa.chunked_array([pa.nulls(len(piece), joined.type)])
    # Values of any length are put in order by the database, which has the room.
    ordered = not _is_fixed(joined.type)
    query = _query(joined, rows, piece) + (" ORDER BY e.row" if ordered else "")
    numbers, values = [], []
    try:
        for batch in connection.sql(query).to_arrow_reader(BATCH):
            numbers.append(batch.column("row"))
            values.append(batch.column("value"))
            joined.nearness.add(batch)
    except (duckdb.Error, OSError) as error:  # Arrow wraps what DuckDB says while it streams
        raise failed(stored, error) from error
    count = sum(map(len, numbers))
    if count != len(piece):
        raise FeatureFailed(
            f"{stored.feature} has several values for one {', '.join(stored.entity)}, and no time "
            "to tell them apart. Make its function return one each, and compute it again."
        )
    found = pa.chunked_array(values).cast(joined.type)
    return found if ordered else _put_in_order(found, numbers)


def _put_in_order(values: pa.ChunkedArray, numbers: Sequence[pa.Array]) -> pa.ChunkedArray:
    import numpy as np
    import pyarrow as pa

    places = np.empty(len(values), dtype="int32")
    places[np.concatenate([each.to_numpy() for each in numbers])] = np.arange(
        len(values), dtype="int32"
    )
    return pa.chunked_array([pa.concat_arrays(values.chunks).take(pa.array(places))])


def _is_fixed(kind: pa.DataType) -> bool:
    """Whether each value of a type takes as much room as any other."""
    import pyarrow as pa

    return bool(pa.types.is_primitive(kind) or pa.types.is_decimal(kind))


def _query(joined: Joined, rows: Rows, piece: pa.Table) -> str:
    stored, schema = joined.stored, joined.schema
    named = [(name, identifier(f"k_{name}")) for name in stored.entity]
    keys = ", ".join(f"{in_sql(schema.field(name).type, name)} AS {k}" for name, k in named)
    on = " AND ".join(f"e.{k} = f.{k}" for _, k in named)
    value = f"{identifier(stored.column)} AS value"
    if stored.timestamp is None:
        return (
            "SELECT e.row, f.value, false AS known, false AS same, false AS after FROM e "  # noqa: S608
            f"LEFT JOIN (SELECT {keys}, {value} FROM {stored.relation}) AS f ON {on}"
        )
    moment = f"epoch_us({identifier(stored.timestamp)}) AS t"
    ttl = None if stored.ttl is None else stored.ttl // timedelta(microseconds=1)
    held = "f.t IS NOT NULL" if ttl is None else f"(f.t >= e.t - {ttl})"
    after = f"({held} AND f.t >= e.l)" if rows.has_label_time else "false"
    return (
        f"SELECT e.row, CASE WHEN {held} THEN f.value END AS value, {held} AS known, "  # noqa: S608
        f"({held} AND f.t = e.t) AS same, {after} AS after FROM e ASOF LEFT JOIN "
        f"(SELECT {keys}, {moment}, {value} FROM {stored.relation} "
        f"{_within(stored.timestamp, ttl, piece)}) AS f ON {on} AND e.t >= f.t"
    )


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


def _within(timestamp: str, ttl: int | None, piece: pa.Table) -> str:
    """Return the condition that leaves out whole parts of files that no row can meet."""
    import pyarrow.compute as pc

    ends = pc.min_max(piece.column("t")).as_py()
    if ends["max"] is None:
        return "WHERE false"
    column = identifier(timestamp)
    # Whole seconds, as a number with a point has too few digits for microseconds.
    until = f"{column} <= to_timestamp({ends['max'] // 1_000_000 + 1})"
    if ttl is None:
        return f"WHERE {until}"
    return f"WHERE {until} AND {column} >= to_timestamp({(ends['min'] - ttl) // 1_000_000})"
