"""Sources in SQL databases, by SQLAlchemy's URLs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from ..core.features import Source, Window
from .periods import in_utc
from .tables import as_time

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL, Connection, FromClause, Select

ALWAYS = Window()
#: Rows that are fetched at a time.
_ROWS = 50_000
#: What to install for a database, by its name in URLs.
_EXTRAS = {
    "postgresql": 'pip install "jupyter-mlops[postgresql]"',
    "snowflake": 'pip install "jupyter-mlops[snowflake]"',
}
#: A checksum of all rows, whatever their order, where the database makes one.
_CHECKSUMS = {
    "postgresql": "sum(('x' || substr(md5(s::text), 1, 16))::bit(64)::bigint::numeric)",
    "snowflake": "hash_agg(*)",
}
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def read(source: Source, window: Window = ALWAYS) -> pd.DataFrame:
    """Return the rows of a window of time. Raises `InvalidInput`."""
    import pandas as pd

    with _connected(source) as connection:
        query = _within(connection, source, window)
        streaming = connection.execution_options(stream_results=True)
        chunks = pd.read_sql(query, streaming, chunksize=_ROWS)
        frame = pd.concat(chunks, ignore_index=True)
    if source.timestamp in frame.columns and not _holds_times(frame[source.timestamp]):
        frame[source.timestamp] = pd.to_datetime(frame[source.timestamp])
    return frame


def span(source: Source) -> tuple[datetime, datetime] | None:
    """Return the times of the first and last row; None if there is none. Raises `InvalidInput`."""
    import sqlalchemy as sa

    with _connected(source) as connection:
        table = _rows(source)
        column = _time(source)
        row = connection.execute(
            sa.select(sa.func.min(column), sa.func.max(column)).select_from(table)
        ).one()
    first, last = row
    return None if first is None else (_parsed(first), _parsed(last))


def fingerprint(source: Source) -> str:
    """Return one for the rows of a source, in whatever order they come.

    The database makes the checksum where it can; else all rows are read for it, one after the
    other. Raises `InvalidInput`.
    """
    import sqlalchemy as sa

    with _connected(source) as connection:
        table = _rows(source)
        checksum = _CHECKSUMS.get(connection.dialect.name)
        every = sa.select(sa.text("*")).select_from(table)
        names = connection.execute(every.limit(0)).keys()
        if checksum is not None:
            counted = sa.select(sa.text("count(*)"), sa.text(checksum)).select_from(table)
            total = tuple(connection.execute(counted).one())
        else:
            total = _summed(connection, every)
    return hashlib.sha256(f"{list(names)} {total}".encode()).hexdigest()


def _summed(connection: Connection, query: Select[Any]) -> tuple[int, int]:
    """Return the number of rows and the sum of their hashes."""
    count = total = 0
    for row in connection.execution_options(stream_results=True).execute(query):
        digest = hashlib.sha256(repr(tuple(row)).encode("utf-8", "surrogatepass")).digest()
        total += int.from_bytes(digest[:16])
        count += 1
    return count, total % (1 << 128)


def _within(connection: Connection, source: Source, window: Window) -> Select[Any]:
    import sqlalchemy as sa

    query = sa.select(sa.text("*")).select_from(_rows(source))
    if source.timestamp is None or window == ALWAYS:
        return query
    column = _time(source)
    sample = connection.execute(
        sa.select(column).select_from(_rows(source)).where(column.is_not(None)).limit(1)
    ).scalar()
    if window.since is not None:
        query = query.where(column >= _like(sample, window.since))
    if window.until is not None:
        query = query.where(column < _like(sample, window.until))
    return query


def _rows(source: Source) -> FromClause:
    """Return what to select a source from, called ``s``."""
    import sqlalchemy as sa

    if source.query is not None:
        return sa.text(source.query.rstrip().rstrip(";")).columns().subquery("s")
    if source.table is None:
        raise InvalidInput(
            f"Source {source.name} has a url, but neither table nor query. Add one to its settings."
        )
    schema, _, name = source.table.rpartition(".")
    return sa.table(name, schema=schema or None).alias("s")


def _time(source: Source) -> Any:
    import sqlalchemy as sa

    return sa.column(str(source.timestamp))


def _like(sample: Any, time: datetime) -> Any:
    """Return a time as the database keeps its times: with a zone or without, or as text."""
    time = in_utc(time)
    if isinstance(sample, datetime):
        return time if sample.tzinfo is not None else time.replace(tzinfo=None)
    if not isinstance(sample, str):
        return time.replace(tzinfo=None)
    plain = time.replace(tzinfo=None)
    if len(sample) == len("2013-01-01") and plain.time() == datetime.min.time():
        return plain.date().isoformat()
    return plain.isoformat("T" if "T" in sample else " ")


def _parsed(value: Any) -> datetime:
    return in_utc(datetime.fromisoformat(value)) if isinstance(value, str) else as_time(value)


def _holds_times(column: Any) -> bool:
    import pandas as pd

    return pd.api.types.is_datetime64_any_dtype(column.dtype)


@contextmanager
def _connected(source: Source) -> Iterator[Connection]:
    """Yield a connection whose times are UTC's. Raises `InvalidInput` for what goes wrong."""
    import sqlalchemy as sa

    url = _url(source)
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except (sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise _undriven(source, url.get_backend_name()) from error
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SET TIME ZONE 'UTC'"))
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise InvalidInput(
            f"Source {source.name} cannot be read: {_line(error, url.password)}"
        ) from error


def _url(source: Source) -> URL:
    """Return where a database is, with values of variables put in."""
    import sqlalchemy as sa

    try:
        url = sa.make_url(os.path.expandvars(str(source.url)))
    except sa.exc.ArgumentError as error:
        raise InvalidInput(f"Source {source.name}: its url cannot be read.") from error
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def _undriven(source: Source, database: str) -> InvalidInput:
    install = _EXTRAS.get(database, f"the SQLAlchemy driver of {database}")
    return InvalidInput(
        f"Source {source.name} needs a driver that is not installed. Install it with: {install}"
    )


def _line(error: Exception, password: object) -> str:
    """Return the first line of what a database said, without the password."""
    text = str(getattr(error, "orig", None) or error)
    line = next(filter(None, (each.strip() for each in text.splitlines())), "no reason is given")
    return line.replace(str(password), "***") if password else line
