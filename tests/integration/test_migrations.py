"""Stores of earlier versions are brought up to date, those of later ones are left alone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from jupyter_mlops.core.exceptions import StoreUnavailable
from jupyter_mlops.core.runs import Status, new_id
from jupyter_mlops.store import RunFilter, Store, schema
from jupyter_mlops.store.migrations import ADDED
from tests.support import postgres
from tests.support.records import a_sweep

VERSION_1 = (Path(__file__).parents[1] / "support" / "store_v1.sql").read_text("utf-8")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.server() as found:
        yield found


def _as_version_1(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.executescript(VERSION_1)


def _columns(engine: sa.Engine) -> dict[str, dict[str, object]]:
    """The columns of each table and whether they may be empty, and the indexes."""
    inspector = sa.inspect(engine)
    return {
        table: {each["name"]: each["nullable"] for each in inspector.get_columns(table)}
        | {f"index {each['name']}": each["column_names"] for each in inspector.get_indexes(table)}
        for table in inspector.get_table_names()
    }


def test_a_store_of_version_1_is_kept(tmp_path: Path) -> None:
    """Its sweeps, runs, attempts and metrics are read as before, and new ones can be added."""
    _as_version_1(tmp_path / "store.db")
    store = Store("p", url=None, state=tmp_path)
    (sweep,) = store.history.sweeps()
    assert (sweep.id, sweep.retries, sweep.timeout) == ("k3m9x2ab", 2, 60.0)
    assert (sweep.cell_timeout, sweep.retry_on, sweep.retry_delay) == (None, ("any",), 0.0)
    run = store.history.run("k3m9x2ab-1")
    assert (run.status, run.metrics, run.resume) == (Status.SUCCEEDED, {"auc": 0.5}, None)
    assert [each.id for each in store.history.attempts(run.id)] == ["k3m9x2ab-1.1"]
    assert [each.value for each in store.history.series("k3m9x2ab-1.1")] == [0.5]
    store.queue.submit(a_sweep(total=1), [{"x": 1}])
    assert len(store.history.runs(RunFilter())) == 2
    store.close()


def test_an_upgraded_store_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    """No column or index is missing, and each column may be empty where a new one may."""
    (tmp_path / "new").mkdir()
    _as_version_1(tmp_path / "store.db")
    old = Store("p", url=None, state=tmp_path)
    new = Store("p", url=None, state=tmp_path / "new")
    assert _columns(old.queue._database.engine) == _columns(new.queue._database.engine)
    old.close()
    new.close()


def test_one_of_many_programs_migrates(url: str, tmp_path: Path) -> None:
    """However many open an old store at the same time, all find it up to date."""
    _downgrade(url, tmp_path)
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            Store(new_id(), url=url, state=tmp_path).close()
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test must tell it
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = Store(new_id(), url=url, state=tmp_path)
    store.queue.submit(a_sweep(total=1), [{"x": 1}])
    assert store.queue.peek() is not None
    store.close()


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old version can still read what it wrote."""
    _as_version_1(tmp_path / "store.db")
    stray = sa.Table("absent", sa.MetaData(), sa.Column("new", sa.Integer))
    monkeypatch.setitem(ADDED, 2, {**ADDED[2], stray: ("new",)})
    with pytest.raises(StoreUnavailable, match="Check that it exists"):
        Store("p", url=None, state=tmp_path)
    with sqlite3.connect(tmp_path / "store.db") as database:
        assert database.execute("SELECT version FROM info").fetchone() == (1,)
        names = {row[1] for row in database.execute("PRAGMA table_info(runs)")}
    assert "not_before" not in names


def test_a_newer_store_is_left_as_it_is(tmp_path: Path) -> None:
    """An older version says which format it found, and adds no table."""
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as database:
        database.executescript("CREATE TABLE info (version INTEGER); INSERT INTO info VALUES (99)")
    with pytest.raises(StoreUnavailable, match=r"newer jupyter-mlops \(format 99") as refused:
        Store("p", url=None, state=tmp_path)
    assert "\n" not in refused.value.message
    with sqlite3.connect(path) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("info",)]


def _downgrade(url: str, state: Path) -> None:
    """Make a store of version 1: the present one without what came later."""
    store = Store("p", url=url, state=state)
    with store.queue._database.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX runs_by_status")
        for tables in ADDED.values():
            for table, names in tables.items():
                for name in names:
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP COLUMN {name}")
        connection.execute(schema.info.update().values(version=1))
    store.close()
