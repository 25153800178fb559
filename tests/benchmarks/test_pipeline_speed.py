"""Pipelines beside ``dvc repro``, both as commands, in alternating rounds."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.following import follow_pipeline
from jupyter_mlops.core.pipelines import StageState
from tests.support import pipelines, workers

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
#: Numbers of trivial stages.
SIZES = tuple(int(each) for each in os.environ.get("BENCH_STAGES", "60,300").split(","))

#: Cores that a worker keeps busy which does nothing.
_REST = 0.05

OURS = (sys.executable, "-m", "jupyter_mlops", "pipeline", "run")
DVC = (sys.executable, "-m", "dvc", "repro", "--quiet")

pytestmark = pytest.mark.timeout(7200)


def lay_out(folder: Path, stages: dict[str, object]) -> Path:
    """Make a git and DVC repository with stages."""
    folder.mkdir()
    pipelines.repository(folder)
    (folder / "mlops.toml").write_text("")
    (folder / "common.txt").write_text("common\n")
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    pipelines.commit(folder)
    return folder


def trivial(number: int) -> dict[str, object]:
    """Return so many stages that do next to nothing, and do not depend on each other."""
    return {
        f"s{i:03}": {
            "cmd": f"echo {i} > out{i}.txt",
            "deps": ["common.txt"],
            "outs": [f"out{i}.txt"],
        }
        for i in range(number)
    }


def seconds(command: tuple[str, ...], folder: Path) -> float:
    """Return how long a command takes."""
    begun = time.perf_counter()
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, env=pipelines.environment()
    )
    return time.perf_counter() - begun


@contextmanager
def copy_of(source: Path) -> Iterator[Path]:
    """Return a copy without anything that was run, and remove it and its worker afterwards."""
    copy = source.with_name("copy")
    shutil.copytree(source, copy, symlinks=True)
    try:
        yield copy
    finally:
        workers.stop(copy)
        shutil.rmtree(copy)


@contextmanager
def settled(folder: Path) -> Iterator[Client]:
    """Start a worker, and go on when it has also done what it does after its start."""
    with workers.worker(folder) as client:
        client.call(ops.LIST_MODELS)
        worker = psutil.Process(client.call(ops.HEALTH).pid)
        while _load(worker) > _REST:
            pass
        yield client


def _load(worker: psutil.Process) -> float:
    """Return how many cores a worker and its processes have kept busy for a second."""
    before = _seconds_used(worker)
    time.sleep(1)
    return _seconds_used(worker) - before


def _seconds_used(worker: psutil.Process) -> float:
    used = 0.0
    for each in (worker, *worker.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            used += sum(each.cpu_times()[:2])
    return used


def compare(title: str, rounds: int, *measures: tuple[str, Callable[[], float]]) -> None:
    """Measure in alternating rounds, and print the medians and the first one's ratio to each."""
    taken: dict[str, list[float]] = {name: [] for name, _ in measures}
    for _ in range(rounds):
        for name, measure in measures:
            taken[name].append(measure())
    medians = {name: statistics.median(each) for name, each in taken.items()}
    peer = next(iter(medians.values()))
    shown = ", ".join(
        f"{name} {median:.2f} s ({peer / median:.1f}x)" for name, median in medians.items()
    )
    print(f"\n{title}, medians of {rounds}: {shown}")


@pytest.mark.parametrize("number", SIZES)
def test_trivial_stages(tmp_path: Path, number: int) -> None:
    """Print how long everything takes that has never run."""
    source = lay_out(tmp_path / "source", trivial(number))

    def with_dvc() -> float:
        with copy_of(source) as folder:
            return seconds(DVC, folder)

    def without_a_worker() -> float:
        with copy_of(source) as folder:
            return seconds(OURS, folder)

    def with_a_worker() -> float:
        with copy_of(source) as folder, settled(folder):
            return seconds(OURS, folder)

    compare(
        f"{number} trivial stages",
        ROUNDS,
        ("dvc repro", with_dvc),
        ("ours", without_a_worker),
        ("ours with a worker", with_a_worker),
    )


@pytest.mark.parametrize("number", SIZES)
def test_nothing_changed(tmp_path: Path, number: int) -> None:
    """Print how long it takes to see that nothing is left to do."""
    folder = lay_out(tmp_path / "source", trivial(number))
    common = folder / "common.txt"

    def touched() -> float:
        common.touch()
        return seconds(OURS, folder)

    def without_a_worker() -> float:
        workers.stop(folder)
        return seconds(OURS, folder)

    def with_a_worker() -> float:
        with settled(folder):
            return seconds(OURS, folder)

    def touched_with_a_worker() -> float:
        with settled(folder):
            return touched()

    def touched_without_a_worker() -> float:
        workers.stop(folder)
        return touched()

    with workers.worker(folder):
        seconds(OURS, folder)
    seconds(OURS, folder)
    compare(
        f"{number} stages, nothing changed",
        ROUNDS,
        ("dvc repro", lambda: seconds(DVC, folder)),
        ("ours", without_a_worker),
        ("ours with a worker", with_a_worker),
        ("a dependency touched, ours", touched_without_a_worker),
        ("a dependency touched, ours with a worker", touched_with_a_worker),
    )
    workers.stop(folder)


def test_four_independent_stages(tmp_path: Path) -> None:
    """Print how near to the ideal four stages of 3 s come."""
    stages: dict[str, object] = {
        f"s{i}": {"cmd": f"sleep 3; echo {i} > out{i}", "outs": [f"out{i}"]} for i in range(4)
    }
    source = lay_out(tmp_path / "source", stages)
    cores = min(4, len(os.sched_getaffinity(0)))
    ideal = 12 / cores

    def with_a_worker() -> float:
        with copy_of(source) as folder, settled(folder):
            return seconds(OURS, folder)

    def without_a_worker() -> float:
        with copy_of(source) as folder:
            return seconds(OURS, folder)

    warm = statistics.median(with_a_worker() for _ in range(ROUNDS))
    cold = statistics.median(without_a_worker() for _ in range(ROUNDS))
    print(
        f"\nFour stages of 3 s on {cores} cores, medians of {ROUNDS}: {warm:.2f} s, "
        f"{warm / ideal:.2f} of the ideal {ideal:.0f} s; without a worker {cold:.2f} s, "
        f"{cold / ideal:.2f} (the goal is 1.15)"
    )


def test_memory(tmp_path: Path) -> None:
    """Print how much memory 500 stages take in the worker and in the process that hosts DVC."""
    folder = lay_out(tmp_path / "source", trivial(500))
    with workers.worker(folder) as client:
        pipeline_id = client.call(ops.RUN_PIPELINE, body=m.PipelineRequest(), timeout=None).id
        marks = [
            (update.run.counts.get(StageState.SUCCEEDED, 0), *_memory(client, folder))
            for update in follow_pipeline(client, pipeline_id, 0)
        ]
    early = next(each for each in marks if each[0] >= 50)
    late = marks[-1]
    print(
        f"\nMemory over 500 stages: worker {early[1] / 1e6:.0f} MB after {early[0]}, "
        f"{late[1] / 1e6:.0f} MB after {late[0]}; DVC {early[2] / 1e6:.0f} MB, then "
        f"{late[2] / 1e6:.0f} MB"
    )


def _memory(client: Client, folder: Path) -> tuple[int, int]:
    worker = psutil.Process(client.call(ops.HEALTH).pid)
    host = next(each for each in worker.children() if str(folder) in each.cmdline())
    return worker.memory_info().rss, host.memory_info().rss
