"""What a runner leaves of an attempt for the case that its worker does not hear how it ended."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..core.executors import CellStarted, MetricsLogged, Outcome, Progress
from ..core.files import write_atomically
from ..core.runs import MetricPoint

#: So many metric values a worker may not have stored yet when it is killed.
_KEPT = 10_000

#: A metric value, with the cell that logged it.
Logged = tuple[int | None, MetricPoint]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How an attempt ended, and what it logged last."""

    outcome: Outcome
    #: Number of metric values that were logged, and the last of them.
    count: int = 0
    last: tuple[Logged, ...] = ()

    def unknown(self, known: int) -> list[Logged]:
        """Return the values that somebody lacks who knows the first ones."""
        lacking = max(self.count - known, 0)
        return list(self.last[-lacking:]) if lacking else []


class Log:
    """Remembers the metric values that an attempt has logged last."""

    def __init__(self) -> None:
        self._cell: int | None = None
        self._count = 0
        self._last: deque[Logged] = deque(maxlen=_KEPT)

    def note(self, progress: Progress) -> None:
        """Take note of progress."""
        match progress:
            case CellStarted(cell=cell):
                self._cell = cell
            case MetricsLogged(points=points):
                self._count += len(points)
                self._last.extend((self._cell, point) for point in points)

    def result(self, outcome: Outcome) -> Result:
        """Return what is left of the attempt."""
        return Result(outcome=outcome, count=self._count, last=tuple(self._last))


def write(path: Path, result: Result) -> None:
    """Leave a result. Raises `OSError`."""
    write_atomically(path, msgspec.msgpack.encode(result))


def read(path: Path) -> Result | None:
    """Return a result that was left; None if there is none, or it cannot be read."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError):
        return None
