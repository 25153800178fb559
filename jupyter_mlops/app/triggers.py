"""Use cases of triggers: what starts something when something else happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ..core.exceptions import Conflict, InvalidInput
from ..core.model_names import check_alias, check_model_name
from ..core.occasions import Ending, Fire, FireState, Trigger, TriggerKind
from ..core.runs import new_id
from ..occasions.files import Fingerprints
from ..store import Store, find
from . import messages as m
from . import submission, unfinished, views
from .projects import Project, confined
from .recorder import Recorder
from .starting import Starter, describe

#: Triggers that wait for the end of something.
OF_ENDINGS = (TriggerKind.RUN, TriggerKind.SWEEP, TriggerKind.PIPELINE)


class TriggerUseCases:
    """What can be asked of triggers."""

    def __init__(
        self,
        project: Project,
        store: Store,
        recorder: Recorder,
        starter: Starter,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """``wake`` has the triggers looked at; ``now`` is the clock on the wall."""
        self._project = project
        self._store = store
        self._recorder = recorder
        self._starter = starter
        self._wake = wake
        self._now = now

    async def add_trigger(self, body: m.TriggerRequest) -> m.TriggerView:
        """Start something when something else happens from now on."""
        if body.accept and body.kind is not TriggerKind.HTTP:
            raise InvalidInput("accept: only a call sets parameters. Leave it out.", field="accept")
        subject = await asyncio.to_thread(self._subject, body)
        action = await self._starter.check(body.action, body.accept)
        trigger_id = new_id()
        trigger = Trigger(
            id=trigger_id,
            name=body.name or trigger_id,
            kind=body.kind,
            subject=subject,
            ending=body.ending if body.kind in OF_ENDINGS else None,
            accept=tuple(body.accept),
            action=action,
            created_at=self._now(),
            state=await self._state(body.kind, subject),
        )
        await asyncio.to_thread(self._store.occasions.add, trigger)
        unfinished.mark(self._project, True)
        self._wake()
        return await asyncio.to_thread(self._view, trigger)

    def _subject(self, body: m.TriggerRequest) -> str:
        """Return what a trigger waits for, checked. Raises `InvalidInput`."""
        subject = body.subject
        if body.kind is TriggerKind.HTTP:
            return ""
        if body.kind is TriggerKind.PIPELINE:
            return "" if subject in ("", ".") else self._project.relative(subject)
        if not subject:
            raise InvalidInput(f"{body.kind}: say what to wait for.", field=body.kind)
        if body.kind is TriggerKind.ALIAS:
            return _alias(subject)
        if body.kind is TriggerKind.FILE:
            confined(self._project.root, subject.partition("*")[0])
            return subject.rstrip("/")
        return submission.read(self._project, subject).path

    async def _state(self, kind: TriggerKind, subject: str) -> Any:
        """Return how things stand, so that only what follows sets the trigger off."""
        if kind is TriggerKind.FILE:
            return await asyncio.to_thread(Fingerprints(self._project.root).of, subject)
        if kind is TriggerKind.ALIAS:
            name, _, alias = subject.partition("@")
            return await self._recorder.call(lambda _, registry: registry.aliased(name, alias))
        if kind in OF_ENDINGS:
            return await asyncio.to_thread(self._store.history.last_seq)
        return None

    async def list_triggers(self) -> list[m.TriggerView]:
        """List the triggers, oldest first."""
        return await asyncio.to_thread(
            lambda: [self._view(each) for each in self._store.occasions.triggers()]
        )

    async def remove_trigger(self, trigger_id: str) -> m.TriggerView:
        """Remove a trigger; what it has started goes on."""
        return await asyncio.to_thread(self._remove, trigger_id)

    def _remove(self, wanted: str) -> m.TriggerView:
        trigger = find(self._store.occasions.triggers(), wanted, "trigger")
        view = self._view(trigger)
        self._store.occasions.remove(trigger)
        self._wake()
        return view

    async def fire_trigger(self, trigger_id: str, body: m.FireRequest) -> m.FireView:
        """Set off a trigger that waits for calls; its answer comes before what it starts."""
        fire = await asyncio.to_thread(self._call, trigger_id, body.parameters)
        self._wake()
        return views.fire(fire)

    def _call(self, wanted: str, parameters: dict[str, Any]) -> Fire:
        trigger = find(self._store.occasions.triggers(), wanted, "trigger")
        if trigger.kind is not TriggerKind.HTTP:
            raise Conflict(f"Trigger {trigger.name} waits for no call. Add one with --http.")
        refused = [name for name in parameters if name not in trigger.accept]
        if refused:
            accepted = ", ".join(trigger.accept) or "none"
            raise InvalidInput(
                f"Trigger {trigger.name} does not accept {refused[0]} (accepted: {accepted}).",
                field=refused[0],
            )
        now = self._now()
        fire = Fire(
            id=new_id(),
            origin=trigger.origin,
            state=FireState.CLAIMED,
            reason="It was called.",
            due=now,
            time=now,
            chain=(trigger.origin,),
            parameters=parameters,
        )
        self._store.occasions.call(fire)
        return fire

    def _view(self, trigger: Trigger) -> m.TriggerView:
        last = self._store.occasions.fires(trigger.origin, limit=1)
        address = f"mlops/api/triggers/{quote(trigger.id)}/fire"
        return m.TriggerView(
            **views.shared(trigger, m.TriggerView) | {"accept": list(trigger.accept)},
            command=describe(trigger.action),
            address=address if trigger.kind is TriggerKind.HTTP else None,
            last=views.fire(last[0]) if last else None,
        )


def _alias(subject: str) -> str:
    """Return ``MODEL@ALIAS``, checked. Raises `InvalidInput`."""
    name, at, alias = subject.rpartition("@")
    if not at:
        raise InvalidInput(
            f"alias: {subject!r} is no MODEL@ALIAS. Write it like late-flights@champion.",
            field="alias",
        )
    return f"{check_model_name(name)}@{check_alias(alias)}"


def has_ended_so(wanted: Ending | None, status: str) -> bool:
    """Whether something ended the way that a trigger waits for."""
    return wanted is Ending.FINISHED or wanted == status
