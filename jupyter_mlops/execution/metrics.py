"""Reading metrics out of what a notebook displays."""

from __future__ import annotations

from typing import Any

import msgspec

from ..core import values
from ..core.exceptions import MlopsError
from ..core.executors import MetricsLogged
from ..core.runs import MetricPoint, check_point

#: The display type by which a notebook in any language logs metrics.
METRICS_TYPE = "application/vnd.jupyter-mlops.metrics.v1+json"

#: What is no metric is told, but not without end.
_MOST_TOLD = 10


class MetricsReader:
    """Takes new metric points out of displays, which keep the last values."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def take(self, data: dict[str, Any]) -> MetricsLogged | None:
        """Return the points of a display and what is wrong with others; None if there are none."""
        payload = data.get(METRICS_TYPE)
        raw = payload.pop("points", None) if isinstance(payload, dict) else None
        read = [_read(item) for item in raw] if isinstance(raw, list) else []
        points = tuple(each for each in read if isinstance(each, MetricPoint))
        refused = tuple(self._new(each for each in read if isinstance(each, str)))
        return MetricsLogged(points=points, refused=refused) if points or refused else None

    def _new(self, lines: Any) -> list[str]:
        """Return the lines that were not told yet."""
        found = [each for each in dict.fromkeys(lines) if each not in self._told]
        found = found[: max(0, _MOST_TOLD - len(self._told))]
        self._told.update(found)
        return found


def _read(item: Any) -> MetricPoint | str:
    """Return a metric point, or why it is none, in one line."""
    name = item.get("key") if isinstance(item, dict) else None
    try:
        point = msgspec.convert(values.decode(item), MetricPoint, strict=False)
    except (msgspec.ValidationError, MlopsError, OverflowError) as error:
        line = str(error).partition("\n")[0]
        return f"A value of the metric {values.quote(str(name))} was left out: {line}."
    problem = check_point(point)
    return point if problem is None else f"A metric value was left out: {problem}"
