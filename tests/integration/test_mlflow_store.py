"""The project's own store is quick to make, safe to make twice, and moves with its project."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import mlflow_client
from jupyter_mlops.core.exceptions import InvalidInput, MlopsError, TrackingUnavailable
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import Status
from jupyter_mlops.registry import open_registry
from jupyter_mlops.tracking import MlflowTracker, default_uri, local_store, open_tracker
from jupyter_mlops.tracking import store_template as template
from tests.support.records import a_sweep
from tests.support.tracked import MLFLOW_WARNING, a_run, an_attempt, points

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds no template yet."""
    folder = tmp_path / "own cache"
    monkeypatch.setenv("JUPYTER_MLOPS_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="module")
def migrated() -> bytes:
    """The content of a database that MLflow migrated."""
    with template._locked(template.cache_dir() / "mlflow.lock"):
        version = template.importlib.metadata.version("mlflow")
        ready = template._find(template.cache_dir(), version)
        return (ready or template._build(template.cache_dir(), version)).read_bytes()


@pytest.fixture
def migrations(migrated: bytes, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The databases that had to be migrated, which here takes no time."""
    made: list[Path] = []

    def migrate(fresh: Path) -> None:
        made.append(fresh)
        fresh.write_bytes(migrated)

    monkeypatch.setattr(template, "_migrate", migrate)
    return made


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds."""
    with closing(sqlite3.connect(database)) as link:
        return link.execute(query).fetchall()


def use(tracker: MlflowTracker) -> str:
    """Track one run from beginning to end and return its id."""
    sweep = a_sweep()
    run = a_run(sweep)
    tracked = tracker.start_attempt(sweep, run, an_attempt(run))
    tracker.log_metrics(tracked.id, points("auc", 0.5, 0.6))
    outcome = Outcome(status=Status.SUCCEEDED, duration=1.0)
    tracker.finish_attempt(tracked.id, outcome, tags={}, artifacts=[])
    return tracked.id


# -- the template ----------------------------------------------------------------------------------


def test_real_template(cache: Path, tmp_path: Path) -> None:
    """The first project pays for MLflow's migrations, the next ones copy; both can be used."""
    for name in ("one", "two"):
        state = tmp_path / name / ".mlops"
        tracker = open_tracker(None, state)
        assert tracker.metrics(use(tracker)) == {"auc": 0.6}
        tracker.close()
        location = rows(state / "mlflow.db", "SELECT artifact_location FROM experiments LIMIT 1")
        assert location == [((state / "artifacts" / "0").as_uri(),)]
    (kept,) = cache.glob("*.db")
    assert kept.name.startswith("mlflow-3.")
    assert cache.stat().st_mode & 0o077 == 0


def test_template_is_made_once(cache: Path, tmp_path: Path, migrations: list[Path]) -> None:
    """Many projects at once make one template, and each gets a whole database."""
    start = threading.Barrier(4)

    def create(number: int) -> Path:
        start.wait()
        database = tmp_path / f"p{number}" / "mlflow.db"
        template.create_database(database, database.parent / "artifacts")
        return database

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(create, range(4)))
    assert len(migrations) == 1
    assert all(rows(each, "PRAGMA quick_check") == [("ok",)] for each in made)
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in made)


def test_one_project_twice(cache: Path, tmp_path: Path, migrations: list[Path]) -> None:
    """Two workers that make one project's database end up with the same file."""
    database = tmp_path / "mlflow.db"
    template.create_database(database, tmp_path / "artifacts")
    first = database.stat().st_ino
    template.create_database(database, tmp_path / "artifacts")
    assert database.stat().st_ino == first
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", "own cache"}


@pytest.mark.parametrize("damage", [b"", b"not a database", None])
def test_damaged_template(
    migrations: list[Path], cache: Path, tmp_path: Path, damage: bytes | None
) -> None:
    """A template that is empty, no database, or torn is made again."""
    template.create_database(tmp_path / "one.db", tmp_path)
    (kept,) = cache.glob("*.db")
    content = kept.read_bytes()
    kept.write_bytes(content[: len(content) // 2] if damage is None else damage)
    template.create_database(tmp_path / "two.db", tmp_path)
    assert len(migrations) == 2
    assert kept.read_bytes() == content
    assert rows(tmp_path / "two.db", "PRAGMA quick_check") == [("ok",)]


def test_cache_that_cannot_be_used(
    tmp_path: Path, migrations: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a private cache MLflow makes the database itself."""
    open_to_all = tmp_path / "cache"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    for chosen in (open_to_all, Path("/proc/nonexistent")):
        monkeypatch.setenv("JUPYTER_MLOPS_CACHE_DIR", str(chosen))
        database = tmp_path / f"{chosen.name}.db"
        template.create_database(database, tmp_path)
        assert rows(database, "PRAGMA quick_check") == [("ok",)]
    assert len(migrations) == 2
    assert not list(open_to_all.iterdir())


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache follows the system's rules, and relative folders are no rule."""
    monkeypatch.delenv("JUPYTER_MLOPS_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert template.cache_dir() == tmp_path / ".cache" / "jupyter-mlops"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert template.cache_dir() == tmp_path / "xdg" / "jupyter-mlops"


# -- the project's store ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "50% off?", "a b#c", "ünï:x", "per%20cent"])
def test_names_of_folders(tmp_path: Path, name: str) -> None:
    """A project may lie in a folder of any name: its store works, and nothing lies beside it."""
    state = tmp_path / name / ".mlops"
    tracker = open_tracker(None, state)
    tracked = use(tracker)
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    outcome = Outcome(status=Status.SUCCEEDED)
    tracker.finish_attempt(tracked, outcome, tags={}, artifacts=[kept])
    tracker.close()
    assert tracker.uri == default_uri(state)
    assert [path.read_text() for path in (state / "artifacts").rglob("kept.txt")] == ["kept"]
    assert {path.name for path in tmp_path.iterdir()} == {name, "kept.txt"}


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" * 100])
def test_damaged_store(tmp_path: Path, content: bytes) -> None:
    """A damaged database is reported at once and in one line, and left for a rescue."""
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(TrackingUnavailable, match="Restore it from a backup") as caught:
        open_tracker(None, tmp_path)
    assert "\n" not in caught.value.message
    assert (tmp_path / "mlflow.db").read_bytes() == content


def test_empty_store(tmp_path: Path) -> None:
    """An empty file, which a full disk may leave, is replaced."""
    (tmp_path / "mlflow.db").touch()
    tracker = open_tracker(None, tmp_path)
    assert tracker.metrics(use(tracker)) == {"auc": 0.6}
    tracker.close()


def test_store_of_another_version(tmp_path: Path) -> None:
    """A database of another MLflow is not touched; the message names the command."""
    tracker = open_tracker(None, tmp_path)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as link, link:
        link.execute("UPDATE alembic_version SET version_num = 'fffffffffffe'")
    with pytest.raises(TrackingUnavailable, match="mlflow db upgrade sqlite:///"):
        tracker.start_sweep(a_sweep())


@pytest.mark.parametrize(("wal", "journal"), [(True, "wal"), (False, "delete")])
def test_journal(tmp_path: Path, wal: bool, journal: str) -> None:
    """Readers do not hold up writers, except where WAL is unsafe; it can be changed later."""
    open_tracker(None, tmp_path, wal=not wal)
    open_tracker(None, tmp_path, wal=wal)
    assert rows(tmp_path / "mlflow.db", "PRAGMA journal_mode") == [(journal,)]


def test_statistics(tmp_path: Path) -> None:
    """The rows are counted when there are many more than at the last count."""
    open_tracker(None, tmp_path)
    database = tmp_path / "mlflow.db"

    def add(number: int) -> None:
        with closing(sqlite3.connect(database)) as link, link:
            start = link.execute("SELECT count(*) FROM runs").fetchone()[0]
            link.executemany(
                "INSERT INTO runs (run_uuid, name, experiment_id, lifecycle_stage, status,"
                " source_type) VALUES (?, 'r', 0, 'active', 'FINISHED', 'UNKNOWN')",
                [(f"run{each}",) for each in range(start, start + number)],
            )

    add(10)
    assert not local_store.refresh_statistics(database)
    add(2000)
    assert local_store.refresh_statistics(database)
    assert not local_store.refresh_statistics(database)
    add(6000)
    assert local_store.refresh_statistics(database)


# -- moving ----------------------------------------------------------------------------------------

_LOG_MODEL = """
import mlflow, sys
from sklearn.linear_model import LinearRegression
model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
mlflow.sklearn.log_model(model, name="model", pip_requirements=[])
mlflow.set_experiment("elsewhere")
with mlflow.start_run():
    mlflow.log_text("hello", "hello.txt")
"""

_LOAD = """
import mlflow, sys
model = mlflow.pyfunc.load_model("models:/line/1")
assert abs(model.predict([[2.0]])[0] - 4.0) < 1e-6
(run,) = mlflow.search_runs(experiment_names=["elsewhere"], output_format="list")
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/hello.txt") == "hello"
print(model.metadata.get_model_info().model_uri)
"""


def python(code: str, folder: Path, environment: dict[str, str]) -> str:
    """Run code in a process of its own, as a kernel would."""
    done = subprocess.run(
        (sys.executable, "-W", "ignore", "-c", code),
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_moved_project(tmp_path: Path) -> None:
    """After a project was moved its registered model loads, and nothing points to the old place."""
    old, new = tmp_path / "old place", tmp_path / "new" / "place"
    (old / "notebooks").mkdir(parents=True)
    tracker = open_tracker(None, old / ".mlops")
    sweep = a_sweep(context={"mlflow": {"experiments": ["elsewhere"]}})
    run = a_run(sweep)
    tracked = tracker.start_attempt(sweep, run, an_attempt(run))
    python(_LOG_MODEL, old / "notebooks", tracked.environment)
    open_registry(tracker.uri).register("line", tracked.id, alias="champion", tags={})
    tracker.close()

    new.parent.mkdir()
    old.rename(new)
    tracker = open_tracker(None, new / ".mlops")
    with closing(sqlite3.connect(new / ".mlops" / "mlflow.db")) as link:
        left = [line for line in link.iterdump() if "old" in line and "artifact" in line]
    assert not [line for line in left if "INSERT" in line]
    python(_LOAD, new, {"MLFLOW_TRACKING_URI": tracker.uri})
    assert use(tracker)
    tracker.close()


def test_copied_project(tmp_path: Path) -> None:
    """A project that was not moved is not changed, and a second opening changes nothing."""
    open_tracker(None, tmp_path)
    database = tmp_path / "mlflow.db"
    before = rows(database, "SELECT * FROM experiments")
    open_tracker(None, tmp_path)
    assert rows(database, "SELECT * FROM experiments") == before


# -- other tracking URIs ---------------------------------------------------------------------------


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Another working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_relative_database(in_folder: Path) -> None:
    """A kernel elsewhere gets the same database as the worker."""
    tracker = open_tracker("sqlite:///runs.db", in_folder / ".mlops")
    assert tracker.uri == f"sqlite:///{in_folder}/runs.db"


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns"])
def test_folder_of_files(tmp_path: Path, uri: str) -> None:
    """MLflow's old kind of store, which it refuses, is refused with the way out."""
    with pytest.raises(InvalidInput, match="mlflow migrate-filestore"):
        open_tracker(uri, tmp_path).start_sweep(a_sweep())


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("postgresql://ada:secret@127.0.0.1:1/db", "does not answer"),
        ("nonsense://host", "nonsense"),
        ("http://127.0.0.1:1", "does not answer"),
    ],
)
def test_unreachable(tmp_path: Path, uri: str, message: str) -> None:
    """A store that is not there is told within seconds, in one line, without its password."""
    with pytest.raises(MlopsError, match=message) as caught:
        open_tracker(uri, tmp_path).start_sweep(a_sweep())
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message


def test_database_without_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is named."""
    monkeypatch.setattr(mlflow_client, "_check_reachable", lambda _: None)
    with pytest.raises(MlopsError, match="needs the package MySQLdb"):
        open_tracker("mysql://127.0.0.1:1/db", tmp_path).start_sweep(a_sweep())
