"""How numbers, times, sizes and states are written, the same in every table and line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from .runs import Reason, Status
from .values import Value, decode, text

#: Each state's shape. The word stands beside it: colour alone tells nothing.
MARKS: Mapping[Status, str] = {
    Status.QUEUED: "○",
    Status.RUNNING: "◐",
    Status.SUCCEEDED: "✓",
    Status.FAILED: "✗",
    Status.CANCELLED: "⊘",
}

_DECIMAL_FROM = 1e-4
_DECIMAL_BELOW = 1e7
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def number(value: float) -> str:
    """Write a number with at most four significant digits; whole numbers keep all of theirs."""
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < _DECIMAL_BELOW:
        return str(int(value))
    if 1000 <= abs(value) < _DECIMAL_BELOW:
        return f"{value:.0f}"
    if _DECIMAL_FROM <= abs(value) < 1000:
        return f"{value:.{3 - math.floor(math.log10(abs(value)))}f}".rstrip("0").rstrip(".")
    return f"{value:.4g}"


def value(encoded: Value, *, limit: int = 30) -> str:
    """Write an encoded parameter or metric for a table; nothing stays empty."""
    plain = decode(encoded)
    if isinstance(plain, float):
        return number(plain)
    return text(plain, limit=limit)


def pairs(encoded: Mapping[str, Value], *, limit: int = 60) -> str:
    """Write parameters as ``depth=3 rate=0.1``, cut after ``limit`` characters."""
    shown = " ".join(f"{name}={value(each)}" for name, each in encoded.items())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def duration(seconds: float | None) -> str:
    """Write seconds as ``4.2 s``, ``3 min 10 s`` or ``2 h 5 min``; None as nothing."""
    if seconds is None:
        return ""
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 2 * 86_400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return _two(whole // 86_400, "d", whole % 86_400 // 3600, "h")


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large} {unit} {small} {small_unit}" if small else f"{large} {unit}"


def remaining(seconds: float | None) -> str:
    """Write an estimate of the time left, such as ``~20 s left``; None as nothing."""
    if seconds is None:
        return ""
    return f"~{about(seconds)} left"


def about(seconds: float) -> str:
    """Write an estimate of some time, such as ``20 s``."""
    rounded = max(1, round(seconds)) if seconds < 10 else round(seconds / 5) * 5
    return f"{rounded} s" if rounded < 100 else duration(rounded)


def size(count: int) -> str:
    """Write bytes as ``20.6 MB``."""
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    digits = 0 if unit == 0 or amount >= 99.95 else 1
    return f"{amount:.{digits}f} {_UNITS[unit]}"


def ago(time: datetime | None, now: datetime | None = None) -> str:
    """Write a time as ``2 min ago``; None as nothing."""
    if time is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - time).total_seconds()
    for step, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= step:
            return f"{int(seconds // step)} {unit} ago"
    return "just now"


def counted(count: int, noun: str) -> str:
    """Write ``1 run`` or ``12 runs``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def state(
    status: Status,
    *,
    cell: int | None = None,
    cells: int | None = None,
    reason: Reason | None = None,
) -> str:
    """Write a state as shape and word; a running one with the cell that it is at."""
    word = str(Reason.PRUNED if reason is Reason.PRUNED else status)
    if status is Status.RUNNING and cell and cells:
        word = f"cell {cell}/{cells}"
    return f"{MARKS[status]} {word}"
