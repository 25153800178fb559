"""``models serve`` and ``endpoints``: models behind an address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Command, Group
from .models import VersionType
from .types import ModelType

if TYPE_CHECKING:
    from ..results import Endpoint as EndpointResult
    from ..results import EndpointList, Message
    from .types import ModelName


@click.command("serve", cls=Command)
@click.argument("model", type=ModelType(), metavar="NAME[@ALIAS]")
@click.option(
    "--keep", metavar="COLUMN", multiple=True,
    help="Keep this column of the requests, with the predictions; may be given several times.",
)  # fmt: skip
@click.option(
    "--share", metavar="X", type=click.FloatRange(0, 1),
    help="Share of the requests that is kept: 1 unless given, 0 to keep none any more.",
)  # fmt: skip
@click.option(
    "--challenger", metavar="VERSION", type=VersionType(),
    help="Version that is asked the same; its predictions are kept, not answered.",
)  # fmt: skip
@click.option(
    "--env", "environment", type=click.Choice(["here", "uv"]),
    help="Load it in this environment, or in one of its own that uv makes where it names other "
    "versions; here, unless it was given before.",
)  # fmt: skip
@click.option("--detach", is_flag=True, help="Return before the model answers.")
def serve(
    model: ModelName,
    keep: tuple[str, ...],
    share: float | None,
    challenger: int | None,
    environment: str | None,
    detach: bool,
) -> EndpointResult:
    """Serve a model, or another version of it in place of the one that is served.

    NAME means its latest version, NAME@champion the one that the alias points at now, NAME@v3 the
    third. The model runs in a process of its own that the project's worker watches, behind
    Jupyter's login: POST to mlops/endpoints/NAME/invocations below the server's URL what MLflow's
    scoring server takes. No request is lost when another version takes its place. Nothing is kept
    of the requests unless you name columns.

    \b
    Examples:
      jupyter mlops models serve late-flights@champion
      jupyter mlops models serve late-flights@v3
    """
    from ..app import messages as m
    from ..app.projects import find_project
    from ..core.endpoints import Environment
    from ..results.endpoints import serve_model

    monitor = None
    if keep or share is not None or challenger is not None:
        monitor = m.MonitorRequest(
            columns=list(keep), share=1.0 if share is None else share, challenger=challenger
        )
    request = m.ServeRequest(
        version=model.version,
        alias=model.alias,
        monitor=monitor,
        environment=None if environment is None else Environment(environment),
    )
    endpoint = serve_model(find_project(Path.cwd()), model.name, request)
    return endpoint if detach else endpoint.wait()


@click.group("endpoints", cls=Group)
def endpoints() -> None:
    """List, stop and roll back the models that are served."""


@endpoints.command("list")
def list_endpoints() -> EndpointList:
    """List the models that are served, with their latency, requests and failures.

    p50 and p95 are the times within which a half and 95 % of the last 2,000 requests were answered.

    \b
    Example:
      jupyter mlops endpoints list --json
    """
    from ..app.projects import find_project
    from ..results.endpoints import list_endpoints as all_endpoints

    return all_endpoints(find_project(Path.cwd()))


@endpoints.command("stop")
@click.argument("name")
def stop(name: str) -> Message:
    """Stop serving a model.

    \b
    Example:
      jupyter mlops endpoints stop late-flights
    """
    from ..app.projects import find_project
    from ..results import Message
    from ..results.endpoints import stop_endpoint

    stop_endpoint(find_project(Path.cwd()), name)
    return Message(f"{name} is no longer served.", {"name": name, "status": "stopped"})


@endpoints.command("rollback")
@click.argument("name")
@click.option("--detach", is_flag=True, help="Return before the earlier version answers.")
def rollback(name: str, detach: bool) -> EndpointResult:
    """Serve the version again that was served before.

    \b
    Example:
      jupyter mlops endpoints rollback late-flights
    """
    from ..app.projects import find_project
    from ..results.endpoints import roll_back

    endpoint = roll_back(find_project(Path.cwd()), name)
    return endpoint if detach else endpoint.wait()
