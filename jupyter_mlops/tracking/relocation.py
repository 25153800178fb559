"""Moving a project: MLflow's database holds absolute paths of artifacts, so they are rewritten."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import pathname2url

from .store_template import default_location

#: Tables and columns that hold artifact locations, and which of their rows do.
_COLUMNS = (
    ("experiments", "artifact_location", ""),
    ("runs", "artifact_uri", ""),
    ("logged_models", "artifact_location", ""),
    ("model_versions", "source", ""),
    ("model_versions", "storage_location", ""),
    ("trace_tags", "value", "AND key = 'mlflow.artifactLocation'"),
)

#: Seconds to wait for a kernel that writes.
_BUSY = 30.0


def moved_from(database: Path, artifacts: Path) -> Path | None:
    """Return the artifacts folder that the database knows, if it is not this one.

    Its default experiment tells, whose location we set. Raises `sqlite3.Error`.
    """
    with contextlib.closing(sqlite3.connect(database, timeout=_BUSY)) as link:
        row = link.execute(
            "SELECT artifact_location FROM experiments WHERE experiment_id = 0"
        ).fetchone()
    if row is None or row[0] == default_location(artifacts):
        return None
    known = Path(unquote(urlsplit(row[0]).path) if row[0].startswith("file:") else row[0])
    is_ours = known.is_absolute() and known.name == "0" and known.parent.name == artifacts.name
    return known.parent if is_ours else None


def relocate(database: Path, old: Path, new: Path) -> int:
    """Rewrite all locations at or below a folder, in one transaction; return how many.

    Raises `sqlite3.Error`.
    """
    changed = 0
    with contextlib.closing(sqlite3.connect(database, timeout=_BUSY)) as link:
        link.isolation_level = None
        link.execute("BEGIN IMMEDIATE")
        tables = {row[0] for row in link.execute("SELECT name FROM sqlite_master")}
        for table, column, condition in _COLUMNS:
            if table not in tables:
                continue
            for before, after in _forms(old, new):
                changed += link.execute(
                    f"UPDATE {table} SET {column} = :after || substr({column}, :length + 1)"  # noqa: S608 - names from above
                    f" WHERE ({column} = :before"
                    f" OR substr({column}, 1, :length + 1) = :before || '/') {condition}",
                    {"before": before, "after": after, "length": len(before)},
                ).rowcount
        link.execute("COMMIT")
    return changed


def _forms(old: Path, new: Path) -> list[tuple[str, str]]:
    """Return the ways in which MLflow and we write a path, before and after."""
    forms = {str(old): str(new), old.as_uri(): new.as_uri()}
    forms.setdefault(f"file://{pathname2url(str(old))}", new.as_uri())
    return list(forms.items())
