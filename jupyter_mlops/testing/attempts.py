"""What tests give to an executor, and how they follow what it does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import nbformat
import psutil

from ..core.executors import CellStarted, Command, Executor, Outcome, Progress, Site, Task
from ..core.resources import Hold, Ledger, Request
from ..core.runs import ATTEMPT_VARIABLE

P = TypeVar("P", bound=Progress)

#: Seconds that anything may take which is to happen.
PATIENCE = 120.0

#: A cell that never ends by itself.
FOREVER = "import threading; threading.Event().wait()"
#: One that interrupts and polite requests to end do not reach, and what it has started neither.
DEAF = (
    "import signal, subprocess, sys, time\n"
    "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],\n"
    "    start_new_session=True)\n"
    "print('deaf', flush=True)\n"
    "while True: time.sleep(0.1)"
)


class Seen:
    """The progress that an executor reports of one attempt."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self._thread = threading.get_ident()
        self._told = asyncio.Event()

    def report(self, progress: Progress) -> None:
        """Be the function that `Executor.execute` is given."""
        assert threading.get_ident() == self._thread, "it reports in another thread"
        self.progress.append(progress)
        self._told.set()

    def of(self, kind: type[P]) -> list[P]:
        """Return what was reported of one kind."""
        return [each for each in self.progress if isinstance(each, kind)]

    async def until(self, wanted: Callable[[Progress], bool]) -> None:
        """Wait until something was reported."""
        async with asyncio.timeout(PATIENCE):
            while not any(map(wanted, self.progress)):
                self._told.clear()
                await self._told.wait()

    async def until_cell(self, cell: int) -> None:
        """Wait until a code cell has begun."""
        await self.until(lambda each: each == CellStarted(cell=cell))


class Attempts:
    """Makes attempts and commands in a project's folder, and has an executor carry them out."""

    def __init__(self, executor: Executor, site: Site) -> None:
        self.executor = executor
        self.root = site.root
        self._state = site.state
        self._number = 0

    def task(self, *cells: str, **changes: Any) -> Task:
        """Write a notebook of code cells, the first of which declares ``x``; make a task of it."""
        self._number += 1
        name = f"kit-{self._number}.1"
        values: dict[str, Any] = {
            "attempt_id": name,
            "source": f"{name}.ipynb",
            "snapshot": _write(self._state / "snapshots" / f"{name}.ipynb", "x = 1", *cells),
            "output": self.root / "runs" / f"{name}.ipynb",
            "result": self._state / "journals" / f"{name}.json",
            "log": self._state / "logs" / f"{name}.log",
            "cwd": self.root,
            "parameters": {"x": 2},
            "kernel": "python3",
            "language": "python",
            "secrets": frozenset(),
            "environment": self.environment(name),
            "cpus": 1,
            "memory": None,
            "gpus": 0,
            "timeout": None,
            **changes,
        }
        made = Task(**values)
        for each in (made.output, made.result, made.log):
            each.parent.mkdir(parents=True, exist_ok=True)
        return made

    def command(self, command: str, **changes: Any) -> Command:
        """Make a command of a stage."""
        self._number += 1
        name = f"kit-{self._number}"
        values: dict[str, Any] = {
            "attempt_id": name,
            "command": command,
            "cwd": self.root,
            "log": self._state / "logs" / f"{name}.log",
            "environment": self.environment(name),
            "cpus": 1,
            "memory": None,
            "gpus": 0,
            **changes,
        }
        made = Command(**values)
        made.log.parent.mkdir(parents=True, exist_ok=True)
        return made

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables of an attempt: all of them, or those that are added elsewhere."""
        here = {} if self.executor.remote else dict(os.environ)
        return {**here, ATTEMPT_VARIABLE: name, "VARIABLE_OF_KIT": "yes"}

    async def execute(self, task: Task, seen: Seen | None = None) -> Outcome:
        """Take what a task needs, and have it executed there."""
        async with self.held(Request(cpus=task.cpus, gpus=task.gpus)) as hold:
            return await self.execute_at(hold, task, seen or Seen())

    async def execute_at(self, hold: Hold, task: Task, seen: Seen) -> Outcome:
        """Have a task executed where something is held for it."""
        async with asyncio.timeout(PATIENCE):
            return await self.executor.execute(_placed(task, hold), seen.report)

    async def run(self, command: Command) -> int:
        """Take what a command needs, and have it executed there."""
        async with self.held() as hold, asyncio.timeout(PATIENCE):
            return await self.executor.run(_placed(command, hold))

    @contextlib.asynccontextmanager
    async def held(self, request: Request | None = None) -> AsyncIterator[Hold]:
        """Hold something inside the block, one core unless told otherwise."""
        ledger = self.executor.ledger
        hold = await acquired(ledger, request or Request(cpus=1))
        try:
            yield hold
        finally:
            ledger.release(hold)


async def acquired(ledger: Ledger, request: Request) -> Hold:
    """Take something as soon as it is there, as the scheduler does."""
    told = asyncio.Event()
    ledger.released.append(told.set)
    try:
        async with asyncio.timeout(PATIENCE):
            while not isinstance(hold := ledger.acquire(request), Hold):
                ledger.expect("kit", request, 1)
                # Of what others than us give back we may not be told.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1 if ledger.waiting else PATIENCE):
                        await told.wait()
                told.clear()
    finally:
        ledger.released.remove(told.set)
        ledger.expect("kit", None, 0)
        ledger.content()
    return hold


def printed(path: Path) -> list[str]:
    """Return what each code cell of a notebook printed."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = (cell for cell in notebook.cells if cell.cell_type == "code")
    return ["".join(each.get("text", "") for each in cell.outputs) for cell in code]


def processes_of(attempt_id: str) -> list[psutil.Process]:
    """Return the processes of an attempt on this machine, whoever their parents are."""
    found = []
    for process in psutil.process_iter():
        # It may have ended meanwhile, or belong to somebody else.
        with contextlib.suppress(psutil.Error):
            is_ours = process.environ().get(ATTEMPT_VARIABLE) == attempt_id
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


J = TypeVar("J", Task, Command)


def _placed(job: J, hold: Hold) -> J:
    if hold.gpus:
        variables = {**job.environment, "CUDA_VISIBLE_DEVICES": ",".join(hold.gpus)}
        return replace(job, node=hold.node, environment=variables)
    return replace(job, node=hold.node)


def _write(path: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}
        },
        cells=[
            nbformat.v4.new_code_cell(source, id=f"c{number}")
            for number, source in enumerate(cells)
        ],
    )
    notebook.cells[0].metadata["tags"] = ["parameters"]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path
