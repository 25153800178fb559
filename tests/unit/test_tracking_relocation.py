"""Moving a project rewrites the locations below its old folder, and those only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_mlops.tracking.relocation import moved_from, relocate
from jupyter_mlops.tracking.store_template import default_location

OLD, NEW = Path("/home/ada/my project/.mlops/artifacts"), Path("/workspaces/p%20/.mlops/artifacts")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with MLflow's tables, as far as they hold locations."""
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as link, link:
        link.execute("CREATE TABLE experiments (experiment_id INTEGER, artifact_location TEXT)")
        link.execute("CREATE TABLE runs (artifact_uri TEXT)")
        link.execute("CREATE TABLE model_versions (source TEXT, storage_location TEXT)")
        link.execute("CREATE TABLE trace_tags (key TEXT, value TEXT)")
        link.execute("INSERT INTO experiments VALUES (0, ?)", (default_location(OLD),))
    return path


def runs(database: Path, *locations: str) -> list[str]:
    """Add runs at these locations if there are any, and return all runs' locations."""
    with closing(sqlite3.connect(database)) as link, link:
        link.executemany("INSERT INTO runs VALUES (?)", [(each,) for each in locations])
        return [row[0] for row in link.execute("SELECT artifact_uri FROM runs ORDER BY rowid")]


def test_forms(database: Path) -> None:
    """Plain paths stay plain and URIs stay URIs, each quoted as it must be."""
    runs(database, f"{OLD}/1/a", f"{OLD.as_uri()}/1/a", str(OLD), "models:/m-1", "s3://b/1")
    assert relocate(database, OLD, NEW) == 4
    assert runs(database) == [
        f"{NEW}/1/a",
        "file:///workspaces/p%2520/.mlops/artifacts/1/a",
        str(NEW),
        "models:/m-1",
        "s3://b/1",
    ]


def test_neighbours(database: Path) -> None:
    """A folder whose name merely begins alike is somebody else's."""
    others = [f"{OLD}2/1", f"{OLD}-old", f"/mnt{OLD}/1", f"{str(OLD).upper()}/1"]
    runs(database, *others)
    relocate(database, OLD, NEW)
    assert runs(database) == others


def test_versions_and_traces(database: Path) -> None:
    """Model versions are rewritten in both columns, traces in the one tag that is a location."""
    with closing(sqlite3.connect(database)) as link, link:
        link.execute("INSERT INTO model_versions VALUES ('models:/m-1', ?)", (f"{OLD}/models",))
        link.execute("INSERT INTO trace_tags VALUES ('mlflow.artifactLocation', ?)", (f"{OLD}/t",))
        link.execute("INSERT INTO trace_tags VALUES ('note', ?)", (f"{OLD}/t",))
    relocate(database, OLD, NEW)
    with closing(sqlite3.connect(database)) as link:
        assert link.execute("SELECT * FROM model_versions").fetchall() == [
            ("models:/m-1", f"{NEW}/models")
        ]
        assert link.execute("SELECT value FROM trace_tags").fetchall() == [
            (f"{NEW}/t",),
            (f"{OLD}/t",),
        ]


def test_all_or_nothing(database: Path) -> None:
    """If one table cannot be written, none is."""
    runs(database, f"{OLD}/1")
    with closing(sqlite3.connect(database)) as link, link:
        link.execute("INSERT INTO model_versions VALUES (?, NULL)", (f"{OLD}/m",))
        link.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON model_versions"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(sqlite3.IntegrityError):
        relocate(database, OLD, NEW)
    assert runs(database) == [f"{OLD}/1"]
    assert moved_from(database, NEW) == OLD


def test_moved_from(database: Path) -> None:
    """A move is noticed once, and a store whose locations are not ours is left alone."""
    assert moved_from(database, OLD) is None
    assert moved_from(database, NEW) == OLD
    relocate(database, OLD, NEW)
    assert moved_from(database, NEW) is None
    for foreign in (
        "./mlruns/0",
        "/srv/mlruns/0",
        "mlflow-artifacts:/0",
        "s3://bucket/artifacts/0",
    ):
        with closing(sqlite3.connect(database)) as link, link:
            link.execute("UPDATE experiments SET artifact_location = ?", (foreign,))
        assert moved_from(database, NEW) is None
