"""Bringing up the process that serves a version, in the environment that it is to have."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from ..core.endpoints import Environment, Monitoring
from ..execution.commands import last_lines
from ..execution.tail import CONTROL
from . import scorers
from .endpoint_state import log_of, samples_of, variables_of
from .environments import Environments
from .model_copies import ModelCopies, ModelCopy
from .projects import Project
from .runtime import endpoint_address
from .scorers import Process


@dataclass(frozen=True, slots=True)
class Plan:
    """A version that is to be served, and how."""

    version: int
    alias: str | None
    copy: ModelCopy
    monitoring: Monitoring
    environment: Environment


class Launcher:
    """Starts the processes of a project's endpoints."""

    def __init__(self, project: Project, copies: ModelCopies) -> None:
        self._project = project
        self._copies = copies
        self._environments = Environments(project)

    async def start(self, name: str, plan: Plan) -> Process:
        """Start a process and return when it answers. Raises `NotLoaded`, `NoEnvironment`."""
        log = log_of(self._project, name)
        variables = variables_of(self._project)
        challenger = None
        if plan.monitoring.challenger is not None:
            found = await self._copies.find(name, plan.monitoring.challenger, None)
            challenger = await self._copies.get(found)
        process = scorers.start(
            name,
            plan.version,
            plan.copy,
            folder=self._project.root,
            log=log,
            prefix=endpoint_address(self._project, name).stem,
            variables=variables,
            samples=samples_of(self._project, name),
            monitoring=plan.monitoring,
            challenger=challenger,
            python=await self._python(plan, plan.copy, name, variables),
            challenger_python=await self._python(plan, challenger or plan.copy, name, variables),
        )
        try:
            await process.wait_until_ready(log)
        except BaseException:
            await asyncio.shield(process.stop(grace=0))
            raise
        return process

    async def last_lines(self, name: str, number: int) -> str:
        """Return what an endpoint's processes have printed last."""
        text = await asyncio.to_thread(last_lines, log_of(self._project, name), number)
        return CONTROL.sub("", text)

    async def _python(
        self, plan: Plan, copy: ModelCopy, name: str, variables: Mapping[str, str]
    ) -> str:
        if plan.environment is Environment.HERE:
            return sys.executable
        log = log_of(self._project, name)
        return await self._environments.python_for(copy.facts, log, variables)
