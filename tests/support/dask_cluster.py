"""A real Dask cluster: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from jupyter_mlops.core.executors import Site
from jupyter_mlops.execution.executors.dask.executor import DaskExecutor
from jupyter_mlops.execution.executors.dask.opening import open_executor


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
        #: How each was started: its Python, and what that is told.
        self._commands: dict[str, tuple[str | Path, ...]] = {}
        self._schedule(port=0)

    def add(
        self,
        name: str,
        *,
        threads: int = 1,
        memory: str = "2GB",
        nanny: bool = False,
        resources: str = "",
        python: str | Path = sys.executable,
    ) -> None:
        """Start a worker, maybe of another Python; it may declare resources such as ``GPU=2``."""
        folder = self.folder / name
        folder.mkdir()
        self._start(
            name,
            python,
            *("worker", "--scheduler-file", str(self._file), "--host", "127.0.0.1"),
            *("--name", name, "--nthreads", str(threads), "--memory-limit", memory),
            *("--local-directory", str(folder), "--no-dashboard"),
            *(("--resources", resources) if resources else ()),
            "--nanny" if nanny else "--no-nanny",
        )

    def start_again(self) -> None:
        """Start a scheduler that was killed, at the same address; its workers have gone with it."""
        self._schedule(port=int(self.address.rpartition(":")[2]))

    def kill(self, name: str, *, alone: bool = False) -> None:
        """Kill a process, and all that it has started as a machine that fails does, or it alone."""
        process = self._processes.pop(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(process.pid)
            for each in (*([] if alone else parent.children(recursive=True)), parent):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
        process.wait()

    def restart(self, name: str) -> None:
        """Start a process that has ended as it was started before."""
        if name == "scheduler":
            self.start_again()
        else:
            self._start(name, *self._commands[name])

    @property
    def ended(self) -> list[str]:
        """The processes that do not run any more."""
        running = [name for name, each in self._processes.items() if each.poll() is None]
        return [name for name in self._commands if name not in running]

    @property
    def address(self) -> str:
        """Where the scheduler answers; it is waited for."""
        deadline = time.monotonic() + 60
        while True:
            # It may be there, and not be written yet.
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                found: str = json.loads(self._file.read_text("utf-8"))["address"]
                return found
            assert time.monotonic() < deadline, (self.folder / "scheduler.log").read_text()
            time.sleep(0.05)

    def close(self) -> None:
        """End everything."""
        for name in list(self._processes):
            self.kill(name)

    def _schedule(self, port: int) -> None:
        self._start(
            "scheduler",
            sys.executable,
            *("scheduler", "--host", "127.0.0.1", "--port", str(port), *self._dashboard),
            *("--scheduler-file", str(self._file)),
        )

    def _start(self, name: str, python: str | Path, *words: str | Path) -> None:
        self._commands[name] = (python, *words)
        program, *options = words
        # Another Python has packages of its own.
        hidden = () if python == sys.executable else ("PYTHONPATH",)
        inherited = {key: value for key, value in os.environ.items() if key not in hidden}
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [python, "-m", f"distributed.cli.dask_{program}", *options, *self._tls],
                stdout=log,
                stderr=log,
                env={
                    **inherited,
                    "NODE_OF_TEST": name,
                    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
                },
            )


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@contextlib.contextmanager
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


def site(folder: Path, table: Mapping[str, Any]) -> Site:
    """Return a project whose settings say so."""
    return Site(
        project="test",
        root=folder,
        state=folder,
        settings=table,
        warm=False,
        preload=(),
        mark={},
    )


@contextlib.asynccontextmanager
async def opened(folder: Path, table: Mapping[str, Any]) -> AsyncIterator[DaskExecutor]:
    """Open the executor of a project whose settings say so, and close it."""
    executor = open_executor(site(folder, table))
    try:
        yield executor
    finally:
        await executor.close()
