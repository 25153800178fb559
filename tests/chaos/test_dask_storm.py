"""Sweeps on a Dask cluster whose workers and scheduler are killed at random moments.

`make chaos` kills more often (``CHAOS_KILLS``); ``CHAOS_SEED`` chooses the moments.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import ExecutorUnavailable, MlopsError
from jupyter_mlops.core.runs import MAX_NODES, Status
from tests.support import verdict, workers
from tests.support.chaos import MARK, find_processes, write_points
from tests.support.dask_cluster import Cluster, cluster

#: How many processes are killed; every fifth is the scheduler.
KILLS = max(10, int(os.environ.get("CHAOS_KILLS", "50")) // 5)
POINTS = 60
NAMES = ("a", "b", "c", "d")
SETTINGS = 'executor = "dask"\n[dask]\naddress = "{}"\nfiles = "{}"\n'
#: Most seconds until the next one is killed.
PAUSE = 2.5


class Monkey:
    """Kills workers, and now and then the scheduler; what has ended is started again."""

    def __init__(self, client: Client, nodes: Cluster, seed: int) -> None:
        self.kills: list[str] = []
        self._client = client
        self._nodes = nodes
        self._random = random.Random(seed)  # noqa: S311 - moments, not secrets
        self._done = threading.Event()
        self._turn = threading.Lock()

    @contextlib.contextmanager
    def raging(self) -> Iterator[None]:
        """Rage inside the block; the cluster is whole again afterwards."""
        self._done.clear()
        threads = [threading.Thread(target=each) for each in (self._rage, self._mend)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self._done.set()
            for each in threads:
                each.join()
            for name in self._nodes.ended:
                self._nodes.restart(name)

    def _rage(self) -> None:
        while len(self.kills) < KILLS and not self._done.wait(self._random.uniform(0, PAUSE)):
            if len(self.kills) % 5 == 4:
                self._kill("scheduler", alone=True)
            else:
                self._kill(self._random.choice(NAMES), alone=self._random.random() < 0.5)

    def _kill(self, name: str, *, alone: bool) -> None:
        if name in self._unlucky():
            return
        with self._turn:
            if name not in self._nodes.ended:
                self._nodes.kill(name, alone=alone)
                self.kills.append(name if alone else f"{name} with all its processes")

    def _unlucky(self) -> set[str]:
        """Return the nodes with an attempt that would be given up if they were killed too."""
        found = set()
        with contextlib.suppress(MlopsError):
            query = m.RunsQuery(status=Status.RUNNING)
            for run in self._client.call(ops.LIST_RUNS, query=query):
                attempts = self._client.call(ops.GET_RUN, run_id=run.id).attempts
                if len(attempts) >= MAX_NODES:
                    found.add((attempts[-1].node or "").partition(" on ")[0])
        return found

    def _mend(self) -> None:
        while not self._done.wait(0.3):
            with self._turn:
                for name in self._nodes.ended:
                    self._nodes.restart(name)


@pytest.mark.slow
@pytest.mark.timeout(0 if KILLS > 10 else 600)
@pytest.mark.parametrize("files", ["shared", "sent"])
def test_nothing_is_lost_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: str
) -> None:
    """Each point is recorded once, whole, whatever was killed, and nothing is left behind."""
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbits(32))
    sys.stdout.write(f"\nCHAOS_SEED={seed} CHAOS_KILLS={5 * KILLS}\n")
    mark = tmp_path.name + secrets.token_hex(4)
    monkeypatch.setenv(MARK, mark)
    log, sweeps = tmp_path / "lives.log", 0
    with cluster(tmp_path / "cluster", *NAMES) as nodes:
        folder = workers.make_project(tmp_path / "project", SETTINGS.format(nodes.address, files))
        write_points(folder, log)
        with workers.worker(folder) as client:
            monkey = Monkey(client, nodes, seed)
            try:
                while len(monkey.kills) < KILLS:
                    sweep = workers.until(lambda: _submit(client))
                    sweeps += 1
                    with monkey.raging():
                        done = workers.wait_for(client, sweep.id)
                    assert done.counts.succeeded == POINTS, _failures(client, sweep.id)
            finally:
                sys.stdout.write("\n".join([*monkey.kills, ""]))
            workers.until(lambda: not client.call(ops.STATUS).unsynced)
        ours = [each.process for each in find_processes(mark) if each.role != "other"]
        _, left = psutil.wait_procs(ours, timeout=15)
        assert not left, left
    _, left = psutil.wait_procs([each.process for each in find_processes(mark)], timeout=15)
    assert not left, left
    state = find_project(folder).state
    runs = verdict.check_store(state, sweeps * POINTS)
    verdict.check_lives(log, runs, alone=False)
    verdict.check_tracking(state, runs)
    verdict.check_outputs(folder, state, runs)


def _submit(client: Client) -> m.SweepView | None:
    """Submit a sweep; None while the scheduler is away."""
    with contextlib.suppress(ExecutorUnavailable):
        return workers.submit(client, space={"x": f"1..{POINTS}"}, retry_delay=0)
    return None


def _failures(client: Client, sweep_id: str) -> list[str | None]:
    found = workers.runs(client, sweep_id)
    return [run.error for run in found if run.status is not Status.SUCCEEDED]
