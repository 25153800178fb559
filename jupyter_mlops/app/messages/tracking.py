"""Sessions and models."""

from __future__ import annotations

from typing import Any

import msgspec

from .base import Count, Moment, Name, Path, Request, View
from .runs import RunView


class SessionRequest(Request):
    """Open a run for interactive work."""

    #: The process whose end closes the session.
    pid: int
    pid_started: float
    notebook: Path | None = None
    experiment: Name | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    #: The interpreter of that process, whose MLflow may be another than ours.
    python: str | None = None


class SessionView(View):
    """An open session: its run, and the variables that point mlflow at it."""

    run: RunView
    environment: dict[str, str]


class Point(Request):
    """One value of one metric; ``time`` is seconds since the epoch, ``value`` encoded."""

    key: str
    value: Any
    step: int
    time: float


class LogRequest(Request):
    """Metrics of a session, and parameters to add to it."""

    points: list[Point] = msgspec.field(default_factory=list)
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class FinishRequest(Request):
    """Close a session."""

    error: str | None = None


class ModelVersionView(View):
    """One version of a registered model."""

    name: str
    version: int
    aliases: list[str]
    description: str
    tags: dict[str, str]
    created_at: Moment
    run_id: str | None
    mlflow_run_id: str | None
    metrics: dict[str, Any]
    parameters: dict[str, str]
    #: Number of the card's eight parts that are complete; None if it has no card.
    complete: int | None = None
    #: What registering could not do, or what that will cost, a line each.
    notices: list[str] = msgspec.field(default_factory=list)


class RegisterRequest(Request):
    """Register the model of a run, or of the best run of a sweep."""

    run: str | None = None
    sweep: str | None = None
    alias: Name | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class AliasRequest(Request):
    """Point an alias at a version."""

    version: Count
    #: Why, in one line.
    why: str | None = None
    #: Who says so; unasked, the user of the worker.
    by: str | None = None
