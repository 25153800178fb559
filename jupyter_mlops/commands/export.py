"""``models export``: what it takes to deploy a model elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..core.exports import Target
from .base import Command
from .types import ModelType

if TYPE_CHECKING:
    from ..results import Message
    from .types import ModelName


@click.command("export", cls=Command)
@click.argument("model", type=ModelType(), metavar="NAME[@ALIAS]")
@click.option(
    "--to", "target", required=True, type=click.Choice([each.value for each in Target]),
    help="Where it is to be deployed.",
)  # fmt: skip
@click.option("--output", metavar="DIR", help="An empty or new folder; exports/NAME/TARGET.")
@click.option("--image", metavar="NAME", help="What the image is called, with its registry.")
@click.option("--machine", metavar="TYPE", help="The target's type of machine; a small one.")
@click.option("--role", metavar="ARN", help="SageMaker's execution role.")
@click.option("--data", metavar="URL", help="Where model.tar.gz will lie for SageMaker.")
def export(model: ModelName, target: str, output: str | None, **options: Any) -> Message:
    """Write a Dockerfile and manifests for a model. Nothing is deployed.

    The Dockerfile is MLflow's, and installs the versions that the model was made with. What to type
    in order to deploy it is told at the end.

    \b
    Examples:
      jupyter mlops models export late-flights@champion --to docker
      jupyter mlops models export late-flights --to kubernetes --image ghcr.io/me/late:4
      jupyter mlops models export late-flights@v4 --to azureml --output deploy/
    """
    from ..app import messages as m
    from ..app import serving_operations
    from ..app.client import connect
    from ..app.projects import find_project
    from ..reports.exports import export_report
    from ..results import Message

    body = m.ExportRequest(
        target=Target(target),
        version=model.version,
        alias=model.alias,
        output=str(Path(output).absolute()) if output else None,
        **options,
    )
    client = connect(find_project(Path.cwd()))
    view = client.call(serving_operations.EXPORT_MODEL, body=body, timeout=None, name=model.name)
    return Message(export_report(view), view)
