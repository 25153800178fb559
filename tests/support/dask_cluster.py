"""A real Dask cluster: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from distributed import Client


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._start(
            "scheduler",
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(self._file)),
        )

    def add(self, name: str, *, threads: int = 1, memory: str = "2GB", nanny: bool = False) -> None:
        """Start a worker."""
        folder = self._folder / name
        folder.mkdir()
        self._start(
            name,
            *("worker", "--scheduler-file", str(self._file), "--host", "127.0.0.1"),
            *("--name", name, "--nthreads", str(threads), "--memory-limit", memory),
            *("--local-directory", str(folder), "--no-dashboard"),
            "--nanny" if nanny else "--no-nanny",
        )

    def kill(self, name: str) -> None:
        """Kill a process and all that it has started, as a machine that fails does."""
        process = psutil.Process(self._processes[name].pid)
        for each in (*process.children(recursive=True), process):
            each.kill()
        self._processes.pop(name).wait()

    @property
    def address(self) -> str:
        """Where the scheduler answers; it is waited for."""
        with Client(scheduler_file=str(self._file), timeout=30) as client:
            found: str = client.scheduler_info()["address"]
            return found

    def close(self) -> None:
        """End everything."""
        for name in list(self._processes):
            self.kill(name)

    def _start(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
                stdout=log,
                stderr=log,
                env={**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"},
            )


@contextmanager
def cluster(folder: Path, *workers: str) -> Iterator[Cluster]:
    """Run a cluster with some workers of one thread."""
    folder.mkdir()
    made = Cluster(folder)
    try:
        for name in workers:
            made.add(name)
        yield made
    finally:
        made.close()
