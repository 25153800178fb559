"""Schedules and triggers, and what they started."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ...core.occasions import Ending, FireState, Missed, Overlap, TriggerKind
from .base import Moment, Name, Request, View
from .notebooks import SubmitRequest
from .pipelines import PipelineRequest
from .runs import ListQuery


class ActionRequest(Request):
    """What is started: either a run or a sweep, or a pipeline run."""

    submit: SubmitRequest | None = None
    pipeline: PipelineRequest | None = None


class ScheduleRequest(Request):
    """Start something at certain times."""

    #: Five cron fields, or ``@hourly``, ``@daily``, ``@weekly``, ``@monthly``, ``@yearly``.
    line: Annotated[str, msgspec.Meta(max_length=1000)]
    action: ActionRequest
    #: IANA name of the time zone; None means this machine's.
    zone: Name | None = None
    missed: Missed = Missed.SKIP
    overlap: Overlap = Overlap.SKIP
    #: What it is called; None means by its id.
    name: Name | None = None


class TriggerRequest(Request):
    """Start something when something else happens."""

    kind: TriggerKind
    action: ActionRequest
    #: A path, a pattern or a folder in the project, ``MODEL@ALIAS``, a notebook, or a pipeline's
    #: folder; nothing for calls.
    subject: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    #: How a run, a sweep or a pipeline run must have ended.
    ending: Ending = Ending.FINISHED
    #: Parameters that a call may set.
    accept: list[Name] = msgspec.field(default_factory=list)
    name: Name | None = None


class FireRequest(Request):
    """Set off a trigger that waits for calls."""

    #: Values, encoded, of parameters that the trigger accepts.
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class FireView(View):
    """What became of an occasion."""

    id: str
    #: ``schedule:ID`` or ``trigger:ID``.
    origin: str
    state: FireState
    #: What set it off, or why it was not started.
    reason: str
    due: Moment
    time: Moment
    #: How many times were due that this one stands for.
    count: int
    #: ``sweep`` or ``pipeline``, and its id, once it was started.
    kind: str | None
    started: str | None


class ScheduleView(View):
    """A schedule, when it is due next, and what it did last."""

    id: str
    name: str
    line: str
    zone: str
    missed: Missed
    overlap: Overlap
    #: What it starts, as one would type it.
    command: str
    created_at: Moment
    #: The next times.
    next: list[Moment]
    last: FireView | None


class TriggerView(View):
    """A trigger, and what it did last."""

    id: str
    name: str
    kind: TriggerKind
    subject: str
    ending: Ending | None
    accept: list[str]
    #: What it starts, as one would type it.
    command: str
    created_at: Moment
    #: The address to call, below the Jupyter server's base URL; None if it waits for no call.
    address: str | None
    last: FireView | None


class UpcomingView(View):
    """What is started next."""

    #: The schedule.
    id: str
    name: str
    command: str
    at: Moment
    zone: str


class FiresQuery(ListQuery):
    """Which occasions, newest first."""

    #: A schedule or trigger, by id or name.
    of: str | None = None
