"""A real Dask cluster: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path, tls: tuple[str, ...] = (), *, dashboard: bool) -> None:
        """``tls`` are the options of Dask's programs that name certificates."""
        self.folder = folder
        self._tls = tls
        at_any_port = "--dashboard-address", "127.0.0.1:0"
        self._dashboard = at_any_port if dashboard else ("--no-dashboard",)
        self._file = folder / "scheduler.json"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._schedule(port=0)

    def add(
        self,
        name: str,
        *,
        threads: int = 1,
        memory: str = "2GB",
        nanny: bool = False,
        resources: str = "",
    ) -> None:
        """Start a worker, which may declare resources such as ``GPU=2``."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        self._start(
            name,
            *("worker", "--scheduler-file", str(self._file), "--host", "127.0.0.1"),
            *("--name", name, "--nthreads", str(threads), "--memory-limit", memory),
            *("--local-directory", str(folder), "--no-dashboard"),
            *(("--resources", resources) if resources else ()),
            "--nanny" if nanny else "--no-nanny",
        )

    def start_again(self) -> None:
        """Start a scheduler that was killed, at the same address; its workers have gone with it."""
        self._schedule(port=int(self.address.rpartition(":")[2]))

    def kill(self, name: str) -> None:
        """Kill a process and all that it has started, as a machine that fails does."""
        process = psutil.Process(self._processes[name].pid)
        for each in (*process.children(recursive=True), process):
            each.kill()
        self._processes.pop(name).wait()

    @property
    def address(self) -> str:
        """Where the scheduler answers; it is waited for."""
        deadline = time.monotonic() + 60
        while not self._file.exists():
            assert time.monotonic() < deadline, (self.folder / "scheduler.log").read_text()
            time.sleep(0.05)
        found: str = json.loads(self._file.read_text("utf-8"))["address"]
        return found

    def close(self) -> None:
        """End everything."""
        for name in list(self._processes):
            self.kill(name)

    def _schedule(self, port: int) -> None:
        self._start(
            "scheduler",
            *("scheduler", "--host", "127.0.0.1", "--port", str(port), *self._dashboard),
            *("--scheduler-file", str(self._file)),
        )

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    f"distributed.cli.dask_{arguments[0]}",
                    *arguments[1:],
                    *self._tls,
                ],
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "NODE_OF_TEST": name,
                    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
                },
            )


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@contextmanager
def cluster(
    folder: Path, *workers: str, tls: tuple[str, ...] = (), dashboard: bool = False
) -> Iterator[Cluster]:
    """Run a cluster with some workers of one thread."""
    folder.mkdir()
    made = Cluster(folder, tls, dashboard=dashboard)
    try:
        for name in workers:
            made.add(name)
        yield made
    finally:
        made.close()
