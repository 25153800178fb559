"""Sweeps while the engine's processes are killed at random moments: nothing lost, nothing twice.

`make chaos` kills more often (``CHAOS_KILLS``); ``CHAOS_SEED`` chooses the moments.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.runtime import runtime_dir
from jupyter_mlops.core.exceptions import WorkerUnavailable
from tests.support import verdict, workers
from tests.support.chaos import MARK, Monkey, find_processes, write_points

KILLS = int(os.environ.get("CHAOS_KILLS", "50"))
POINTS = 100

#: Seconds that the project may take to come to rest when nothing is killed any more.
REST = 120.0


def _sweep(folder: Path, monkey: Monkey) -> None:
    """Run a sweep of many points while the monkey rages."""
    client = connect(folder)
    sweep = workers.submit(
        client,
        space={"x": f"1..{POINTS}"},
        cpus=1,
        retries=100,
        retry_on=["kernel_died"],
        retry_delay=0,
    )
    done = threading.Event()
    raging = threading.Thread(target=monkey.rage, args=[KILLS, done])
    raging.start()
    try:
        while True:
            # A worker that is killed before it answers is an error for whoever asked for it.
            with contextlib.suppress(WorkerUnavailable):
                workers.wait_for(connect(folder), sweep.id)
                break
    finally:
        done.set()
        raging.join()


def _rest(folder: Path) -> None:
    """Wait until everything is recorded, then end the worker."""
    client: Client = connect(folder)
    deadline = time.monotonic() + REST
    while (status := client.call(ops.STATUS)).unsynced or status.problem:
        assert time.monotonic() < deadline, status
        time.sleep(0.2)
    workers.stop(folder)


@pytest.mark.slow
@pytest.mark.timeout(0 if KILLS > 50 else 900)
def test_nothing_is_lost_and_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each point has one terminal record, no two live attempts, and nothing is left behind."""
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbits(32))
    sys.stdout.write(f"\nCHAOS_SEED={seed} CHAOS_KILLS={KILLS}\n")
    mark = tmp_path.name + secrets.token_hex(4)
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "2")
    folder, log = workers.make_project(tmp_path / "project"), tmp_path / "lives.log"
    write_points(folder, log)
    monkey = Monkey(folder, log, mark, seed)
    sweeps = 0
    try:
        with monkey.watching():
            while len(monkey.kills) < KILLS:
                _sweep(folder, monkey)
                sweeps += 1
        _rest(folder)
    finally:
        sys.stdout.write("\n".join([*map(str, monkey.kills), ""]))
    _, left = psutil.wait_procs([each.process for each in find_processes(mark)], timeout=15)
    assert not left, left
    project = find_project(folder)
    runs = verdict.check_store(project.state, sweeps * POINTS)
    verdict.check_lives(log, runs)
    verdict.check_tracking(project.state, runs)
    verdict.check_outputs(folder, project.state, runs)
    assert not list(runtime_dir().glob(f"{project.id}*.sock"))
    assert not (runtime_dir() / f"{project.id}.warm").exists()
