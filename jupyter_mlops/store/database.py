"""Opening a database: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

# MLflow imports the rest of SQLAlchemy in another thread; a half-imported one would be used here.
import sqlalchemy.orm
from sqlalchemy.engine import Engine

from ..core.exceptions import StoreUnavailable
from .base import READING
from .migrations import migrate
from .schema import counters

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "lustre", "beegfs", "ceph"}


def network_file_system(path: Path) -> str | None:
    """Return the type of the network file system that holds ``path``, or None if it is local."""
    best: tuple[int, str] = (-1, "")
    for part in psutil.disk_partitions(all=True):
        if path.is_relative_to(part.mountpoint) and len(part.mountpoint) > best[0]:
            best = (len(part.mountpoint), part.fstype)
    return best[1] if best[1] in _NETWORK else None


def open_database(url: str | None, state: Path) -> Engine:
    """Open the store's database, its tables made; ``state`` holds it if no URL is given.

    Raises `StoreUnavailable` if it cannot be opened or belongs to a newer version.
    """
    local = url is None or url.startswith("sqlite")
    try:
        engine = sa.create_engine(url or f"sqlite:///{state / 'store.db'}", future=True)
        if local:
            _configure_sqlite(engine, "TRUNCATE" if network_file_system(state) else "WAL")
        migrate(engine)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        where = "the state folder" if local else "the database named by store"
        raise StoreUnavailable(
            f"The store cannot be opened in {where}: {_first_line(error)}. "
            "Check that it exists, is writable and has free space."
        ) from error
    return engine


def first_project(engine: Engine) -> str | None:
    """Return the project whose rows a database holds; None if it is new, or holds several's."""
    with engine.connect().execution_options(**{READING: True}) as connection:
        found = connection.scalars(sa.select(counters.c.project).limit(2)).all()
    return found[0] if len(found) == 1 else None


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).split("\n", 1)[0]


def _configure_sqlite(engine: Engine, journal_mode: str) -> None:
    @sa.event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        # SQLAlchemy, not the driver, begins transactions: the driver's are deferred.
        connection.isolation_level = None
        for pragma in (
            "busy_timeout = 30000",
            f"journal_mode = {journal_mode}",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get(READING, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
