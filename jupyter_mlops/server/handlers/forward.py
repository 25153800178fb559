"""Hands the browser's requests on to the worker of their project."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
)

from ...app import messages as m
from ...app.operation import Operation
from ...app.projects import Project
from ...core.exceptions import InvalidInput
from ..link import Link
from ..projects import Projects
from .base import MlopsHandler

#: Fields of requests that say who asks.
WHO = ("by", "user")
_MADE_UP = (IdentityProvider, LegacyIdentityProvider, PasswordIdentityProvider)


class ForwardHandler(MlopsHandler):
    """Checks a request and asks the worker of the project that it names."""

    def initialize(self, projects: Projects, link: Link) -> None:
        """Take what the extension shares among its handlers."""
        self._projects = projects
        self._link = link

    async def answer(self, operation: Operation[Any], path: Mapping[str, str]) -> bytes:
        """Ask the worker, which answers in JSON."""
        project, query, body = await self.read(operation)
        return await self._link.ask(
            project,
            operation,
            path,
            query=query if operation.query else None,
            body=body if operation.body else None,
        )

    async def read(self, operation: Operation[Any]) -> tuple[Project, m.Request, m.Request]:
        """Return the project, query and body of a request. Raises `InvalidInput`."""
        values = self.query_values()
        name = values.pop("project", None)
        if name is None:
            raise InvalidInput("Say which project is meant: project=FOLDER.", field="project")
        query = self.decode_query(values, operation.query or m.Request)
        body = self.decode_body(operation.body or m.Request)
        for request in (query, body):
            self._identify(request)
        return await asyncio.to_thread(self._confine, name, query, body), query, body

    def _identify(self, request: m.Request) -> None:
        """Say in a request who asks: whom the browser names does not count.

        Jupyter's own identities are made up for each browser, and tell nobody.
        """
        made_up = type(self.identity_provider) in _MADE_UP
        user = None if made_up else self.current_user.username
        for name in WHO:
            if hasattr(request, name):
                setattr(request, name, user)

    def _confine(self, name: str, *requests: m.Request) -> Project:
        """Return the project, the requests' notebooks being resolved and inside it."""
        project = self._projects.at(name)
        for request in requests:
            notebook = getattr(request, "notebook", None)
            if notebook is not None:
                request.notebook = project.relative(notebook)  # type: ignore[attr-defined]
        return project
