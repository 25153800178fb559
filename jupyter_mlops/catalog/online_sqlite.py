"""Features online in an SQLite file, for one machine.

A fill is a table of its own, written in pieces beside the current one; a row of ``fills`` says
which table is current, so that readers see all of a fill or nothing of it, and a filler that is
killed leaves but a table that the next one removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ..core.features import OnlineUnavailable
from .encoding import Fill, dumped, loaded
from .online_ports import Found, KeysOf

#: Rows that are written, and keys that are looked up, at once.
_PIECE = 20_000
_ASKED = 500
_PATIENCE = 30.0
#: Connections that a fork took along, which SQLite wants neither used nor closed.
_inherited: list[sqlite3.Connection] = []
_POINTERS = "CREATE TABLE IF NOT EXISTS fills (feature TEXT PRIMARY KEY, id INTEGER, fill BLOB)"


class SqliteOnline:
    """An online store in a file. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int, int] | None = None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()

    def fills(self) -> dict[str, Fill]:
        """Return what is online."""
        with self._reading() as connection:
            rows = connection.execute("SELECT feature, fill FROM fills").fetchall()
        return {feature: loaded(fill) for feature, fill in rows}

    def read(self, features: Sequence[str], keys_of: KeysOf) -> dict[str, Found]:
        """Return the values of keys of the features that are online, all as of one moment."""
        with self._reading() as connection:
            marks = ", ".join("?" * len(features))
            rows = connection.execute(
                f"SELECT feature, id, fill FROM fills WHERE feature IN ({marks})",  # noqa: S608
                list(features),
            ).fetchall()
            found = {}
            for feature, number, content in rows:
                fill = loaded(content)
                found[feature] = Found(fill, _read(connection, number, keys_of(fill)))
        return found

    @contextlib.contextmanager
    def filling(self) -> Iterator[SqliteFilling]:
        """Be the only one who fills, having waited for others."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_name(f"{self._path.name}.lock").open("ab") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                with contextlib.closing(_connect(self._path, "rwc")) as connection:
                    yield SqliteFilling(connection)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one state of the file."""
        with self._lock:
            try:
                connection = self._connected()
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("ROLLBACK")
            except (OSError, sqlite3.Error) as error:
                self._close()
                raise self._unavailable(error) from error

    def _connected(self) -> sqlite3.Connection:
        """Return a connection of this process, to the file that has the name now."""
        try:
            facts = self._path.stat()
        except FileNotFoundError:
            self._close()
            return _empty()
        opened = (os.getpid(), facts.st_dev, facts.st_ino)
        if self._connection is None or opened != self._opened:
            self._close()
            self._connection, self._opened = _connect(self._path, "rw"), opened
        if not _has_pointers(self._connection):
            return _empty()
        return self._connection

    def _close(self) -> None:
        if self._connection is not None and self._opened is not None:
            if self._opened[0] == os.getpid():
                self._connection.close()
            else:
                _inherited.append(self._connection)
        self._connection = None

    def _unavailable(self, error: Exception) -> OnlineUnavailable:
        return OnlineUnavailable(f"The online store {self._path} cannot be used: {error}")


class SqliteFilling:
    """Writes fills, which nobody sees before they are published."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_POINTERS)
        self._drop_unused()

    def add(self, feature: str, rows: Iterable[tuple[bytes, bytes]]) -> int:
        """Write values of a feature, and return how many."""
        if feature not in self._numbers:
            self._numbers[feature] = self._begin()
        table = f"values_{self._numbers[feature]}"
        count, left = 0, iter(rows)
        while piece := sorted(islice(left, _PIECE)):
            with self._transaction():
                self._connection.executemany(
                    f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",  # noqa: S608
                    piece,
                )
            count += len(piece)
        return count

    def publish(self, fills: Sequence[Fill]) -> None:
        """Make fills the current ones, all at one moment."""
        with self._transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO fills VALUES (?, ?, ?)",
                [(each.feature, self._numbers[each.feature], dumped(each)) for each in fills],
            )
        self._drop_unused()

    def remove(self, features: Collection[str]) -> None:
        """Take features off."""
        with self._transaction():
            self._connection.executemany(
                "DELETE FROM fills WHERE feature = ?", [(each,) for each in features]
            )
        self._drop_unused()

    def _begin(self) -> int:
        number = max(self._tables(), default=0) + 1
        self._connection.execute(
            f"CREATE TABLE values_{number} (key BLOB PRIMARY KEY, entry BLOB) WITHOUT ROWID"
        )
        return number

    def _tables(self) -> list[int]:
        rows = self._connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'values_*'"
        )
        return [int(name.removeprefix("values_")) for (name,) in rows.fetchall()]

    def _drop_unused(self) -> None:
        used = {row[0] for row in self._connection.execute("SELECT id FROM fills").fetchall()}
        for number in self._tables():
            if number not in used:
                self._connection.execute(f"DROP TABLE values_{number}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )


def _has_pointers(connection: sqlite3.Connection) -> bool:
    """Whether a fill was ever begun, rather than killed while it made the file."""
    query = "SELECT 1 FROM sqlite_schema WHERE name = 'fills'"
    return connection.execute(query).fetchone() is not None


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(_POINTERS)
    return connection


def _read(
    connection: sqlite3.Connection, number: int, keys: Sequence[bytes | None]
) -> list[bytes | None]:
    """Return the entries of keys, None for those that are unknown."""
    known: dict[Any, bytes] = {}
    wanted = [each for each in dict.fromkeys(keys) if each is not None]
    for start in range(0, len(wanted), _ASKED):
        some = wanted[start : start + _ASKED]
        marks = ", ".join("?" * len(some))
        query = f"SELECT key, entry FROM values_{number} WHERE key IN ({marks})"  # noqa: S608
        known.update(connection.execute(query, some).fetchall())
    return [known.get(each) for each in keys]
