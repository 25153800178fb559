"""What runs on a node: the plugin that owns its runners, templates and kernels."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from distributed import Worker
from distributed.diagnostics.plugin import WorkerPlugin

from .... import interpreter
from ....core.exceptions import MlopsError
from ....core.executors import Command, Outcome, Progress, Task
from ....core.resources import Capacity
from ....core.runs import READS_VARIABLE, Reason, Status
from ... import machine, wire
from ...kernelspecs import kernel_names
from ...monitor import Monitor
from ...warm.pool import Templates
from ..local import LocalExecutor
from .copies import Copies
from .files import Made, Manifest, Places, Sent, relocated, relocated_command
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
    #: A file of the project's state, and what a node that sees the folder finds in it.
    probe: str = ""
    token: str = ""
    #: What the settings say of that.
    files: str = "auto"


class Ended(msgspec.Struct, frozen=True):
    """How a command ended: with a code, or not at all since it could not be started."""

    code: int | None = None
    error: str = ""


class NodePlugin(WorkerPlugin):
    """Executes attempts in a Dask worker, as the local executor does, and ends with it."""

    def __init__(self, config: NodeConfig) -> None:
        self.name = config.name
        self._config = config
        self._interpreter: dict[str, Any] | None = None
        #: How what is executed is stopped, or ended without a trace, by the keys of the Dask tasks.
        self._stoppers: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {}
        #: Keys of tasks that were stopped before they began.
        self._unwanted: set[str] = set()
        self._stops: set[asyncio.Future[None]] = set()

    async def setup(self, worker: Worker) -> None:
        """Get ready."""
        self._worker = worker
        self._incarnation = uuid.uuid4().hex
        folder = Path(worker.local_directory) / self.name
        folder.mkdir(exist_ok=True)
        self.copies = Copies(folder)
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
        """End all runners, templates, kernels and commands."""
        for _, drop in list(self._stoppers.values()):
            drop()
        await self._executor.close()
        self._sockets.cleanup()

    async def describe(self) -> dict[str, Any]:
        """Tell what this node is and has."""
        has = self._worker.state.total_resources
        names = {kind: getattr(self._config.resources, kind) for kind in ("cpus", "memory", "gpus")}
        declared = {kind: name for kind, name in names.items() if name in has}
        gpus = list(machine.gpu_devices())
        if "gpus" in declared:
            number = int(has[declared["gpus"]])
            gpus = gpus[:number] if len(gpus) >= number else list(map(str, range(number)))
        about = machine.described()
        if self._interpreter is None:
            self._interpreter = await asyncio.to_thread(interpreter.describe)
        return {
            "incarnation": self._incarnation,
            "host": self._worker.host,
            "name": f"{self._worker.name} on {about['host']}",
            "cores": int(has.get(names["cpus"], self._worker.state.nthreads)),
            "memory": int(has.get(names["memory"], self._limit())),
            "gpus": gpus,
            "declared": declared,
            "shares": _sees(self._config),
            "kernels": kernel_names(),
            "machine": about,
            "interpreter": self._interpreter,
        }

    def _limit(self) -> int:
        return self._worker.memory_manager.memory_limit or machine.granted_memory()

    async def execute(
        self, incarnation: str, packed: bytes, key: str, sent: Sent | None
    ) -> tuple[bytes, list[Made]]:
        """Execute an attempt, and tell of it by the topic; return its outcome and what it made.

        Raises `LookupError` if the attempt was placed here before this process was started: its
        ledger knows nothing of us.
        """
        self._check(incarnation)
        command = wire.read_command(packed[wire.HEADER_SIZE :])
        if not isinstance(command, wire.Execute):
            raise TypeError(f"{type(command).__name__} is no task")
        task = replace(command.task, environment={**os.environ, **command.task.environment})
        if sent is not None:
            try:
                here, there = await asyncio.to_thread(self._unpack, task.attempt_id, sent)
                task = relocated(task, here, there)
                _make_folders(task.cwd, task.output.parent, task.result.parent, task.log.parent)
            except (OSError, MlopsError) as error:
                failed = Outcome(
                    status=Status.FAILED,
                    reason=Reason.INTERNAL,
                    error=_line(error),
                    has_output=False,
                )
                return wire.pack(wire.Done(failed)), []

        def report(progress: Progress) -> None:
            packed = wire.pack(wire.report(progress))
            self._worker.log_event(self.name, {"attempt": task.attempt_id, "report": packed})

        cancel = partial(self._executor.cancel, task.attempt_id)
        drop = partial(self._executor.drop, task.attempt_id)
        with self._stoppable(key, partial(self._later, cancel), partial(self._later, drop)):
            outcome = await self._executor.execute(task, report)
        made = await asyncio.to_thread(self._made, task, sent) if sent is not None else []
        return wire.pack(wire.Done(outcome)), made

    async def run(
        self, incarnation: str, packed: bytes, key: str, sent: Sent | None
    ) -> tuple[bytes, list[Made]]:
        """Execute a command of a stage, as `execute` does an attempt; return what it `Ended` as."""
        self._check(incarnation)
        command = wire.decode(packed, Command)
        command = replace(command, environment={**os.environ, **command.environment})
        running = asyncio.ensure_future(self._run(command, sent))
        with self._stoppable(key, running.cancel, running.cancel):
            await asyncio.wait([running])
        if running.cancelled():
            return msgspec.msgpack.encode(Ended(error="It was stopped.")), []
        try:
            ended = Ended(code=running.result())
        except (OSError, MlopsError) as error:
            return msgspec.msgpack.encode(Ended(error=_line(error))), []
        copies = self.copies.made
        made = await asyncio.to_thread(copies, command.attempt_id) if sent is not None else []
        return msgspec.msgpack.encode(ended), made

    async def _run(self, command: Command, sent: Sent | None) -> int:
        if sent is not None:
            here, there = await asyncio.to_thread(self._unpack, command.attempt_id, sent)
            command = relocated_command(command, here, there)
            _make_folders(command.cwd, command.log.parent)
        return await self._executor.run(command)

    def _check(self, incarnation: str) -> None:
        if incarnation != self._incarnation:
            raise LookupError("It was placed on an earlier process of this address.")

    def stop(self, key: str) -> None:
        """Stop what the Dask task of that key executes, or will."""
        if key in self._stoppers:
            self._stoppers[key][0]()
        else:
            self._unwanted.add(key)

    def transition(self, key: Any, start: str, finish: str, **_kwargs: Any) -> None:
        """End what nobody waits for any more, as when the project's worker was killed.

        Dask itself lets it go on to its end.
        """
        if (
            finish == "released"
            and start in ("executing", "long-running")
            and key in self._stoppers
        ):
            _, drop = self._stoppers[key]
            drop()

    @contextlib.contextmanager
    def _stoppable(
        self, key: str, stop: Callable[[], object], drop: Callable[[], object]
    ) -> Iterator[None]:
        """Let something be stopped by the key of its task; at once if that was asked before."""
        self._stoppers[key] = stop, drop
        if key in self._unwanted:
            self._unwanted.discard(key)
            stop()
        try:
            yield
        finally:
            del self._stoppers[key]

    def _later(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.ensure_future(work())
        self._stops.add(task)
        task.add_done_callback(self._stops.discard)

    def _unpack(self, attempt: str, sent: Sent) -> tuple[Places, Places]:
        """Make the folders of an attempt; return where they were, and where they are."""
        project = self.copies.manifest(sent.manifest)
        manifest = Manifest((*project.entries, *sent.own), project.pulled)
        here = Places(Path(sent.project), Path(sent.state))
        return here, self.copies.unpack(attempt, manifest)

    def _made(self, task: Task, sent: Sent) -> list[Made]:
        """Return what an attempt has made, with the files it has read told as they are there."""
        places = self.copies.places(task.attempt_id)
        reads = task.environment.get(READS_VARIABLE)
        if reads is not None and Path(reads).exists():
            text = Path(reads).read_text("utf-8", "surrogateescape")
            text = text.replace(str(places.project), sent.project)
            Path(reads).write_text(text, "utf-8", "surrogateescape")
        return self.copies.made(task.attempt_id)


def _line(error: Exception) -> str:
    return error.message if isinstance(error, MlopsError) else str(error)


def _make_folders(*folders: Path) -> None:
    for each in folders:
        each.mkdir(parents=True, exist_ok=True)


def _sees(config: NodeConfig) -> bool:
    """Whether the project's folder is the same here."""
    if config.files == "sent":
        return False
    try:
        return Path(config.probe).read_text("ascii") == config.token
    except (OSError, UnicodeDecodeError):
        return False
