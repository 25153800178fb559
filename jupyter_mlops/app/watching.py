"""What triggers wait for: files that change, aliases, and the ends of runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ..core.exceptions import InvalidInput, TrackingUnavailable
from ..core.occasions import Fire, FireState, Trigger, TriggerKind, refusal
from ..core.runs import Status, new_id
from ..occasions.files import Fingerprints, notices
from ..store import Ended, Store, network_file_system
from .projects import Project
from .recorder import Recorder
from .triggers import OF_ENDINGS, has_ended_so

log = logging.getLogger(__name__)

#: Seconds without a further change after which files are looked at, and at most until then.
QUIET = 2.0
_LONGEST = 60.0

#: Seconds between two looks at aliases, and at files whose changes were not told.
ASK_EVERY = 30.0
_RESCAN = 60.0

#: Events after which it is noted how far they were read, though none of them mattered.
_FAR = 500

#: Files that a reason names.
_NAMED = 3

_VERBS = {
    Status.SUCCEEDED: "has succeeded",
    Status.FAILED: "has failed",
    Status.CANCELLED: "was cancelled",
}


class Watch:
    """Finds out what sets off triggers, and notes it together with what follows."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        self._wake = wake
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._prints: dict[str, Fingerprints] = {}
        #: When a file trigger is looked at next, and the first change since the last look.
        self._look_at: dict[str, float] = {}
        self._since: dict[str, float] = {}
        self._asked: dict[str, tuple[float, datetime]] = {}
        #: Number of the last event that was read for each trigger.
        self._read: dict[str, int] = {}
        #: When a model was changed, and what has ended, since the last look.
        self._models_changed: datetime | None = None
        self._ended_now: list[Ended] = []

    async def look(self, triggers: Sequence[Trigger], fence: int) -> float:
        """Look at what triggers wait for; return the seconds until the next look."""
        self._follow_files([each for each in triggers if each.kind is TriggerKind.FILE])
        await self._look_at_events(triggers, fence)
        pauses = [_RESCAN]
        for trigger in triggers:
            if trigger.kind is TriggerKind.FILE:
                pauses.append(await self._look_at_files(trigger, fence))
            elif trigger.kind is TriggerKind.ALIAS:
                pauses.append(await self._look_at_alias(trigger, fence))
        self._models_changed = None
        self._ended_now = []
        return min(pauses)

    async def close(self) -> None:
        """Watch nothing any more."""
        for task in self._watches.values():
            task.cancel()
        await asyncio.gather(*self._watches.values(), return_exceptions=True)
        self._watches.clear()

    # -- files -------------------------------------------------------------------------------------

    def _follow_files(self, triggers: Sequence[Trigger]) -> None:
        wanted = {each.id: each for each in triggers}
        for trigger_id in self._watches.keys() - wanted.keys():
            self._watches.pop(trigger_id).cancel()
            for known in (self._prints, self._look_at, self._since):
                known.pop(trigger_id, None)
        for trigger_id, trigger in wanted.items():
            if trigger_id not in self._watches:
                self._prints[trigger_id] = Fingerprints(self._project.root)
                self._look_at[trigger_id] = self._loop.time()
                self._watches[trigger_id] = asyncio.create_task(self._notice(trigger))

    async def _notice(self, trigger: Trigger) -> None:
        """Note that files may have changed; without this they are looked at now and then."""
        poll = network_file_system(self._project.root) is not None
        try:
            async for _ in notices(self._project.root, trigger.subject, poll=poll):
                first = self._since.setdefault(trigger.id, self._loop.time())
                quiet = self._loop.time() + QUIET
                self._look_at[trigger.id] = min(quiet, first + _LONGEST)
                self._wake()
        except (OSError, RuntimeError) as error:
            log.warning("Trigger %s looks at its files every minute: %s", trigger.id, error)

    async def _look_at_files(self, trigger: Trigger, fence: int) -> float:
        pause = self._look_at[trigger.id] - self._loop.time()
        if pause > 0:
            return pause
        self._look_at[trigger.id] = self._loop.time() + _RESCAN
        self._since.pop(trigger.id, None)
        await asyncio.to_thread(self._compare, trigger, fence)
        return _RESCAN

    def _compare(self, trigger: Trigger, fence: int) -> None:
        try:
            found = self._prints[trigger.id].of(trigger.subject)
        except InvalidInput as error:
            log.warning("Trigger %s: %s", trigger.id, error.message)
            return
        before = trigger.state or {}
        changed = sorted(
            name for name in before.keys() | found.keys() if before.get(name) != found.get(name)
        )
        if changed:
            times = [self._changed_at(name) for name in changed]
            fire = self._fire(trigger, _about(changed, before, found), min(times), max(times))
            self._store.occasions.advance(trigger, found, [fire], fence=fence)

    def _changed_at(self, name: str) -> datetime:
        """Return when a file changed, or about when it went."""
        try:
            facts = (self._project.root / name).stat()
        except OSError:
            return self._now() - timedelta(seconds=QUIET)
        return datetime.fromtimestamp(max(facts.st_mtime, facts.st_ctime), UTC)

    # -- aliases -----------------------------------------------------------------------------------

    async def _look_at_alias(self, trigger: Trigger, fence: int) -> float:
        asked, since = self._asked.get(trigger.id, (0.0, self._now()))
        pause = asked + ASK_EVERY - self._loop.time()
        if self._models_changed is not None:
            since = max(since, self._models_changed)
        elif asked and pause > 0 and not await asyncio.to_thread(self._own_ended, trigger):
            return pause
        name, _, alias = trigger.subject.rpartition("@")
        try:
            version = await self._recorder.call(lambda _, registry: registry.aliased(name, alias))
        except TrackingUnavailable as error:
            log.warning("Trigger %s: %s", trigger.id, error.message)
        else:
            await asyncio.to_thread(self._compare_alias, trigger, version, since, fence)
        self._asked[trigger.id] = (self._loop.time(), self._now())
        return ASK_EVERY

    def _own_ended(self, trigger: Trigger) -> bool:
        """Whether something has just ended that the trigger led to: what it set is its doing."""
        causes = self._store.causes
        return any(trigger.origin in causes.chain_of(each.id) for each in self._ended_now)

    def _compare_alias(
        self, trigger: Trigger, version: int | None, since: datetime, fence: int
    ) -> None:
        if version == trigger.state:
            return
        reason = f"{trigger.subject} points at v{version} now."
        fires = [] if version is None else [self._fire(trigger, reason, since, self._now())]
        self._store.occasions.advance(trigger, version, fires, fence=fence)

    # -- ends of runs ------------------------------------------------------------------------------

    async def _look_at_events(self, triggers: Sequence[Trigger], fence: int) -> None:
        waiting = [each for each in triggers if each.kind in OF_ENDINGS]
        if waiting or any(each.kind is TriggerKind.ALIAS for each in triggers):
            await asyncio.to_thread(self._read_events, waiting, fence)

    def _read_events(self, triggers: Sequence[Trigger], fence: int) -> None:
        starts = {each.id: max(self._read.get(each.id, 0), each.state) for each in triggers}
        models = self._read.setdefault("models", self._store.history.last_seq())
        last, ended, model = self._store.causes.endings(min([*starts.values(), models]))
        self._ended_now = [each for each in ended if each.seq > models]
        if model is not None and model.seq > models:
            self._models_changed = model.time
        self._read["models"] = last
        for trigger in triggers:
            fires = [
                self._ended(trigger, each)
                for each in ended
                if each.seq > starts[trigger.id]
                and (each.kind, each.subject) == (trigger.kind, trigger.subject)
                and has_ended_so(trigger.ending, each.status)
            ]
            if fires or last - trigger.state > _FAR:
                self._store.occasions.advance(trigger, last, fires, fence=fence)
            self._read[trigger.id] = last

    def _ended(self, trigger: Trigger, ended: Ended) -> Fire:
        what = ended.subject or "The pipeline"
        chain = self._store.causes.chain_of(ended.id)
        return self._make(trigger, f"{what} ({ended.id}) {_VERBS[ended.status]}.", chain)

    # -- what follows ------------------------------------------------------------------------------

    def _fire(self, trigger: Trigger, reason: str, start: datetime, end: datetime) -> Fire:
        """Make a fire of a change between two times, unless the trigger's own work made it."""
        own = self._store.causes.active(trigger.origin, start, end)
        if own is None:
            return self._make(trigger, reason, ())
        told = f"{reason} {own}, which this had set off, was running: it counts as its doing."
        return replace(self._make(trigger, told, ()), state=FireState.SKIPPED)

    def _make(self, trigger: Trigger, reason: str, chain: tuple[str, ...]) -> Fire:
        refused = refusal(trigger.origin, chain)
        now = self._now()
        return Fire(
            id=new_id(),
            origin=trigger.origin,
            state=FireState.CLAIMED if refused is None else FireState.SKIPPED,
            reason=reason if refused is None else f"{reason} {refused}",
            due=now,
            time=now,
            chain=(*chain, trigger.origin),
        )


def _about(changed: Sequence[str], before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say which files changed, and how."""
    words = [
        f"{name} {'appeared' if name not in before else 'changed' if name in now else 'went'}"
        for name in changed[:_NAMED]
    ]
    more = f" and {len(changed) - _NAMED:,} more" if len(changed) > _NAMED else ""
    return f"{', '.join(words)}{more}."
