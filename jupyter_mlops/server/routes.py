"""What the browser can ask: the worker's public operations, and those of the server itself."""

from __future__ import annotations

from typing import Any

from ..app import messages as m
from ..app.operations import OPERATIONS, Operation

#: Below the server's base URL.
API = "mlops/api"

PROJECT = Operation(
    "project",
    "GET",
    "/project",
    "read",
    "The project of a path",
    m.ProjectView,
    query=m.ProjectQuery,
)
PROJECTS = Operation(
    "projects", "GET", "/projects", "read", "Projects seen by this server", list[m.ProjectView]
)

#: Answered here, without a worker.
SERVER_ONLY: tuple[Operation[Any], ...] = (PROJECT, PROJECTS)

#: Answered by the worker of the project that the query parameter ``project`` names.
FORWARDED: tuple[Operation[Any], ...] = tuple(each for each in OPERATIONS if each.public)

ROUTES = SERVER_ONLY + FORWARDED
