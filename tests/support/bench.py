"""A scheduler on in-memory engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.recorder import Recorder
from jupyter_mlops.app.scheduler import Scheduler
from jupyter_mlops.core.executors import Executor, Outcome, Task
from jupyter_mlops.core.ports import Searcher
from jupyter_mlops.core.resources import Capacity
from jupyter_mlops.core.runs import Status, Sweep
from jupyter_mlops.execution.slots import Slots
from jupyter_mlops.search import open_searcher
from jupyter_mlops.store import Store
from jupyter_mlops.testing import InMemoryExecutor, InMemoryRegistry, InMemoryTracker
from tests.support.records import a_machine, a_sweep

OpenSearcher = Callable[[Sweep], Searcher]


class Bench:
    """A scheduler with everything around it in memory, but for a small database."""

    def __init__(
        self,
        folder: Path,
        machine: Capacity,
        executor: InMemoryExecutor,
        searcher: OpenSearcher = open_searcher,
        others: Mapping[str, Executor] = MappingProxyType({}),
    ) -> None:
        (folder / "mlops.toml").touch()
        project = find_project(folder)
        (project.state / "logs").mkdir(parents=True, exist_ok=True)
        self.store = Store(project.id, url=None, state=project.state)
        self.tracker = InMemoryTracker()
        self.executor = executor
        self.slots = executor.ledger = Slots(folder, project.id, machine=machine)
        self.recorder = Recorder(
            self.store,
            lambda: self.tracker,
            lambda: InMemoryRegistry(self.tracker),
            lambda _: None,
            while_away=lambda *_: {},
        )
        self.scheduler = Scheduler(
            project,
            self.store,
            self.recorder,
            {"local": executor, **others},
            worker="w",
            fence=1,
            open_searcher=searcher,
        )

    def submit(self, number: int, **changes: Any) -> Sweep:
        """Queue a sweep."""
        sweep = a_sweep(total=number, **changes)
        chosen = sweep.search is None
        self.store.queue.submit(sweep, ({"x": x} if chosen else {} for x in range(number)))
        self.scheduler.wake()
        return sweep

    def finished(self, sweep: Sweep) -> int:
        """Count the runs of a sweep that have ended."""
        return sweep.total - self.store.history.tallies([sweep.id])[sweep.id].unfinished

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a change of the store that makes the condition true."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        self.store.listeners.append(lambda: loop.call_soon_threadsafe(changed.set))
        while not condition():
            await changed.wait()
            changed.clear()

    async def done(self, sweep: Sweep) -> dict[Status, int]:
        """Wait until all runs of a sweep have ended."""
        await self.until(lambda: not self.store.history.tallies([sweep.id])[sweep.id].unfinished)
        while self.scheduler.running and not self.executor.running:
            await asyncio.gather(*self.scheduler._tasks)
        return self.store.history.tallies([sweep.id])[sweep.id].counts


@asynccontextmanager
async def bench(
    folder: Path,
    *,
    cores: int = 2,
    machine: Capacity | None = None,
    decide: Callable[[Task], Outcome] | None = None,
    searcher: OpenSearcher = open_searcher,
    others: Mapping[str, Executor] | None = None,
) -> AsyncIterator[Bench]:
    """Run a scheduler and its recorder for a while, maybe with other executors."""
    machine = machine or a_machine(cores)
    made = Bench(folder, machine, InMemoryExecutor(decide), searcher, others or {})
    loops = [asyncio.create_task(each) for each in (made.scheduler.run(), made.recorder.run())]
    yield made
    for each in loops:
        each.cancel()
    results = await asyncio.gather(*loops, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in results), results
    await made.scheduler.close()
    await made.recorder.close()
    made.store.close()
