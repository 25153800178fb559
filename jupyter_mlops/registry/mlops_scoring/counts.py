"""How many requests there were, and how long they took."""

from __future__ import annotations

import math
from collections import deque

#: Requests whose times are remembered; refusals, which are quicker, tell nothing.
_REMEMBERED = 2_000


class Counts:
    """Requests of an endpoint's process. For one event loop."""

    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0
        #: Requests that are being answered.
        self.active = 0
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def note(self, seconds: float, *, failed: bool) -> None:
        """Count a request that has been answered."""
        self.requests += 1
        self.failures += failed
        if not failed:
            self._seconds.append(seconds)

    def record(self) -> dict[str, float | int | None]:
        """Return the counts, and within how many seconds a half and 95 % were predicted."""
        ordered = sorted(self._seconds)
        return {
            "requests": self.requests,
            "failures": self.failures,
            "active": self.active,
            "p50": _quantile(ordered, 0.5),
            "p95": _quantile(ordered, 0.95),
        }


def _quantile(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
