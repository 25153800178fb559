"""Sources of features: tables in files and databases, read for a window of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.exceptions import InvalidInput
from ..core.features import Source, Window
from . import buckets, databases, tables, tracked
from .fingerprints import Fingerprints
from .place import Place

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

ALWAYS = Window()
_WILD = "*?["


def read(place: Place, source: Source, window: Window = ALWAYS) -> pd.DataFrame:
    """Return the rows of a window of time, all of them unless told; columns keep their types.

    A source without a timestamp is read whole. Decimals become floats, and dates times. Raises
    `InvalidInput` if the source is not there, or not as its settings say.
    """
    window = window if source.timestamp is not None else ALWAYS
    if source.url is not None:
        return databases.read(source, window)
    with _opened(place, source) as (connection, table):
        found = tables.select(connection, source, table, window)
    return in_pandas(found)


def sample(place: Place, source: Source, columns: Sequence[str], rows: int) -> pa.Table | None:
    """Return some columns of some rows of files; None if the source lacks one or is a database."""
    if source.url is not None:
        return None
    with _opened(place, source) as (connection, table):
        known = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()}  # noqa: S608
        if not known.issuperset(columns):
            return None
        names = ", ".join(tables.identifier(each) for each in columns)
        query = f"SELECT {names} FROM {table} USING SAMPLE reservoir({rows} ROWS)"  # noqa: S608
        return connection.sql(query).to_arrow_table()


def span(place: Place, source: Source) -> tuple[datetime, datetime] | None:
    """Return the times of a source's first and last row; None if it has no times, or no rows."""
    if source.timestamp is None:
        return None
    if source.url is not None:
        return databases.span(source)
    with _opened(place, source) as (connection, table):
        return tables.bounds(connection, source, table)


def fingerprint(place: Place, source: Source) -> str:
    """Return what is equal as long as a source's content is, and what is read of it."""
    if source.url is not None:
        return databases.fingerprint(source)
    with _described(source):
        if is_remote(source):
            return buckets.fingerprint(source)
        files = files_of(place, source)
        return Fingerprints(place.data).of(files, source.table or "", source.query or "")


def is_remote(source: Source) -> bool:
    """Whether a source lies elsewhere than in files of this machine."""
    return source.url is not None or str(source.path).startswith(buckets.SCHEME)


def files_of(place: Place, source: Source) -> list[Path]:
    """Return the files of a source, in the order in which they are read.

    What DVC keeps and is not here is fetched. Raises `InvalidInput`.
    """
    if source.path is None:
        raise InvalidInput(
            f"Source {source.name} has neither path nor url. Add one to its settings."
        )
    if source.rev is not None:
        return [tracked.at_revision(place, source)]
    found = matching(place.root, source.path)
    if not found:
        tracked.pull(place, source, str(_divided(source.path)[0]))
        found = matching(place.root, source.path)
    if not found:
        raise InvalidInput(f"Source {source.name}: there is no file {source.path}.")
    return found


def matching(root: Path, path: str) -> list[Path]:
    """Return the files below a folder that a path or pattern names."""
    if (root / path).is_file():
        return [root / path]
    plain, pattern = _divided(path)
    found = (root / plain).glob(pattern) if pattern else ()
    return sorted(each for each in found if each.is_file())


def _divided(path: str) -> tuple[Path, str]:
    """Return the folder above the part of a path that is a pattern, and that part."""
    parts = Path(path).parts
    plain = list(takewhile(lambda each: not any(wild in each for wild in _WILD), parts))
    return Path(*plain), "/".join(parts[len(plain) :])


def in_pandas(table: pa.Table) -> pd.DataFrame:
    """Return a table in pandas, which takes its memory over."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            column = table.column(place).cast(pa.float64())
            table = table.set_column(place, field.name, column)
    frame: pd.DataFrame = table.to_pandas(
        date_as_object=False, split_blocks=True, self_destruct=True
    )
    return frame


@contextmanager
def _opened(place: Place, source: Source) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Yield a connection, and what to select the source's rows from."""
    with _described(source), tables.connected() as connection:
        if is_remote(source):
            yield connection, buckets.relation(place, connection, source)
        else:
            yield connection, tables.relation(connection, source, files_of(place, source))


@contextmanager
def _described(source: Source) -> Iterator[None]:
    """Say in one line, with the source's name, why it cannot be read."""
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError) as error:
        lines = (each.strip() for each in str(error).splitlines())
        line = next(filter(None, lines), "no reason is given")
        raise InvalidInput(f"Source {source.name} cannot be read: {line}") from error
