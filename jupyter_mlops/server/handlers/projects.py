"""Tells the browser about projects, without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from ...app import messages as m
from ...app.operation import Operation
from ..projects import Projects
from .base import MlopsHandler


class ProjectsHandler(MlopsHandler):
    """Answers from the folders below the server's root."""

    def initialize(self, projects: Projects) -> None:
        """Take what the extension shares among its handlers."""
        self._projects = projects


class FindProject(ProjectsHandler):
    """The project of a file or folder."""

    async def answer(self, operation: Operation[Any], path: Mapping[str, str]) -> bytes:
        """Look for it upwards."""
        query = self.decode_query(self.query_values(), m.ProjectQuery)
        project = await asyncio.to_thread(self._projects.containing, query.path)
        return msgspec.json.encode(self._projects.view(project))


class ListProjects(ProjectsHandler):
    """The projects seen by this server."""

    async def answer(self, operation: Operation[Any], path: Mapping[str, str]) -> bytes:
        """List them by path."""
        self.decode_query(self.query_values(), m.Request)
        found = await asyncio.to_thread(self._projects.seen)
        return msgspec.json.encode([self._projects.view(each) for each in found])
