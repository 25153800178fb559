"""What runs on a node: the plugin that owns its runners, templates and kernels."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin
from distributed.worker_state_machine import SecedeEvent

from ....core.executors import Progress
from ....core.resources import Capacity
from ... import machine, wire
from ...monitor import Monitor
from ...warm.pool import Templates
from ..local import LocalExecutor
from .nodes import Nodes
from .settings import DaskResources


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What a node is told when it becomes one of a project's."""

    #: Name of the plugin, and of the topic at which it tells of attempts.
    name: str
    #: Whether kernels are forked from templates, and packages that these may import.
    warm: bool
    preload: tuple[str, ...]
    #: Variables that mark the processes of this project's engine.
    mark: Mapping[str, str]
    #: What workers call what they have, where they declare it.
    resources: DaskResources


class NodePlugin(WorkerPlugin):
    """Executes attempts in a Dask worker, as the local executor does, and ends with it."""

    def __init__(self, config: NodeConfig) -> None:
        self.name = config.name
        self._config = config

    async def setup(self, worker: Worker) -> None:
        """Get ready."""
        self._worker = worker
        self._incarnation = uuid.uuid4().hex
        folder = Path(worker.local_directory) / self.name
        folder.mkdir(exist_ok=True)
        # A socket's path has about 100 bytes, more than the folder of a worker may leave.
        self._sockets = tempfile.TemporaryDirectory(prefix="mlops-", ignore_cleanup_errors=True)
        templates = None
        if self._config.warm:
            templates = Templates(
                Path(self._sockets.name) / "warm",
                folder / "templates.log",
                idle=1,
                allowed=self._config.preload,
                variables=self._config.mark,
            )
        # It is told what to execute by whoever has asked our project's ledger.
        self._executor = LocalExecutor(
            folder / "runner.log",
            Nodes(),
            templates,
            dict(self._config.mark),
            Monitor(Capacity(cores=worker.state.nthreads, memory=self._limit())),
        )
        await self._executor.prepare()

    async def teardown(self, worker: Worker) -> None:
        """End all runners, templates and kernels."""
        await self._executor.close()
        self._sockets.cleanup()

    def describe(self) -> dict[str, Any]:
        """Tell what this node is and has."""
        has = self._worker.state.total_resources
        names = {kind: getattr(self._config.resources, kind) for kind in ("cpus", "memory", "gpus")}
        declared = {kind: name for kind, name in names.items() if name in has}
        gpus = list(machine.gpu_devices())
        if "gpus" in declared:
            number = int(has[declared["gpus"]])
            gpus = gpus[:number] if len(gpus) >= number else list(map(str, range(number)))
        return {
            "incarnation": self._incarnation,
            "host": self._worker.host,
            "name": f"{self._worker.name} on {machine.described()['host']}",
            "cores": int(has.get(names["cpus"], self._worker.state.nthreads)),
            "memory": int(has.get(names["memory"], self._limit())),
            "gpus": gpus,
            "declared": declared,
        }

    def _limit(self) -> int:
        return self._worker.memory_manager.memory_limit or machine.granted_memory()

    async def execute(self, incarnation: str, packed: bytes) -> bytes:
        """Execute an attempt, and tell of it by the topic; return the packed outcome.

        Raises `LookupError` if the attempt was placed here before this process was started: its
        ledger knows nothing of us.
        """
        if incarnation != self._incarnation:
            raise LookupError("It was placed on an earlier process of this address.")
        command = wire.read_command(packed[wire.HEADER_SIZE :])
        if not isinstance(command, wire.Execute):
            raise TypeError(f"{type(command).__name__} is no task")
        task = replace(command.task, environment={**os.environ, **command.task.environment})

        def report(progress: Progress) -> None:
            packed = wire.pack(wire.report(progress))
            self._worker.log_event(self.name, {"attempt": task.attempt_id, "report": packed})

        return wire.pack(wire.Done(await self._executor.execute(task, report)))

    async def cancel(self, attempt_id: str) -> None:
        """Stop an attempt."""
        await self._executor.cancel(attempt_id)


def plugin_of(worker: Worker, name: str) -> NodePlugin | None:
    """Return our plugin of a worker; None if it is not there yet."""
    found = worker.plugins.get(name)
    return found if isinstance(found, NodePlugin) else None


async def execute(name: str, incarnation: str, packed: bytes, key: str) -> bytes:
    """Be the Dask task of an attempt, whose ``key`` Dask knows it by."""
    worker = get_worker()
    # One that waits for runs of its own must not keep a thread from them. Dask ends no worker
    # either, for want of work, that has such a task.
    worker.handle_stimulus(SecedeEvent(key=key, compute_duration=0.0, stimulus_id=f"secede-{key}"))
    plugin = plugin_of(worker, name)
    if plugin is None:
        raise LookupError("This worker is not one of the project's nodes.")
    return await plugin.execute(incarnation, packed)


async def stop(name: str, attempt_id: str, dask_worker: Worker) -> None:
    """Cancel an attempt. Dask fills in the last argument."""
    plugin = plugin_of(dask_worker, name)
    if plugin is not None:
        await plugin.cancel(attempt_id)


async def describe(name: str, dask_worker: Worker) -> dict[str, Any] | None:
    """Tell what a node is and has; None if it is none yet. Dask fills in the last argument."""
    plugin = plugin_of(dask_worker, name)
    return plugin.describe() if plugin is not None else None
