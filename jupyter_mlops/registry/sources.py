"""Tables that batches are read from: whatever DuckDB reads, piece by piece and in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.exceptions import InvalidInput
from .mlops_scoring.columns import Column, WrongColumn

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: DuckDB's functions by the ends of files' names.
_READERS = {
    ".parquet": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".json": "read_json",
    ".ndjson": "read_json",
    ".jsonl": "read_json",
}
_DATABASES = (".duckdb", ".ddb", ".db")
#: DuckDB's types by MLflow's.
_TYPES = {
    "double": "DOUBLE",
    "float": "FLOAT",
    "long": "BIGINT",
    "integer": "INTEGER",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "datetime": "TIMESTAMP",
}
#: Memory that DuckDB may use itself.
_MEMORY = "256MB"
#: Rows by which the types of further columns of a CSV are chosen.
_SNIFFED = 200_000


@dataclass(frozen=True, slots=True)
class Source:
    """A file, files that match a pattern, or a table of a database."""

    path: Path
    table: str | None = None

    @property
    def files(self) -> list[Path]:
        """The files, in the order in which they are read. Raises `InvalidInput` if none is."""
        pattern = any(each in self.path.name for each in "*?[")
        found = sorted(self.path.parent.glob(self.path.name)) if pattern else [self.path]
        if not found or not all(each.is_file() for each in found):
            raise InvalidInput(f"There is no file {self.path}.", field="input")
        return found

    @property
    def suffix(self) -> str:
        """The end of the name that tells the format, without that of a compression."""
        parts = [each.lower() for each in self.path.suffixes]
        while parts and parts[-1] in (".gz", ".zst"):
            parts.pop()
        return parts[-1] if parts else ""


class Table:
    """An opened source."""

    def __init__(self, source: Source, columns: Sequence[Column]) -> None:
        """``columns`` are those that the model asks for. Raises `InvalidInput`."""
        self._source = source
        self._columns = columns
        self._connection = _connect()
        self._from = self._relation()

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def count(self) -> int | None:
        """Return the number of rows, where that costs little."""
        if self._source.suffix in (".csv", ".tsv", ".json", ".ndjson", ".jsonl"):
            return None
        ((found,),) = self._connection.execute(f"SELECT count(*) FROM {self._from}").fetchall()  # noqa: S608
        return int(found)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self._described(self._from))

    def batches(self, size: int, *, skip: int, limit: int | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in pieces of about ``size``. Raises `WrongColumn`, `InvalidInput`."""
        import duckdb

        most = "" if limit is None else f" LIMIT {max(0, limit - skip)}"
        query = f"SELECT * FROM {self._from}{most} OFFSET {skip}"  # noqa: S608
        try:
            yield from self._connection.sql(query).to_arrow_reader(size)
        except (duckdb.Error, OSError) as error:  # Arrow wraps what DuckDB says while it streams
            if self._source.suffix in (".csv", ".tsv"):
                self._find_wrong()
            raise _unreadable(self._source.path, error) from error

    def _relation(self) -> str:
        import duckdb

        suffix = self._source.suffix
        try:
            if suffix in _DATABASES:
                return self._attached()
            if suffix not in _READERS:
                known = ", ".join((*_READERS, *_DATABASES))
                raise InvalidInput(
                    f"{self._source.path.name} is of no known format (known: {known}).",
                    field="input",
                )
            made = self._reading(_READERS[suffix])
            self._described(made)
        except duckdb.Error as error:
            raise _unreadable(self._source.path, error) from error
        return made

    def _reading(self, reader: str, *, as_text: bool = False) -> str:
        files = "[" + ", ".join(_quoted(str(each)) for each in self._source.files) + "]"
        if reader == "read_parquet":
            return f"read_parquet({files})"
        if reader == "read_json":
            return f"read_json({files})"
        if as_text:
            return f"read_csv({files}, all_varchar = true)"
        plain = f"read_csv({files}, sample_size = {_SNIFFED})"
        present = set(self._described(plain))
        types = [
            f"{_quoted(each.name)}: {_quoted(_TYPES[each.type])}"
            for each in self._columns
            if each.name in present and each.type in _TYPES
        ]
        typed = f", types = {{{', '.join(types)}}}" if types else ""
        return f"read_csv({files}, sample_size = {_SNIFFED}{typed})"

    def _attached(self) -> str:
        (path,) = self._source.files
        self._connection.execute(f"ATTACH {_quoted(str(path))} AS source (READ_ONLY)")
        found = self._connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'source' "
            "UNION ALL SELECT schema_name, view_name FROM duckdb_views() "
            "WHERE database_name = 'source' AND NOT internal ORDER BY ALL"
        ).fetchall()
        wanted = self._source.table
        fitting = [each for each in found if wanted in (None, each[1], f"{each[0]}.{each[1]}")]
        if len(fitting) != 1:
            names = ", ".join(each[1] for each in found) or "none"
            what = f"no table {wanted}" if wanted else "not one table"
            raise InvalidInput(
                f"{path.name} has {what} (there are: {names}). Name one with --table.",
                field="table",
            )
        schema, name = fitting[0]
        return f"source.{_identifier(schema)}.{_identifier(name)}"

    def _described(self, relation: str) -> list[str]:
        rows = self._connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()  # noqa: S608
        return [row[0] for row in rows]

    def _find_wrong(self) -> None:
        """Raise `WrongColumn` for the first value of a CSV that is of another type."""
        relation = self._reading("read_csv", as_text=True)
        present = set(self._described(relation))
        for each in self._columns:
            if each.name not in present or each.type not in _TYPES:
                continue
            name = _identifier(each.name)
            query = (
                f"SELECT n, v FROM (SELECT row_number() OVER () AS n, {name} AS v "  # noqa: S608
                f"FROM {relation}) WHERE v IS NOT NULL AND TRY_CAST(v AS {_TYPES[each.type]}) "
                "IS NULL LIMIT 1"
            )
            found = self._connection.execute(query).fetchall()
            if found:
                row, text = found[0]
                raise WrongColumn(each.name, each.type, f"text {text!r:.60}", row=row)


@contextlib.contextmanager
def opened(source: Source, columns: Sequence[Column]) -> Iterator[Table]:
    """Open a source for the block."""
    table = Table(source, columns)
    try:
        yield table
    finally:
        table.close()


def _connect() -> duckdb.DuckDBPyConnection:
    import duckdb

    # It reads the user's files, in their order and without fetching anything from anywhere.
    return duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": _MEMORY,
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
        }
    )


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    line = next((each.strip() for each in str(error).splitlines() if each.strip()), "no reason")
    return InvalidInput(f"{path.name} cannot be read: {line}", field="input")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
