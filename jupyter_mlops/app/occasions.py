"""Watches clocks, files, aliases and runs, and starts what schedules and triggers ask for.

Only the worker that holds the lease decides. What is due is claimed first, together with the note
that it was decided; then it is started by an id that was chosen before. So what a killed worker had
claimed is started by the next one, and not twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from ..core.exceptions import InvalidInput, LeaseLost, MlopsError, StoreUnavailable
from ..core.notices import Notice, NoticeKind
from ..core.occasions import SET_BACK, Fire, FireState, Schedule, Trigger, TriggerKind
from ..core.policies import decide
from ..core.runs import Status
from ..execution.processes import identify, is_alive
from ..occasions import cron
from ..store import OCCASIONS, Store
from .notifying import Notifier
from .projects import Project
from .recorder import Recorder
from .starting import Starter, describe
from .triggers import OF_ENDINGS
from .watching import Watch

log = logging.getLogger(__name__)

#: Seconds after which the clock is looked at again at the latest: it may have been set, and the
#: machine may have slept.
LONGEST = 60.0
#: Seconds between two looks, however much happens.
_SHORTEST = 0.5
#: Seconds between two renewals of the lease, and two tries to get it.
_RENEW_EVERY = 10.0

#: Triggers that the store's events may set off.
_BY_EVENTS = (*OF_ENDINGS, TriggerKind.ALIAS)


def wall() -> datetime:
    """Return what the clock on the wall says."""
    return datetime.now(UTC)


class Occasions:
    """The loop that starts what is due."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        starter: Starter,
        notifier: Notifier,
        draining: Callable[[], bool],
        now: Callable[[], datetime] = wall,
    ) -> None:
        self._store = store
        self._starter = starter
        self._notifier = notifier
        self._watch = Watch(project, store, recorder, self.wake, now)
        self._draining = draining
        self._now = now
        self._wake = asyncio.Event()
        self._fence: int | None = None
        #: Whether changes in the store may set something off.
        self._listens = False
        self._loop = asyncio.get_running_loop()
        store.listeners.append(self._changed)

    def wake(self) -> None:
        """Look again at once; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._wake.set)

    def _changed(self) -> None:
        if self._listens:
            self.wake()

    async def run(self) -> None:
        """Decide and start until cancelled."""
        renewing = asyncio.create_task(self._renew())
        try:
            while True:
                pause = await self._look_safely()
                await asyncio.sleep(_SHORTEST)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, pause - _SHORTEST)):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            renewing.cancel()
            await self._watch.close()
            if self._fence is not None:
                with contextlib.suppress(StoreUnavailable):
                    self._store.leases.release(OCCASIONS, self._fence)

    async def _look_safely(self) -> float:
        try:
            return await self.look()
        except LeaseLost:
            self._fence = None
        except StoreUnavailable as error:
            log.warning("Schedules and triggers wait: %s", error.message)
        return _RENEW_EVERY

    async def look(self) -> float:
        """Decide what is due and start it; return the seconds until something may be due."""
        if self._draining():
            return LONGEST
        schedules = await asyncio.to_thread(self._store.occasions.schedules)
        triggers = await asyncio.to_thread(self._store.occasions.triggers)
        if not schedules and not triggers:
            self._listens = False
            await self._watch.close()
            return LONGEST
        fence = await asyncio.to_thread(self._lead)
        if fence is None:
            return _RENEW_EVERY
        pauses = [LONGEST]
        pauses += [await asyncio.to_thread(self._decide, each, fence) for each in schedules]
        pauses.append(await self._watch.look(triggers, fence))
        waits = await self._start([*schedules, *triggers])
        self._listens = waits or any(each.kind in _BY_EVENTS for each in triggers)
        return max(0.0, min(pauses))

    # -- the lease ---------------------------------------------------------------------------------

    def _lead(self) -> int | None:
        if self._fence is None:
            self._fence = self._store.leases.acquire(OCCASIONS, identify(os.getpid()), is_alive)
        return self._fence

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_EVERY)
            if self._fence is None:
                continue
            try:
                await asyncio.to_thread(self._store.leases.renew, OCCASIONS, self._fence)
            except LeaseLost:
                self._fence = None
            except StoreUnavailable as error:
                log.warning("Schedules and triggers wait: %s", error.message)

    # -- schedules ---------------------------------------------------------------------------------

    def _decide(self, schedule: Schedule, fence: int) -> float:
        """Claim what is due; return the seconds until the next time."""
        now = self._now()
        after = schedule.decided_until
        try:
            line = cron.parse(schedule.line, schedule.zone)
        except InvalidInput as error:
            log.warning("Schedule %s waits: %s", schedule.id, error.message)
            return LONGEST
        if after - now > SET_BACK:
            log.warning("The clock was set back: schedule %s goes on from now.", schedule.id)
            self._store.occasions.decide(schedule, now, [], fence=fence)
            after = now
        first = next(line.dues(after), None)
        if first is not None and first.at <= now:
            waiting = any(
                each.origin == schedule.origin and each.state is FireState.WAITING
                for each in self._store.occasions.open()
            )
            running = self._running(schedule.origin)
            fires = decide(schedule, line.dues(after), now, running=running, waiting=waiting)
            self._store.occasions.decide(schedule, now, fires, fence=fence)
            first = next(line.dues(now), None)
        return LONGEST if first is None else (first.at - now).total_seconds()

    def _running(self, origin: str) -> str | None:
        """Return what was started last, or is about to be, unless it has ended."""
        last = self._store.occasions.last_started(origin)
        if last is None or last.state is FireState.CLAIMED:
            return None if last is None else last.id
        kind, started = last.kind, last.started
        runs = kind and started and self._store.causes.is_running(kind, started)
        return started if runs else None

    # -- starting ----------------------------------------------------------------------------------

    async def _start(self, known: Sequence[Schedule | Trigger]) -> bool:
        """Start what was claimed; return whether something waits for the end of something."""
        actions = {each.origin: each.action for each in known}
        waits = False
        for fire in await asyncio.to_thread(self._store.occasions.open):
            if fire.origin not in actions:
                continue
            if fire.state is FireState.WAITING:
                running = await asyncio.to_thread(self._running, fire.origin)
                if running is not None:
                    waits = True
                    continue
            await self._start_one(fire, actions[fire.origin])
        return waits

    async def _start_one(self, fire: Fire, action: dict[str, object]) -> None:
        state, reason, kind, started = FireState.STARTED, fire.reason, None, None
        try:
            kind, started = await self._starter.start(fire, action)
        except (StoreUnavailable, LeaseLost):
            raise
        except (MlopsError, msgspec.ValidationError) as error:
            if self._draining():
                return  # The next worker starts it.
            message = error.message if isinstance(error, MlopsError) else str(error)
            state, reason = FireState.FAILED, f"{fire.reason} {message}".strip()
            log.warning("%s could not start: %s", fire.origin, message)
            await self._notifier.tell(_unstarted(fire, action, message))
        await asyncio.to_thread(
            self._store.occasions.settle, fire, state, reason=reason, kind=kind, started=started
        )


def _unstarted(fire: Fire, action: dict[str, object], error: str) -> Notice:
    """Return what is told of something that could not even begin."""
    command = "schedules" if fire.origin.startswith("schedule:") else "triggers"
    return Notice(
        kind=NoticeKind.SCHEDULE,
        name=describe(action),
        status=Status.FAILED,
        error=error,
        look=f"jupyter mlops {command} list",
        origin=fire.origin,
    )
