"""The progress of attempts on its way to the store, gathered for a moment from all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..core.executors import CellStarted, KernelStarted, MetricsLogged, Progress, Stopping
from ..core.runs import Attempt, MetricPoint, ProcessIdentity
from ..store import Step, Store

#: Seconds for which progress is gathered: each writing costs a transaction.
GATHER = 0.05

#: Is told the metric values of an attempt when they have been stored.
Listener = Callable[[Sequence[MetricPoint]], Awaitable[None]]


@dataclass(slots=True)
class _Followed:
    """An attempt whose progress is written."""

    step: Step
    stored: Listener
    processes: tuple[ProcessIdentity, ...] = ()
    cell: int | None = None


class ProgressWriter:
    """Writes the progress of attempts, several of them in one transaction."""

    def __init__(
        self, store: Store, write: Callable[[Callable[[], None]], Awaitable[None]]
    ) -> None:
        """``write`` carries out what writes to the store, for as long as that takes."""
        self._store = store
        self._write = write
        self._followed: dict[str, _Followed] = {}
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def follow(self, attempt: Attempt, stored: Listener) -> None:
        """Begin to take the progress of an attempt. ``stored`` is told of its metrics."""
        self._followed[attempt.id] = _Followed(Step(attempt), stored)

    def note(self, attempt: Attempt, progress: Progress) -> None:
        """Have something written soon. What is overtaken meanwhile is left out."""
        followed = self._followed[attempt.id]
        step = followed.step
        match progress:
            case KernelStarted(process=process, start=start, cells=cells):
                followed.processes += (process,)
                step.processes, step.start, step.cells = followed.processes, start, cells
            case CellStarted(cell=cell):
                step.cell = followed.cell = cell
            case Stopping(stage=stage):
                step.stopping = stage
            case MetricsLogged(points=points, refused=refused):
                step.logged += [(followed.cell, point) for point in points]
                step.notes += refused
            case _:
                return
        self._write_soon()

    def note_tracked(self, attempt: Attempt, mlflow_run_id: str) -> None:
        """Have the tracker's id of an attempt written soon."""
        self._followed[attempt.id].step.mlflow_run_id = mlflow_run_id
        self._write_soon()

    async def settle(self, attempt: Attempt) -> Step:
        """Follow an attempt no more, and return what is not written of it. Its metrics are."""
        followed = self._followed[attempt.id]
        async with self._writing:  # what is being written may be of this attempt
            if followed.step.logged:
                await self._write_all()
        self.forget(attempt)
        return followed.step

    def forget(self, attempt: Attempt) -> None:
        """Follow an attempt no more, and write nothing more of it."""
        self._followed.pop(attempt.id, None)

    async def close(self) -> None:
        """Write nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _write_soon(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._gather())

    async def _gather(self) -> None:
        while any(not each.step.is_empty for each in self._followed.values()):
            await asyncio.sleep(GATHER)
            async with self._writing:
                await self._write_all()

    async def _write_all(self) -> None:
        batch = [each for each in self._followed.values() if not each.step.is_empty]
        steps = [each.step for each in batch]
        for each in batch:
            each.step = Step(each.step.attempt)
        if steps:
            await self._write(lambda: self._store.progress.write(steps))
        for step, each in zip(steps, batch, strict=True):
            if step.logged:
                await each.stored([point for _, point in step.logged])
