"""Schedules and triggers: what starts by itself, when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

#: A time that passed longer ago was missed: no worker ran, or the machine slept.
LATE = timedelta(seconds=60)

#: A clock that was set back by less is waited for, so that nothing is started twice.
SET_BACK = timedelta(hours=3)

#: Triggers that may set off one another in a row.
MAX_DEPTH = 8


class Missed(StrEnum):
    """What is done about times that passed while no worker ran or the machine slept."""

    SKIP = "skip"  #: nothing
    ONCE = "once"  #: it is started once, however many were missed


class Overlap(StrEnum):
    """What is done at a time at which the last one still runs."""

    SKIP = "skip"  #: nothing
    QUEUE = "queue"  #: it is started when that one has ended; one waits at most


class TriggerKind(StrEnum):
    """What sets a trigger off."""

    FILE = "file"  #: the content of files changed
    ALIAS = "alias"  #: an alias was pointed at a version of a model
    RUN = "run"  #: a run of a notebook ended
    SWEEP = "sweep"  #: a sweep of a notebook ended
    PIPELINE = "pipeline"  #: a pipeline run ended
    HTTP = "http"  #: somebody called its address


class Ending(StrEnum):
    """How what a trigger waits for must have ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    FINISHED = "finished"  #: whichever way, cancelled included


class FireState(StrEnum):
    """What became of an occasion."""

    CLAIMED = "claimed"  #: it is about to be started
    WAITING = "waiting"  #: it is started when the last one has ended
    STARTED = "started"
    SKIPPED = "skipped"  #: it was not started; the reason says why
    FAILED = "failed"  #: it could not be started; the reason says why


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Something that is started at certain times."""

    id: str
    name: str
    #: Five cron fields, or ``@daily`` and the like.
    line: str
    #: Time zone by its IANA name.
    zone: str
    missed: Missed
    overlap: Overlap
    #: What is started: the kind of request, and the request.
    action: dict[str, Any]
    created_at: datetime
    #: It has been decided what becomes of every time up to this one.
    decided_until: datetime

    @property
    def origin(self) -> str:
        """What names it in what it starts."""
        return f"schedule:{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """Something that is started when something else happens."""

    id: str
    name: str
    kind: TriggerKind
    #: What it waits for: patterns of files, ``MODEL@ALIAS``, a notebook, a folder; else empty.
    subject: str
    #: How that must have ended, of runs, sweeps and pipelines.
    ending: Ending | None
    #: Names of parameters that a call may set.
    accept: tuple[str, ...]
    #: What is started: the kind of request, and the request.
    action: dict[str, Any]
    created_at: datetime
    #: How things stood when it was last looked at: hashes by path, a version, or an event's number.
    state: Any
    #: Number of the state's changes.
    turn: int = 0

    @property
    def origin(self) -> str:
        """What names it in what it starts."""
        return f"trigger:{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fire:
    """An occasion on which a schedule or a trigger started something, or did not."""

    id: str
    #: ``schedule:ID`` or ``trigger:ID``.
    origin: str
    state: FireState
    #: What set it off, or why it was not started, in one line.
    reason: str
    #: The time that was due, and when that was seen.
    due: datetime
    time: datetime
    #: How many times were due that this one stands for.
    count: int = 1
    #: The schedules and triggers that led here, this one the last.
    chain: tuple[str, ...] = ()
    #: Parameters that the call set.
    parameters: dict[str, Any] = field(default_factory=dict)
    #: ``sweep`` or ``pipeline``, and its id, once it was started.
    kind: str | None = None
    started: str | None = None


def refusal(origin: str, chain: tuple[str, ...]) -> str | None:
    """Say why what ``chain`` led to must not set off ``origin``; None if it may."""
    if origin in chain:
        return "It was set off by what it had started itself, which would go on for ever."
    if len(chain) >= MAX_DEPTH:
        return f"{MAX_DEPTH} triggers in a row have set off one another; no more than that follow."
    return None
