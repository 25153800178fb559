"""Whether a model that was built again is the same: its metrics, and what it predicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeGuard

from .values import decode


class Outcome(StrEnum):
    """What came of building a model again."""

    SAME = "same"  #: metrics and predictions are within the tolerance
    DIFFERENT = "different"  #: something is not
    FAILED = "failed"  #: the notebook did not run to its end, or logged no model


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A metric before and now."""

    name: str
    before: Any
    now: Any
    same: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What came of building a version again, and on what it rests."""

    model: str
    version: int
    outcome: Outcome
    tolerance: float
    metrics: tuple[Compared, ...]
    #: Requests whose predictions were compared, and the largest difference; None if none were.
    predictions: int
    largest_difference: float | None
    #: ``here`` or ``recorded``.
    environment: str
    at: datetime
    #: What could not be as it was, a line each.
    remarks: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self) | {"outcome": self.outcome.value, "at": self.at.isoformat()}


def compare_metrics(
    before: Mapping[str, Any], now: Mapping[str, Any], tolerance: float
) -> tuple[Compared, ...]:
    """Compare metrics, as they are encoded, by name; those that are new do not count."""
    return tuple(
        Compared(
            name=name, before=each, now=now.get(name), same=_close(each, now.get(name), tolerance)
        )
        for name, each in before.items()
    )


def largest_difference(before: Any, now: Any) -> float:
    """Return the largest difference of two predictions; infinity where they are not alike."""
    if isinstance(before, Mapping) and isinstance(now, Mapping) and before.keys() == now.keys():
        return max((largest_difference(before[key], now[key]) for key in before), default=0.0)
    if _is_list(before) and _is_list(now) and len(before) == len(now):
        pairs = zip(before, now, strict=True)
        return max((largest_difference(a, b) for a, b in pairs), default=0.0)
    if _is_number(before) and _is_number(now):
        return 0.0 if before == now else abs(float(before) - float(now))
    return 0.0 if before == now else math.inf


def _close(before: Any, now: Any, tolerance: float) -> bool:
    a, b = decode(before), decode(now)
    if not (_is_number(a) and _is_number(b)):
        return bool(a == b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
