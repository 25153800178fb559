"""Spans of time that partitions cover, in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ..core.features import Period, Window

#: The partition of values that have no time.
ALL = "all"
_NAMES = {Period.DAY: "%Y-%m-%d", Period.MONTH: "%Y-%m", Period.YEAR: "%Y"}


def in_utc(time: datetime) -> datetime:
    """Return a time in UTC; one without a zone is taken as such."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def begin(time: datetime, period: Period) -> datetime:
    """Return when the period that a time belongs to begins."""
    day = in_utc(time).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.DAY:
        return day
    return day.replace(day=1) if period is Period.MONTH else day.replace(month=1, day=1)


def following(start: datetime, period: Period) -> datetime:
    """Return when the period after the one that begins at ``start`` does."""
    days = {Period.DAY: 1, Period.MONTH: 31, Period.YEAR: 366}
    return begin(start + timedelta(days=days[period]), period)


def name_of(start: datetime, period: Period) -> str:
    """Return the name of the partition that begins at ``start``."""
    return start.strftime(_NAMES[period])


def widened(window: Window, period: Period) -> Window:
    """Return the window of whole periods that covers one."""
    since = begin(window.since, period) if window.since is not None else None
    until = window.until
    if until is not None:
        start = begin(until, period)
        until = start if start == in_utc(until) else following(start, period)
    return Window(since=since, until=until)


def pieces(window: Window, period: Period) -> Iterator[tuple[datetime, datetime]]:
    """Yield the periods of a window that has both ends."""
    if window.since is None or window.until is None:
        raise ValueError("the window has no end")
    start = begin(window.since, period)
    while start < in_utc(window.until):
        end = following(start, period)
        yield start, end
        start = end


def holds(window: Window, time: datetime) -> bool:
    """Tell whether a time lies in a window."""
    return (window.since is None or window.since <= time) and (
        window.until is None or time < window.until
    )
