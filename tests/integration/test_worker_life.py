"""The life of a worker: what is lost when it is killed (nothing), and when it ends."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import (
    WorkerUnavailable,
)
from jupyter_mlops.core.runs import Reason, Status, SweepKind
from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.support.workers import FOREVER, started, submit, wait_for, write


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of an empty project."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        yield made


def test_nothing_is_lost_when_the_worker_is_killed(client: Client) -> None:
    """The attempts of a killed worker are found lost and tried again; no kernel is left behind."""
    gate = client.project.root / "gate"
    cell = f"import os, time\nif not os.path.exists({str(gate)!r}): {FOREVER}"
    write(client, "x = 1", cell)
    sweep = submit(client, space={"x": "1..3"})
    started(client, sweep.id, 3)
    kernels = _kernels_of(client)
    assert kernels
    workers.kill(client)
    gate.touch()
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 3)
    assert not [each for each in kernels if each.is_running() and each.status() != "zombie"]
    attempts = [
        attempt
        for run in workers.runs(client, sweep.id)
        for attempt in client.call(ops.GET_RUN, run_id=run.id).attempts
    ]
    assert {a.reason for a in attempts if a.status is Status.FAILED} == {Reason.LOST}
    assert len([a for a in attempts if a.status is Status.SUCCEEDED]) == 3
    with sqlite3.connect(client.project.state / "store.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _kernels_of(client: Client) -> list[psutil.Process]:
    worker = psutil.Process(client.call(ops.HEALTH).pid)
    return [
        each
        for each in worker.children(recursive=True)
        if any(name in " ".join(each.cmdline()) for name in ("ipykernel", "mlops_template"))
    ]


def test_a_run_that_sweeps_does_not_wait_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one core, a notebook that waits for its own sweep gives its core to that sweep."""
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "1")
    with workers.worker(workers.make_project(tmp_path / "one")) as client:
        write(client, "y = 0", "print(y)", name="inner.ipynb")
        sweep_in_it = (
            "import jupyter_mlops as mlops\n"
            "print(mlops.sweep('inner.ipynb', {'y': [1, 2]}).frame['status'].tolist())"
        )
        write(client, "x = 1", sweep_in_it, name="outer.ipynb")
        done = wait_for(client, submit(client, "outer.ipynb", kind=SweepKind.RUN).id)
        assert done.status is Status.SUCCEEDED, workers.runs(client, done.id)[0].error
        sweeps = client.call(ops.LIST_SWEEPS, query=m.ListQuery())
        assert [(s.notebook, s.counts.succeeded) for s in sweeps] == [
            ("inner.ipynb", 2),
            ("outer.ipynb", 1),
        ]


@pytest.mark.slow
def test_a_run_may_sweep_a_notebook_of_another_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one core it stands aside for the other project, which tracks in its own store."""
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "1")
    other = workers.make_project(tmp_path / "other")
    write_notebook(other / "inner.ipynb", "y = 0", "print(y)")
    with workers.worker(workers.make_project(tmp_path / "one")) as client:
        cell = "import jupyter_mlops as mlops; mlops.sweep('../other/inner.ipynb', {'y': [1, 2]})"
        write(client, "x = 1", cell, name="outer.ipynb")
        done = wait_for(client, submit(client, "outer.ipynb", kind=SweepKind.RUN).id)
        assert done.status is Status.SUCCEEDED, workers.runs(client, done.id)[0].error
        with workers.worker(other) as second:
            (inner,) = second.call(ops.LIST_SWEEPS, query=m.ListQuery())
            assert inner.counts.succeeded == 2
        assert (other / ".mlops" / "mlflow.db").exists()


@pytest.mark.slow
def test_two_projects_share_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together they never run more attempts than there are cores."""
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "1")
    log = tmp_path / "log"
    cell = (
        "import os\n"
        f"fd = os.open({str(log)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
        "os.write(fd, b'+'); sum(range(10**6)); os.write(fd, b'-')"
    )
    with (
        workers.worker(workers.make_project(tmp_path / "a")) as a,
        workers.worker(workers.make_project(tmp_path / "b")) as b,
    ):
        sweeps = []
        for client in (a, b):
            write(client, "x = 1", cell)
            sweeps.append((client, submit(client, space={"x": "1..3"}).id))
        for client, sweep_id in sweeps:
            assert wait_for(client, sweep_id).status is Status.SUCCEEDED
    assert log.read_text() == "+-" * 6


@pytest.mark.slow
def test_an_idle_worker_ends(tmp_path: Path) -> None:
    """It leaves no socket, and the next request starts another."""
    folder = workers.make_project(tmp_path / "idle", "idle_minutes = 0.02\n")
    client = connect(folder)
    process = psutil.Process(client.call(ops.HEALTH).pid)
    process.wait(60)
    with pytest.raises(WorkerUnavailable):
        client.call(ops.HEALTH)
    with workers.worker(folder) as again:
        assert again.call(ops.HEALTH).pid != process.pid


def test_many_clients_start_one_worker(tmp_path: Path) -> None:
    """However many ask at the same time, a project has one worker."""
    folder = workers.make_project(tmp_path / "many")
    pids: list[int] = []
    threads = [
        threading.Thread(target=lambda: pids.append(connect(folder).call(ops.HEALTH).pid))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers.stop(folder)
    assert len(pids) == 5
    assert len(set(pids)) == 1


def test_the_state_is_private(client: Client) -> None:
    """Folder 0700, socket 0600, ignored by git."""
    assert client.project.state.stat().st_mode & 0o777 == 0o700
    assert client._socket.stat().st_mode & 0o777 == 0o600
    assert (client.project.state / ".gitignore").read_text() == "*\n"
    assert find_project(client.project.root) == client.project


def test_a_moved_project_has_its_runs(tmp_path: Path) -> None:
    """What a project has done and plans goes with its folder; a copy goes on by itself."""
    old = workers.make_project(tmp_path / "old")
    with workers.worker(old) as client:
        write(client, "x = 1")
        sweep = submit(client, space={"x": "1..2"})
        wait_for(client, sweep.id)
    new, copy = tmp_path / "deeper" / "new", tmp_path / "copy"
    shutil.copytree(old, copy)
    new.parent.mkdir()
    old.rename(new)
    for place, more in ((new, 1), (copy, 2)):
        with workers.worker(place) as client:
            assert workers.runs(client, sweep.id)[0].status is Status.SUCCEEDED
            for _ in range(more):
                wait_for(client, submit(client, space={"x": "3"}).id)
            assert len(client.call(ops.LIST_SWEEPS, query=m.ListQuery())) == 1 + more


def test_changed_settings_are_told(client: Client) -> None:
    """A worker goes on with the settings that it has read, and says how others come to count."""
    assert client.call(ops.STATUS).problem is None
    settings = client.project.root / "mlops.toml"
    settings.write_text("cores = 1\n", "utf-8")
    told = client.call(ops.STATUS).problem
    assert told is not None
    assert told.startswith("The settings have changed since the worker started.")
    assert [each.message for each in client.call(ops.DOCTOR) if not each.ok] == [told]
    settings.write_text("cores = 0\n", "utf-8")
    assert "mlops.toml: Expected `int` >= 1" in (client.call(ops.STATUS).problem or "")
    settings.write_text("", "utf-8")
    assert client.call(ops.STATUS).problem is None
