"""The one table of what the browser can ask: read by tornado and by the contract."""

from __future__ import annotations

import re
from typing import Any

from ..app import messages as m
from ..app.operation import Operation
from ..app.operations import DOWNLOADS, OPERATIONS
from .handlers.base import MlopsHandler, UnknownRoute, handler_class
from .handlers.download import DownloadHandler
from .handlers.endpoints import ROUTES as ENDPOINT_ROUTES
from .handlers.endpoints import EndpointHandler
from .handlers.forward import ForwardHandler
from .handlers.projects import FindProject, ListProjects
from .link import Link
from .projects import Projects

#: Below the server's base URL.
API = "mlops/api"
#: Models that are served, each with the routes that MLflow's scoring app has.
ENDPOINTS = "mlops/endpoints"

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
SERVER_ONLY: dict[Operation[Any], type[MlopsHandler]] = {
    PROJECT: FindProject,
    PROJECTS: ListProjects,
}

#: Answered by the worker of the project that the query parameter ``project`` names.
FORWARDED: tuple[Operation[Any], ...] = tuple(each for each in OPERATIONS if each.public)

#: What is answered in JSON.
ROUTES: tuple[Operation[Any], ...] = (*SERVER_ONLY, *FORWARDED)

Rule = tuple[str, type[MlopsHandler], dict[str, Any]]


def rules(projects: Projects, link: Link) -> list[Rule]:
    """Return tornado's rules for all routes, relative to the server's base URL."""
    table: list[Rule] = [
        (pattern(operation.path), handler_class(handler, [operation]), {"projects": projects})
        for operation, handler in SERVER_ONLY.items()
    ]
    for path in dict.fromkeys(each.path for each in FORWARDED):
        operations = [each for each in FORWARDED if each.path == path]
        handler = handler_class(ForwardHandler, operations)
        table.append((pattern(path), handler, {"projects": projects, "link": link}))
    routes = "|".join(ENDPOINT_ROUTES)
    table.append(
        (
            rf"/{ENDPOINTS}/(?P<name>[^/]+)/(?P<route>{routes})",
            EndpointHandler,
            {"projects": projects},
        )
    )
    for each in DOWNLOADS:
        handler = handler_class(DownloadHandler, [each])
        table.append((pattern(each.path), handler, {"projects": projects, "link": link}))
    return [*table, (f"/(?:{API}|{ENDPOINTS})(?:/.*)?", UnknownRoute, {})]


def pattern(path: str) -> str:
    """Return the regular expression of a path with ``{placeholders}``."""
    return f"/{API}" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
