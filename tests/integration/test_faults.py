"""What goes wrong around a project: a locked database, a second worker."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import operations as ops
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.workers import FOREVER, LOG_METRIC, started, submit, wait_for


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_worker_that_lost_its_lease_ends(tmp_path: Path) -> None:
    """It notices when it renews, ends what it runs, and leaves the runs to its successor."""
    with workers.worker(workers.make_project(tmp_path / "project")) as client:
        gate = tmp_path / "gate"
        wait = f"import os, time\nif not os.path.exists({str(gate)!r}): {FOREVER}"
        workers.write(client, "x = 1", wait)
        sweep = submit(client, space={"x": "1,2"})
        started(client, sweep.id, 3)
        engine = psutil.Process(client.call(ops.HEALTH).pid)
        family = engine.children(recursive=True)
        with closing(sqlite3.connect(client.project.state / "store.db")) as link:
            link.execute("UPDATE leases SET fence = fence + 1")
            link.commit()
        engine.wait(60)
        _, left = psutil.wait_procs(family, timeout=10)
        assert not left
        gate.touch()
        done = wait_for(client, sweep.id)
        assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 2)


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
