"""When a schedule is due: local times in a zone whose clocks are put forward and back.

A line that names an hour and a minute means the clock on the wall. A local time that is left out
when clocks are put forward is not due; one that comes twice is due once, at the first. A line whose
hour or minute begins with a star goes by real time through both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

#: Yields the local times of a line that follow one, without a zone.
LocalTimes = Callable[[datetime], Iterator[datetime]]

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A time at which a schedule is due."""

    #: In UTC. Of a local time that was left out, the moment at which clocks were put forward.
    at: datetime
    #: As the clock on the wall shows it.
    local: datetime
    #: Whether clocks were put forward past it, so that nothing is started.
    left_out: bool = False


def dues(times: LocalTimes, zone: ZoneInfo, after: datetime, *, real: bool) -> Iterator[Due]:
    """Yield the times that follow a moment; ``real`` if the line goes by real time."""
    return _by_real_time(times, zone, after) if real else _by_the_wall(times, zone, after)


def _by_the_wall(times: LocalTimes, zone: ZoneInfo, after: datetime) -> Iterator[Due]:
    # Clocks may have been put back a moment ago: from a day earlier on nothing is overlooked.
    for local in times(_local(after, zone) - _DAY):
        at = local.replace(tzinfo=zone).astimezone(UTC)
        due = Due(at, local)
        if _local(at, zone) != local:
            due = Due(_next_change(zone, at - _DAY, at + _DAY) or at, local, left_out=True)
        if due.at > after:
            yield due


def _by_real_time(times: LocalTimes, zone: ZoneInfo, after: datetime) -> Iterator[Due]:
    """Go from one change of the clocks to the next: between them the wall shows real time."""
    moment, start = after, _local(after, zone)
    while True:
        offset, change = _offset(zone, moment), None
        for local in times(start):
            at = local.replace(tzinfo=UTC) - offset
            change = _next_change(zone, moment, at)
            if change is not None:
                break
            moment = at
            yield Due(at, local)
        if change is None:
            return
        # The moment of the change itself is the first one that counts by the new offset.
        moment, start = change, _local(change, zone) - _SECOND


def _next_change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime | None:
    """Return the first moment after ``start``, up to ``end``, at which the offset is another."""
    low, offset = start, _offset(zone, start)
    while low < end:
        high = min(low + _DAY, end)
        if _offset(zone, high) != offset:
            return _bisect(zone, low, high)
        low = high
    return None


def _bisect(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    offset = _offset(zone, low)
    while high - low > _SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
