"""The project's own tracking store: SQLite in the state folder, with artifacts beside it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from pathlib import Path

from ..core.exceptions import TrackingUnavailable
from .relocation import moved_from, relocate
from .store_template import cache_dir, create_database

log = logging.getLogger(__name__)

#: What a database URI cannot hold the same way in every version of SQLAlchemy.
_UNUSABLE = frozenset("%?")
#: Name of a state folder that lies in its project.
STATE_FOLDER = ".mlops"
#: Seconds to wait for other writers.
_BUSY = 30.0
#: Rows of each index that ANALYZE looks at, so that it stays quick in a large store.
_SAMPLED = 1000


def database_path(state_dir: Path) -> Path:
    """Return the file of the project's tracking database."""
    return state_dir.resolve() / "mlflow.db"


def artifacts_path(state_dir: Path) -> Path:
    """Return the folder of the project's artifacts."""
    return state_dir.resolve() / "artifacts"


def default_uri(state_dir: Path) -> str:
    """Return the tracking URI of the project's own store.

    A path that a URI cannot hold is reached by a link in the user's cache.
    """
    database = database_path(state_dir)
    if _UNUSABLE.isdisjoint(str(database)):
        return f"sqlite:///{database}"
    try:
        return f"sqlite:///{_link_to(database.parent) / database.name}"
    except OSError as error:
        raise TrackingUnavailable(
            f"The folder {database.parent} has a name that a database cannot lie under ({error}). "
            "Rename it without % and ?."
        ) from error


def prepare(state_dir: Path, *, wal: bool = True) -> None:
    """Make the store if there is none, and bring it up to date if the project was moved.

    ``wal`` lets readers and writers work at the same time; it must be off on a network file system.
    Raises `TrackingUnavailable`.
    """
    database, artifacts = database_path(state_dir), artifacts_path(state_dir)
    try:
        if not database.exists() or database.stat().st_size == 0:
            database.unlink(missing_ok=True)
            create_database(database, artifacts)
        old = moved_from(database, artifacts)
        if old is not None:
            count = _relocate(database, old, artifacts)
            log.info("The project was moved: %d artifact locations were rewritten.", count)
        _set_journal(database, wal=wal)
        refresh_statistics(database)
    except (OSError, sqlite3.Error) as error:
        raise TrackingUnavailable(
            f"The tracking database {database} cannot be used ({error}). Restore it from a backup, "
            "or move it away to begin a new one."
        ) from error


def refresh_statistics(database: Path) -> bool:
    """Count the rows again if there are many more than the last time; return whether it was done.

    Without these statistics SQLite sorts 10,000 runs by a metric in 10 seconds instead of 0.1.
    Raises `sqlite3.Error`.
    """
    with contextlib.closing(sqlite3.connect(database, timeout=_BUSY)) as link:
        runs = link.execute("SELECT count(*) FROM runs").fetchone()[0]
        if runs < 2 * max(_counted(link), 10):
            return False
        link.execute(f"PRAGMA analysis_limit = {_SAMPLED}")
        link.execute("ANALYZE")
    return True


def _counted(link: sqlite3.Connection) -> int:
    """Return how many runs there were at the last count."""
    if not link.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone():
        return 0
    row = link.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = 'runs'").fetchone()
    return int(row[0].split()[0]) if row else 0


def _relocate(database: Path, old: Path, new: Path) -> int:
    """Rewrite what lies in the state folder, and in the project if the state folder does."""
    count = relocate(database, old, new)
    if old.parent.name == new.parent.name == STATE_FOLDER:
        count += relocate(database, old.parent.parent, new.parent.parent)
    return count


def _set_journal(database: Path, *, wal: bool) -> None:
    wanted = "wal" if wal else "delete"
    with contextlib.closing(sqlite3.connect(database, timeout=_BUSY)) as link:
        if link.execute("PRAGMA journal_mode").fetchone()[0] == wanted:
            return
        try:
            link.execute(f"PRAGMA journal_mode = {wanted}")
        except sqlite3.OperationalError as error:  # others use it just now
            log.info("The journal of %s stays as it is: %s", database, error)


def _link_to(folder: Path) -> Path:
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    links = cache_dir() / "links"
    links.mkdir(mode=0o700, exist_ok=True)
    link = links / name
    if not (link.is_symlink() and link.readlink() == folder):
        link.unlink(missing_ok=True)
        link.symlink_to(folder, target_is_directory=True)
    return link
