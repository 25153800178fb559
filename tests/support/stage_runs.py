"""Runs of stages on real kernels, and what the programs that they stand for write."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nbformat

from jupyter_mlops.app.executors import Executors
from jupyter_mlops.app.hub import EventHub
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.recorder import Recorder
from jupyter_mlops.app.removal import Removal
from jupyter_mlops.app.scheduler import Scheduler
from jupyter_mlops.app.stage_runs import RunOutcome, StageFacts, StageRuns, recognise
from jupyter_mlops.app.sweeps import SweepUseCases
from jupyter_mlops.core.stages import NotebookCommand
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.slots import Slots
from jupyter_mlops.execution.warm.pool import Templates
from jupyter_mlops.store import Store
from jupyter_mlops.testing import InMemoryRegistry, InMemoryTracker
from tests.support.records import a_machine

#: Where the programs of this environment are.
PROGRAMS = Path(sys.executable).parent
#: An environment in which they are found.
ENVIRONMENT = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}


class Stages:
    """What carries out stages' commands, with everything around it but the tracker real."""

    def __init__(self, folder: Path, runtime: Path, cores: int) -> None:
        (folder / "mlops.toml").touch()
        self.project = project = find_project(folder)
        logs = project.state / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.store = Store(project.id, url=None, state=project.state)
        self.tracker = InMemoryTracker()
        self.slots = Slots(folder, project.id, machine=a_machine(cores))
        self.recorder = Recorder(
            self.store,
            lambda: self.tracker,
            lambda: InMemoryRegistry(self.tracker),
            lambda _: None,
            while_away=lambda *_: {},
        )
        templates = Templates(runtime / "w", logs / "templates.log", idle=1)
        self.executor = LocalExecutor(logs / "runner.log", self.slots, templates)
        self.scheduler = Scheduler(
            project,
            self.store,
            self.recorder,
            {"local": self.executor},
            worker="w",
            fence=1,
        )
        self.sweeps = SweepUseCases(
            project,
            self.store,
            self.scheduler,
            self.recorder,
            self.slots,
            Removal(project, self.store, self.recorder),
            Executors(project, self.executor, {}),
            "sqlite://",
        )
        self.runs = StageRuns(project, self.store, self.sweeps, EventHub(self.store))

    def recognise(self, command: str, folder: str = "") -> NotebookCommand:
        """Return what a command executes in a folder of the project."""
        found = recognise(self.project, command, self.project.root / folder, ENVIRONMENT)
        assert found is not None
        return found

    async def run(
        self, command: str, folder: str = "", *, facts: dict[str, Any] | None = None, **how: Any
    ) -> RunOutcome:
        """Carry out a command of the stage "train"."""
        about = {"pipeline_id": "p1", "name": "train", "environment": ENVIRONMENT, **(facts or {})}
        return await self.runs.run(self.recognise(command, folder), StageFacts(**about), **how)


@asynccontextmanager
async def stages(folder: Path, runtime: Path, *, cores: int = 2) -> AsyncIterator[Stages]:
    """Carry out stages' commands for a while."""
    made = Stages(folder, runtime, cores)
    loops = [asyncio.create_task(each) for each in (made.scheduler.run(), made.recorder.run())]
    try:
        yield made
    finally:
        for each in loops:
            each.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await made.scheduler.close()
        await made.recorder.close()
        made.store.close()


async def really(command: str, folder: Path) -> int:
    """Carry out a command as DVC would; return its exit code."""
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


def normalised(path: Path) -> dict[str, Any]:
    """Read a notebook without times, and without ids that are random."""
    text = path.read_text("utf-8")
    nb: dict[str, Any] = nbformat.reads(text, as_version=4)
    nb["ends"] = text.removeprefix(nbformat.writes(nb))
    _without_times(nb["metadata"].get("papermill", {}))
    for cell in nb["cells"]:
        if cell["metadata"].get("tags"):
            cell.pop("id", None)
        metadata = cell["metadata"]
        _without_times(metadata.get("papermill", {}))
        if "execution" in metadata:
            metadata["execution"] = sorted(metadata["execution"])
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                output["traceback"] = len(output["traceback"])
    return nb


def _without_times(facts: dict[str, Any]) -> None:
    for name in ("start_time", "end_time", "duration"):
        if facts.get(name) is not None:
            facts[name] = type(facts[name]).__name__
