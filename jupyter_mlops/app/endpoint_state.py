"""What the worker knows of an endpoint."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from ..core.endpoints import Endpoint, EndpointStatus, Environment
from ..mlflow_client import kernel_defaults
from ..registry.model_files import ModelFacts
from . import messages as m
from .model_copies import slug
from .projects import Project
from .runtime import endpoint_address, endpoint_path
from .scorers import Process

if TYPE_CHECKING:
    from .launching import Plan


@dataclass(slots=True, eq=False)
class Served:
    """An endpoint, and what this worker does for it."""

    endpoint: Endpoint
    process: Process | None = None
    #: What the model asks for, once that was read.
    facts: ModelFacts | None = None
    #: The version that is being loaded to take its place.
    next: int | None = None
    #: Brings up a version, and watches the process.
    bringing: asyncio.Task[None] | None = None
    watching: asyncio.Task[None] | None = None
    draining: set[asyncio.Task[None]] = field(default_factory=set)

    async def look(self, patience: float = 2.0) -> None:
        """Ask the process how it is."""
        if self.process is not None:
            await self.process.look(patience)

    async def cancel(self) -> None:
        """End what this worker does for it; what drains is let finish."""
        tasks = [each for each in (self.bringing, self.watching) if each is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self.draining, return_exceptions=True)

    def follows(self, plan: Plan) -> bool:
        """Whether it serves a version just now, in the way that is wanted."""
        found = self.endpoint
        return (
            found.status is EndpointStatus.READY
            and found.version == plan.version
            and found.monitoring == plan.monitoring
            and found.environment is plan.environment
        )

    def count(self, process: Process) -> None:
        """Add what a process that has ended has counted to what others have before."""
        if process.state is not None:
            self.endpoint = replace(
                self.endpoint,
                requests=self.endpoint.requests + process.state.requests,
                failures=self.endpoint.failures + process.state.failures,
            )

    def view(self, project: Project) -> m.EndpointView:
        """Show it."""
        endpoint = self.endpoint
        state = self.process.state if self.process is not None else None
        return m.EndpointView(
            name=endpoint.name,
            version=endpoint.version,
            alias=endpoint.alias,
            status=endpoint.status,
            next=self.next,
            previous=endpoint.previous,
            error=endpoint.error,
            address=endpoint_path(endpoint.name),
            requests=endpoint.requests + (state.requests if state else 0),
            failures=endpoint.failures + (state.failures if state else 0),
            p50=state.p50 if state else None,
            p95=state.p95 if state else None,
            restarts=endpoint.restarts,
            monitored=list(endpoint.monitoring.columns),
            share=endpoint.monitoring.share,
            challenger=endpoint.monitoring.challenger,
            environment=endpoint.environment,
            log=shown_log(project, endpoint.name),
            created_at=endpoint.created_at,
            since=endpoint.since,
        )


def new(name: str, version: int, alias: str | None) -> Endpoint:
    """Return an endpoint whose first version is being loaded."""
    now = datetime.now(UTC)
    return Endpoint(
        name=name,
        version=version,
        alias=alias,
        previous=None,
        status=EndpointStatus.STARTING,
        error=None,
        scorer=None,
        requests=0,
        failures=0,
        restarts=0,
        created_at=now,
        since=now,
    )


def samples_of(project: Project, name: str) -> Path:
    """Return the folder of what is kept of an endpoint's requests."""
    return project.state / "samples" / slug(name)


def log_of(project: Project, name: str) -> Path:
    """Return where the processes of an endpoint print to."""
    digest = endpoint_address(project, name).stem.rpartition("-")[2]
    readable = "".join(c if c.isalnum() else "-" for c in name)[:60]
    return project.state / "logs" / "endpoints" / f"{readable}-{digest}.log"


def shown_log(project: Project, name: str) -> str:
    """Return that path as people see it, relative to the project's folder."""
    return os.path.relpath(log_of(project, name), project.root)


def variables_of(project: Project) -> dict[str, str]:
    """Return the variables of a process, beyond the worker's: those of .env."""
    extra = {k: v for k, v in dotenv_values(project.root / ".env").items() if v}
    return {**kernel_defaults(), **extra}


def python_hint(facts: ModelFacts, environment: Environment) -> str:
    """Say which Python made a model that was loaded by another one."""
    ours = [str(each) for each in sys.version_info[:2]]
    same = facts.python is None or facts.python.split(".")[:2] == ours
    if same or environment is Environment.UV:
        return ""
    return (
        f" It was made with Python {facts.python}, and this is Python {'.'.join(ours)}: "
        "serve it with --env uv."
    )
