"""A migrated, empty MLflow database, kept per user and copied into each new project.

MLflow makes a fresh SQLite store by running its whole history of migrations: seconds of
computing. A copy takes milliseconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import logging
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .. import mlflow_client
from ..core.exceptions import TrackingUnavailable

log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """Return the user's private cache, made if need be with mode 0700.

    ``JUPYTER_MLOPS_CACHE_DIR`` chooses another. Raises OSError if there can be none.
    """
    chosen, base = os.environ.get("JUPYTER_MLOPS_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    if chosen:
        path = Path(chosen)
    elif base and Path(base).is_absolute():
        path = Path(base) / "jupyter-mlops"
    elif sys.platform == "darwin":
        path = Path.home() / "Library" / "Caches" / "jupyter-mlops"
    else:
        path = Path.home() / ".cache" / "jupyter-mlops"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = path.stat()
    if facts.st_uid != os.getuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{path} can be written by others")
    return path


def create_database(database: Path, artifacts: Path) -> None:
    """Make a new MLflow database, whose default experiment keeps its artifacts below a folder.

    Does nothing if somebody else makes it first. Raises `TrackingUnavailable`.
    """
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=".mlflow-") as folder:
            fresh = Path(folder) / "mlflow.db"
            _make(fresh)
            _set_default_location(fresh, artifacts)
            _publish(fresh, database)
    except (OSError, sqlite3.Error) as error:
        raise TrackingUnavailable(
            f"The tracking database {database} cannot be made ({error}). "
            "Check free disk space and permissions."
        ) from error


def default_location(artifacts: Path) -> str:
    """Return where the default experiment keeps its artifacts."""
    return (artifacts / "0").as_uri()


def _make(fresh: Path) -> None:
    """Copy the template, or migrate an empty database where there can be no template."""
    version = importlib.metadata.version("mlflow")
    try:
        folder = cache_dir()
        with _locked(folder / "mlflow.lock"):
            template = _find(folder, version) or _build(folder, version)
            shutil.copyfile(template, fresh)
    except OSError as error:
        log.info("No template of the tracking database can be kept: %s", error)
        fresh.unlink(missing_ok=True)
        _migrate(fresh)
    fresh.chmod(0o600)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time make the template; where files cannot be locked, all may."""
    with path.open("a") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _find(folder: Path, version: str) -> Path | None:
    """Return the version's template, after removing a damaged one."""
    for template in folder.glob(f"mlflow-{version}-*.db"):
        if _revision(template) == template.stem.rpartition("-")[2]:
            return template
        log.warning("The template %s is damaged and is made again.", template)
        template.unlink()
    return None


def _build(folder: Path, version: str) -> Path:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as made:
        fresh = Path(made) / "mlflow.db"
        _migrate(fresh)
        revision = _revision(fresh)
        if revision is None:
            raise OSError(f"MLflow {version} left no usable database")
        return fresh.rename(folder / f"mlflow-{version}-{revision}.db")


def _migrate(fresh: Path) -> None:
    """Let MLflow make a database, in a folder whose name is harmless."""
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as folder:
        made = Path(folder) / "mlflow.db"
        mlflow_client.dispose(mlflow_client.connect(f"sqlite:///{made}"))
        shutil.copyfile(made, fresh)


def _revision(database: Path) -> str | None:
    """Return the schema's revision, or None if the file is no sound MLflow database."""
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as link:
            sound = link.execute("PRAGMA quick_check(1)").fetchone()
            default = link.execute("SELECT 1 FROM experiments WHERE experiment_id = 0").fetchone()
            revision = link.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return str(revision[0]) if sound == ("ok",) and default and revision else None


def _set_default_location(database: Path, artifacts: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as link, link:
        link.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0",
            (default_location(artifacts),),
        )


def _publish(fresh: Path, database: Path) -> None:
    """Give a complete database its name, unless there is one by now."""
    try:
        database.hardlink_to(fresh)
    except FileExistsError:
        log.info("%s was made by another process.", database)
    except OSError:  # no hard links here
        if not database.exists():
            fresh.rename(database)
