"""What becomes of the times at which a schedule is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from .dues import Due
from .occasions import LATE, Fire, FireState, Missed, Overlap, Schedule
from .runs import new_id

#: Times that are counted; of more, only that they were more is told.
COUNTED = 10_000


def decide(
    schedule: Schedule,
    dues: Iterable[Due],
    now: datetime,
    *,
    running: str | None,
    waiting: bool,
) -> list[Fire]:
    """Return what becomes of the times that are due by now, those that were missed included.

    ``dues`` are those after the last decision. ``running`` names what the schedule has started and
    what has not ended, ``waiting`` tells whether something waits for its end.
    """
    found = list(islice(takewhile(lambda due: due.at <= now, dues), COUNTED + 1))
    fires = [_skipped(schedule, due.at, now, _left_out(due)) for due in found if due.left_out]
    times = [due.at for due in found if not due.left_out]
    late = [at for at in times if now - at > LATE]
    wanted = [_fire(schedule, FireState.CLAIMED, at, now, "") for at in times[len(late) :]]
    if late:
        told = _missed(schedule, late)
        if wanted or schedule.missed is Missed.SKIP:
            fires.append(_skipped(schedule, late[-1], now, told, len(late)))
        else:
            reason = f"{told} This makes up for it."
            wanted = [_fire(schedule, FireState.CLAIMED, late[-1], now, reason, len(late))]
    for fire in wanted:
        placed = _placed(schedule, fire, running, waiting=waiting)
        waiting = waiting or placed.state is FireState.WAITING
        running = running or placed.id
        fires.append(placed)
    return fires


def _placed(schedule: Schedule, fire: Fire, running: str | None, *, waiting: bool) -> Fire:
    """Return the fire as it is once the overlap with what still runs was considered."""
    state, reason = fire.state, fire.reason
    if running is not None and schedule.overlap is Overlap.SKIP:
        state, reason = FireState.SKIPPED, f"The last one, {running}, still runs."
    elif running is not None and waiting:
        state, reason = FireState.SKIPPED, f"One waits already for the end of {running}."
    elif running is not None:
        state, reason = FireState.WAITING, f"It waits for the end of {running}."
    told = reason if reason == fire.reason else f"{fire.reason} {reason}".strip()
    return replace(fire, state=state, reason=told)


def _left_out(due: Due) -> str:
    return f"{due.local:%H:%M} did not exist on {due.local:%Y-%m-%d}: clocks were put forward."


def _missed(schedule: Schedule, late: list[datetime]) -> str:
    first, last = (_local(schedule, each) for each in (late[0], late[-1]))
    if len(late) == 1:
        return f"No worker ran, or the machine slept, at {first}."
    number = f"more than {COUNTED:,}" if len(late) > COUNTED else f"{len(late):,}"
    return f"No worker ran, or the machine slept, at {number} times from {first} to {last}."


def _local(schedule: Schedule, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(schedule.zone)):%Y-%m-%d %H:%M}"


def _skipped(schedule: Schedule, due: datetime, now: datetime, reason: str, count: int = 1) -> Fire:
    return _fire(schedule, FireState.SKIPPED, due, now, reason, count)


def _fire(
    schedule: Schedule,
    state: FireState,
    due: datetime,
    now: datetime,
    reason: str,
    count: int = 1,
) -> Fire:
    return Fire(
        id=new_id(),
        origin=schedule.origin,
        state=state,
        reason=reason,
        due=due,
        time=now,
        count=count,
        chain=(schedule.origin,),
    )
