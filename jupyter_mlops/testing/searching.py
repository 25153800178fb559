"""A searcher that asks for what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..core.exceptions import SearchFailed
from ..core.search import Standing
from ..core.values import Value


class InMemorySearcher:
    """Asks for given points, one after the other, and stops the runs that it is told to stop."""

    def __init__(
        self,
        points: Iterable[dict[str, Value]] = (),
        lags: Callable[[int, float], bool] = lambda _step, _value: False,
    ) -> None:
        """``lags`` tells by step and value which runs are stopped; it fails without points."""
        self._points = list(points)
        self._lags = lags
        #: What each run was given, has reported, and ended with.
        self.asked: dict[int, Mapping[str, Value]] = {}
        self.reported: dict[int, list[tuple[int, float]]] = {}
        self.told: dict[int, float | None] = {}
        self.pruned: set[int] = set()

    def ask(self, index: int) -> dict[str, Value]:
        """Choose the next point. Raises `SearchFailed` if there is none left."""
        if len(self.asked) >= len(self._points):
            raise SearchFailed
        point = self._points[len(self.asked)]
        self.asked[index] = point
        return dict(point)

    def add(self, index: int, parameters: Mapping[str, Value]) -> None:
        """Take note of a run whose parameters were chosen before."""
        self.asked[index] = parameters

    def report(self, index: int, step: int, value: float) -> Standing | None:
        """Take note of a value; stop the run if it lags."""
        known = self.reported.setdefault(index, [])
        known.append((step, value))
        if not self._lags(step, value):
            return None
        return Standing(step=step, value=value, rank=2, of=2)

    def tell(self, index: int, value: float | None, *, pruned: bool = False) -> None:
        """Take note of the end of a run."""
        self.told[index] = value
        if pruned:
            self.pruned.add(index)
