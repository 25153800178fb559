"""Bringing the tables that an earlier version made up to date, all or none."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..core.exceptions import StoreUnavailable
from . import schema

#: Columns that each version added to the tables of the one before. A column that may not be empty
#: has a default on the server's side, which existing rows get. New tables need no mention.
ADDED: dict[int, dict[sa.Table, tuple[str, ...]]] = {
    2: {
        schema.sweeps: ("cell_timeout", "retry_on", "retry_delay", "search", "pruning"),
        schema.runs: ("not_before", "delay", "stopping", "resume"),
        schema.attempts: ("cell_times", "notebook_hash", "resumed_at", "peak_memory", "cpu_time"),
        schema.points: ("cell",),
    },
    3: {schema.sweeps: ("stage",)},
    4: {schema.runs: ("environment", "differences")},
    5: {schema.attempts: ("node",)},
}

#: Number of the lock that keeps two programs from migrating a PostgreSQL database together.
_LOCK = 0x6D6C6F7073


def migrate(engine: Engine) -> None:
    """Make the tables, or bring those that are there up to date, in one transaction.

    A database of a newer version is left as it is: raises `StoreUnavailable`.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        found = _version(connection)
        if found is not None and found > schema.VERSION:
            raise StoreUnavailable(
                f"The store was written by a newer jupyter-mlops (format {found}, this one knows "
                f"{schema.VERSION}), and is left as it is. Upgrade this one."
            )
        if found is not None:
            for version in range(found + 1, schema.VERSION + 1):
                _add_columns(connection, ADDED[version])
        schema.metadata.create_all(connection)
        if found is not None and found < schema.VERSION:
            _renew_indexes(connection)
        if found is None:
            connection.execute(schema.info.insert().values(version=schema.VERSION))
        elif found < schema.VERSION:
            connection.execute(schema.info.update().values(version=schema.VERSION))


def _version(connection: Connection) -> int | None:
    """Return the version of the tables; None if there are none."""
    if not sa.inspect(connection).has_table(schema.info.name):
        return None
    return connection.scalar(sa.select(schema.info.c.version))


def _add_columns(connection: Connection, added: dict[sa.Table, tuple[str, ...]]) -> None:
    for table, names in added.items():
        for name in names:
            made = sa.schema.CreateColumn(table.c[name]).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {made}")


def _renew_indexes(connection: Connection) -> None:
    """Make the indexes that are missing, and remove those that no query needs any more."""
    present = sa.inspect(connection)
    for table in schema.metadata.tables.values():
        wanted = {str(index.name): index for index in table.indexes}
        names = {str(each["name"]) for each in present.get_indexes(table.name)}
        for name in names - wanted.keys():
            connection.exec_driver_sql(f"DROP INDEX {name}")
        for name in wanted.keys() - names:
            wanted[name].create(connection)
