"""``image``: a project's work, packed to run elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import CommandBefore, following

if TYPE_CHECKING:
    from ..results import Message


@click.command("image", cls=CommandBefore)
@click.option("--image", "name", metavar="NAME", help="Its name, with the registry's.")
@click.option("--output", metavar="DIR", default="deploy", help="A folder here; deploy.")
@click.option("--schedule", metavar="CRON", help="Run it at these times, as a CronJob.")
@click.option("--zone", metavar="NAME", default="UTC", help="Time zone of the schedule; UTC.")
@click.option("--cpus", type=click.IntRange(min=1), default=1, help="Cores of the job; 1.")
@click.option("--memory", metavar="SIZE", help="Memory of the job, such as 4GB.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, help="GPUs of the job.")
@click.option("--secret", metavar="NAME", help="Secret whose entries become variables.")
@click.option("--claim", metavar="NAME", help="Volume claim that keeps runs and tracking.")
@click.option("--force", is_flag=True, help="Replace files that differ.")
@click.pass_context
def image(
    context: click.Context, /, name: str | None, output: str, force: bool, **job: Any
) -> Message:
    """Write a Dockerfile, and a job for Kubernetes, that run the pipeline in production.

    The image has the packages of the project's lock and the project as it is; it fetches data from
    the DVC remote, runs the pipeline, and puts there what was made. After -- stands what else it is
    to run: run or sweep with their arguments, or pipeline run with its own. Nothing is built.

    \b
    Examples:
      jupyter mlops image
      jupyter mlops image --image ghcr.io/me/churn:1 --schedule "0 6 * * *"
      jupyter mlops image --cpus 8 -- sweep train.ipynb depth=3,5,7 --metric auc
    """
    from dataclasses import asdict

    from ..app.imaging import write_image
    from ..app.projects import find_project
    from ..core.images import ProjectImage, label
    from ..core.resources import Request, parse_memory
    from ..reports.images import image_report
    from ..results import Message

    project = find_project(Path.cwd())
    wanted = ProjectImage(
        command=following(context) or ("pipeline", "run"),
        image=name or f"{label(project.root.name)}:latest",
        resources=Request(
            cpus=job["cpus"],
            memory=parse_memory(job["memory"]) if job["memory"] is not None else None,
            gpus=job["gpus"],
        ),
        schedule=(job["schedule"], job["zone"]) if job["schedule"] is not None else None,
        claim=job["claim"],
        secret=job["secret"],
    )
    written = write_image(project, wanted, output, force=force)
    return Message(image_report(written, project.root), asdict(written))
