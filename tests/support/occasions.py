"""Schedules, triggers and fires for tests, with what a test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jupyter_mlops.core.occasions import (
    Fire,
    FireState,
    Missed,
    Overlap,
    Schedule,
    Trigger,
    TriggerKind,
)
from jupyter_mlops.core.runs import new_id

#: What is started: a run of a notebook.
ACTION = {"kind": "sweep", "request": {"notebook": "train.ipynb", "kind": "run"}}


def a_schedule(**changes: Any) -> Schedule:
    """Return a schedule of every hour."""
    now = datetime.now(UTC)
    base = Schedule(
        id=new_id(),
        name=new_id(),
        line="0 * * * *",
        zone="UTC",
        missed=Missed.SKIP,
        overlap=Overlap.SKIP,
        action=ACTION,
        created_at=now,
        decided_until=now,
    )
    return replace(base, **changes)


def a_trigger(**changes: Any) -> Trigger:
    """Return a trigger that waits for calls."""
    base = Trigger(
        id=new_id(),
        name=new_id(),
        kind=TriggerKind.HTTP,
        subject="",
        ending=None,
        accept=(),
        action=ACTION,
        created_at=datetime.now(UTC),
        state=None,
    )
    return replace(base, **changes)


def a_fire(origin: str, **changes: Any) -> Fire:
    """Return a fire that was claimed just now."""
    now = datetime.now(UTC)
    base = Fire(
        id=new_id(),
        origin=origin,
        state=FireState.CLAIMED,
        reason="due",
        due=now,
        time=now,
        chain=(origin,),
    )
    return replace(base, **changes)
