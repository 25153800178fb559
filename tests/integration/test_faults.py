"""What goes wrong around a project: a locked database, a read-only disk, a second worker."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import connect
from jupyter_mlops.core.exceptions import Conflict, WorkerUnavailable
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.support.workers import LOG_METRIC, submit, wait_for


@pytest.mark.parametrize("name", ["store.db", "mlflow.db"])
def test_a_locked_database_is_waited_for(tmp_path: Path, name: str) -> None:
    """Another program holds it for some seconds: the worker answers, and nothing is lost."""
    with workers.worker(workers.make_project(tmp_path / "project")) as client:
        workers.write(client, "x: int = 1", LOG_METRIC + "log('auc', x / 10, 0)")
        assert wait_for(client, submit(client).id).status is Status.SUCCEEDED
        database = client.project.state / name
        with closing(sqlite3.connect(database, isolation_level=None)) as link:
            sweep = submit(client, space={"x": "1..4"})
            link.execute("BEGIN IMMEDIATE")
            until = time.monotonic() + 3
            while time.monotonic() < until:
                asked = time.monotonic()
                client.call(ops.HEALTH)
                assert time.monotonic() - asked < 2
            link.execute("COMMIT")
        done = wait_for(client, sweep.id)
        assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 4)
        runs = workers.runs(client, sweep.id)
        assert [run.metrics for run in runs] == [{"auc": x / 10} for x in (1, 2, 3, 4)]
        assert {len(client.call(ops.GET_RUN, run_id=run.id).attempts) for run in runs} == {1}
        assert client.call(ops.STATUS).problem is None


def test_a_second_worker_is_refused(tmp_path: Path) -> None:
    """One that cannot see the first one's lock is told by the lease in the database."""
    folder = workers.make_project(tmp_path / "project")
    with workers.worker(folder) as client:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(mode=0o700)
        second = subprocess.run(
            [sys.executable, "-P", "-m", "jupyter_mlops.app.worker", str(folder)],
            env={**os.environ, "JUPYTER_MLOPS_RUNTIME_DIR": str(elsewhere)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == 1
        assert second.stderr.startswith("A worker on another machine, or of another")
        workers.write(client, "x = 1", "print(x)")
        assert wait_for(client, submit(client).id).status is Status.SUCCEEDED


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder, and what makes it read-only, for root too."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a read-only file system")
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a file system")

    def freeze() -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

    yield folder, freeze
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_read_only_project_says_so(read_only: tuple[Path, Callable[[], None]]) -> None:
    """In one line, with the way out."""
    disk, freeze = read_only
    folder = workers.make_project(disk / "project")
    freeze()
    with pytest.raises(WorkerUnavailable, match=r"Read-only file system.*set state_dir") as refused:
        connect(folder)
    assert "\n" not in refused.value.message


def test_a_read_only_project_can_be_read(
    read_only: tuple[Path, Callable[[], None]], tmp_path: Path
) -> None:
    """With its state elsewhere all is listed as before, and a sweep is refused in one line."""
    disk, freeze = read_only
    folder = workers.make_project(disk / "project", f'state_dir = "{tmp_path / "state"}"\n')
    write_notebook(folder / "train.ipynb", "x = 1", "print(x)")
    with workers.worker(folder) as client:
        first = wait_for(client, submit(client).id)
        assert first.status is Status.SUCCEEDED
        freeze()
        workers.stop(folder)
        connect(folder)
        assert client.call(ops.GET_SWEEP, sweep_id=first.id).counts == first.counts
        with pytest.raises(Conflict, match=r"runs cannot be written.*permissions") as refused:
            submit(client)
        assert "\n" not in refused.value.message
        assert client.call(ops.STATUS).problem is None
