"""What attempts under way are doing right now: kept in memory, neither stored nor sent around."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ..core.executors import CellFinished, CellStarted, KernelStarted, OutputTail, Progress
from ..core.runs import Attempt


@dataclass(slots=True)
class Activity:
    """An attempt under way. Times are of a monotonic clock."""

    attempt: Attempt
    began: float
    #: Number of code cells, once the kernel runs.
    cells: int | None = None
    #: The code cell that is executed, or was last, from 1.
    cell: int | None = None
    cell_began: float | None = None
    #: The last lines that the cell printed.
    text: str = ""
    #: Seconds that each code cell took that has ended, in order.
    cell_times: list[float] = field(default_factory=list)

    def note(self, progress: Progress) -> None:
        """Take note of progress."""
        match progress:
            case KernelStarted(cells=cells):
                self.cells = cells
            case CellStarted(cell=cell):
                self.cell, self.cell_began, self.text = cell, time.monotonic(), ""
            case OutputTail(cell=cell, text=text):
                if cell == self.cell:
                    self.text = text
            case CellFinished(seconds=seconds):
                self.cell_times.append(seconds)
                self.cell_began = None


class Live:
    """The attempts under way."""

    def __init__(self) -> None:
        self._by_run: dict[str, Activity] = {}

    def begin(self, attempt: Attempt) -> Activity:
        """Begin to watch an attempt."""
        made = self._by_run[attempt.run_id] = Activity(attempt, time.monotonic())
        return made

    def end(self, activity: Activity) -> None:
        """Forget an attempt."""
        if self._by_run.get(activity.attempt.run_id) is activity:
            del self._by_run[activity.attempt.run_id]

    def of(self, run_id: str) -> Activity | None:
        """Return what a run is doing; None if no attempt of it is under way here."""
        return self._by_run.get(run_id)
