"""Large queues: how quickly they are accepted, what a point costs, and what an empty one costs."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.bench import bench

POINTS = int(os.environ.get("BENCH_POINTS", "10000"))
REAL_POINTS = int(os.environ.get("BENCH_REAL_POINTS", "1000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
#: Seconds for which an idle worker is watched.
IDLE = 30.0

MB = 1_000_000


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def test_a_large_sweep_is_accepted(tmp_path: Path) -> None:
    """Print how long a submission takes, in a request and as a command, medians of rounds."""
    folder = workers.make_project(tmp_path / "project")
    command = (sys.executable, "-m", "jupyter_mlops", "sweep", "train.ipynb", f"n=1..{POINTS}")
    asked: list[float] = []
    commands: list[float] = []
    with workers.worker(folder) as client:
        # One point holds the core, so that the others wait.
        workers.write(client, "n: int = 1", workers.FOREVER)
        for _ in range(ROUNDS):
            start = time.perf_counter()
            sweep = workers.submit(client, space={"n": f"1..{POINTS}"})
            asked.append(time.perf_counter() - start)
            assert sweep.total == POINTS
            start = time.perf_counter()
            subprocess.run((*command, "--detach"), cwd=folder, check=True, capture_output=True)
            commands.append(time.perf_counter() - start)
            for each in client.call(ops.LIST_SWEEPS, query=m.ListQuery(limit=2)):
                client.call(ops.CANCEL_SWEEP, sweep_id=each.id)
                workers.wait_for(client, each.id)
                client.call(ops.DELETE_SWEEP, sweep_id=each.id)
    print(
        f"\n{POINTS} points accepted, medians of {ROUNDS}: in {statistics.median(asked):.2f} s, "
        f"as a command from start to exit in {statistics.median(commands):.2f} s "
        "(the goal is under 2 s)"
    )


async def test_points_that_do_nothing(tmp_path: Path) -> None:
    """Print what a point costs the worker, the first ones and the last, and its memory."""
    part = max(1, POINTS // 10)
    process = psutil.Process()
    async with bench(tmp_path, cores=_cores()) as b:
        warm_up = b.submit(50)
        assert await b.done(warm_up) == {Status.SUCCEEDED: 50}
        b.store.listeners.clear()
        before = process.memory_info().rss
        b.executor.open.clear()
        sweep = b.submit(POINTS)
        marks = {0: time.process_time()}
        b.executor.open.set()
        ended = 0
        while ended < POINTS:
            await asyncio.sleep(0.02)
            ended = POINTS - b.store.history.tallies([sweep.id])[sweep.id].unfinished
            for mark in (part, POINTS - part, POINTS):
                if ended >= mark:
                    marks.setdefault(mark, time.process_time())
        grown = process.memory_info().rss - before
    first, last = marks[part] / part, (marks[POINTS] - marks[POINTS - part]) / part
    first -= marks[0] / part
    print(
        f"\n{POINTS} points that do nothing, {_cores()} cores: CPU time a point "
        f"{1000 * first:.1f} ms for the first {part}, {1000 * last:.1f} ms for the last, "
        f"ratio {last / first:.2f} (the goal is at most 1.3); the worker grew by "
        f"{grown / MB:.0f} MB (the goal is under 100 MB)"
    )


def test_real_points(tmp_path: Path) -> None:
    """Print the same of real runs that do next to nothing, one repetition."""
    part = max(1, REAL_POINTS // 10)
    folder = workers.make_project(tmp_path / "project")
    with workers.worker(folder) as client:
        workers.write(client, "n: int = 1", "n + 1")
        warm_up = workers.submit(client, space={"n": "1..4"})
        workers.wait_for(client, warm_up.id)
        process = psutil.Process(client.call(ops.HEALTH).pid)
        before, start = process.memory_info().rss, time.perf_counter()
        sweep = workers.submit(client, space={"n": f"1..{REAL_POINTS}"})
        marks = _follow(client, process, sweep.id, part)
        grown, took = process.memory_info().rss - before, time.perf_counter() - start
        counts = client.call(ops.GET_SWEEP, sweep_id=sweep.id).counts
    assert counts.succeeded == REAL_POINTS
    (wall_0, cpu_0), (wall_1, cpu_1), (wall_2, cpu_2), (wall_3, cpu_3) = marks
    print(
        f"\n{REAL_POINTS} real points, {_cores()} cores: {took / REAL_POINTS:.3f} s a point, "
        f"{(wall_1 - wall_0) / part:.3f} s for the first {part} and "
        f"{(wall_3 - wall_2) / part:.3f} s for the last; CPU time of the worker a point "
        f"{1000 * (cpu_1 - cpu_0) / part:.1f} and {1000 * (cpu_3 - cpu_2) / part:.1f} ms, "
        f"ratio {(cpu_3 - cpu_2) / (cpu_1 - cpu_0):.2f} (the goal is at most 1.3); "
        f"the worker grew by {grown / MB:.0f} MB (the goal is under 100 MB)"
    )


def _follow(
    client: Client, process: psutil.Process, sweep_id: str, part: int
) -> list[tuple[float, float]]:
    """Return times and CPU times at the start, after the first, before the last, and at the end."""

    def now() -> tuple[float, float]:
        used = process.cpu_times()
        return time.perf_counter(), used.user + used.system

    wanted = [part, REAL_POINTS - part, REAL_POINTS]
    marks, ended = [now()], 0
    after = client.call(ops.STATUS).seq
    for event in client.events(after, beat=5):
        if event and event.sweep_id == sweep_id and event.status == Status.SUCCEEDED:
            ended += event.kind == "run"
        while wanted and ended >= wanted[0]:
            wanted.pop(0)
            marks.append(now())
        if not wanted:
            return marks
    raise AssertionError


def test_an_idle_worker(tmp_path: Path) -> None:
    """Print the part of a core that a worker with an empty queue uses, after it has worked."""
    folder = workers.make_project(tmp_path / "project")
    with workers.worker(folder) as client:
        workers.write(client, "n: int = 1")
        workers.wait_for(client, workers.submit(client, space={"n": "1..4"}).id)
        worker = psutil.Process(client.call(ops.HEALTH).pid)
        time.sleep(5)  # lets it settle: what it has just done is not idleness
        everybody = [worker, *worker.children(recursive=True)]
        before = [_used(each) for each in everybody]
        time.sleep(IDLE)
        used = [_used(each) - past for each, past in zip(everybody, before, strict=True)]
    print(
        f"\nAn idle worker: {100 * used[0] / IDLE:.2f} % of a core, with its "
        f"{len(everybody) - 1} processes {100 * sum(used) / IDLE:.2f} % "
        "(the goal is under 0.5 %)"
    )


def _used(process: psutil.Process) -> float:
    found = process.cpu_times()
    return float(found.user + found.system)
