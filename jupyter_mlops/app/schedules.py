"""Use cases of schedules, and what becomes of the times at which they are due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import islice

from ..core.exceptions import InvalidInput
from ..core.occasions import Schedule
from ..core.runs import new_id
from ..occasions import cron
from ..store import Store, find
from . import messages as m
from . import unfinished, views
from .projects import Project
from .starting import Starter, describe

#: Times that are shown in advance.
_SHOWN = 3


class ScheduleUseCases:
    """What can be asked of schedules."""

    def __init__(
        self,
        project: Project,
        store: Store,
        starter: Starter,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """``wake`` has the schedules looked at; ``now`` is the clock on the wall."""
        self._project = project
        self._store = store
        self._starter = starter
        self._wake = wake
        self._now = now

    async def add_schedule(self, body: m.ScheduleRequest) -> m.ScheduleView:
        """Start something at certain times."""
        zone = await asyncio.to_thread(cron.own_zone) if body.zone is None else body.zone
        await asyncio.to_thread(cron.parse, body.line, zone)
        action = await self._starter.check(body.action, [])
        schedule_id, now = new_id(), self._now()
        schedule = Schedule(
            id=schedule_id,
            name=body.name or schedule_id,
            line=" ".join(body.line.split()),
            zone=zone,
            missed=body.missed,
            overlap=body.overlap,
            action=action,
            created_at=now,
            decided_until=now,
        )
        await asyncio.to_thread(self._store.occasions.add, schedule)
        unfinished.mark(self._project, True)
        self._wake()
        return await asyncio.to_thread(self._view, schedule)

    async def list_schedules(self) -> list[m.ScheduleView]:
        """List the schedules, oldest first."""
        return await asyncio.to_thread(
            lambda: [self._view(each) for each in self._store.occasions.schedules()]
        )

    async def remove_schedule(self, schedule_id: str) -> m.ScheduleView:
        """Remove a schedule; what it has started goes on."""
        return await asyncio.to_thread(self._remove, schedule_id)

    def _remove(self, wanted: str) -> m.ScheduleView:
        schedule = find(self._store.occasions.schedules(), wanted, "schedule")
        view = self._view(schedule)
        self._store.occasions.remove(schedule)
        return view

    async def list_fires(self, query: m.FiresQuery) -> list[m.FireView]:
        """List what schedules and triggers started, newest first."""
        return await asyncio.to_thread(self._list_fires, query)

    def _list_fires(self, query: m.FiresQuery) -> list[m.FireView]:
        origin = None
        if query.of is not None:
            occasions = self._store.occasions
            schedules = [each for each in occasions.schedules() if query.of in (each.id, each.name)]
            origin = (
                schedules[0].origin
                if schedules
                else find(occasions.triggers(), query.of, "trigger").origin
            )
        found = self._store.occasions.fires(origin, limit=query.limit, offset=query.offset)
        return [views.fire(each) for each in found]

    def upcoming(self) -> m.UpcomingView | None:
        """Return what is started next."""
        now = self._now()
        soonest = min(
            (
                (due, schedule)
                for schedule in self._store.occasions.schedules()
                for due in next_dues(schedule, now, 1)
            ),
            key=lambda each: each[0],
            default=None,
        )
        if soonest is None:
            return None
        due, schedule = soonest
        return m.UpcomingView(
            id=schedule.id,
            name=schedule.name,
            command=describe(schedule.action),
            at=due,
            zone=schedule.zone,
        )

    def _view(self, schedule: Schedule) -> m.ScheduleView:
        last = self._store.occasions.fires(schedule.origin, limit=1)
        return m.ScheduleView(
            **views.shared(schedule, m.ScheduleView),
            command=describe(schedule.action),
            next=next_dues(schedule, self._now(), _SHOWN),
            last=views.fire(last[0]) if last else None,
        )


def next_dues(schedule: Schedule, now: datetime, number: int) -> list[datetime]:
    """Return the next times; none if the schedule's zone is known no longer."""
    try:
        line = cron.parse(schedule.line, schedule.zone)
    except InvalidInput:
        return []
    found = (due.at for due in line.dues(now) if not due.left_out)
    return list(islice(found, number))
