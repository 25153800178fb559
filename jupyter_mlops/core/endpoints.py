"""Endpoints: models that are served."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .runs import ProcessIdentity


class EndpointStatus(StrEnum):
    """Where an endpoint stands."""

    STARTING = "starting"  #: its first version is being loaded
    READY = "ready"  #: it answers
    RESTARTING = "restarting"  #: its process has ended, and is started again
    FAILED = "failed"  #: its first version could not be loaded


class Environment(StrEnum):
    """Where a model is loaded."""

    HERE = "here"  #: in the environment of the worker
    UV = "uv"  #: in one of its own that uv makes, where it names other versions than are here


@dataclass(frozen=True, kw_only=True, slots=True)
class Scorer:
    """The process that serves a version."""

    version: int
    #: The socket's name in the runtime folder.
    socket: str
    identity: ProcessIdentity


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What is kept of an endpoint's requests."""

    columns: tuple[str, ...] = ()
    #: Share of the requests.
    share: float = 0.0
    #: Version that is asked the same.
    challenger: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A model that is served."""

    #: The model's name, and its own.
    name: str
    version: int
    #: The alias by which the version was asked for.
    alias: str | None
    #: The version that was served before, to which one may go back.
    previous: int | None
    status: EndpointStatus
    #: One line: what went wrong last.
    error: str | None
    scorer: Scorer | None
    #: Counts of all processes that have ended.
    requests: int
    failures: int
    #: How often a process was started again since the version was chosen.
    restarts: int
    created_at: datetime
    #: Since when the version is served.
    since: datetime
    monitoring: Monitoring = field(default_factory=Monitoring)
    environment: Environment = Environment.HERE
