"""``pipeline``: the stages of dvc.yaml, in parallel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import Face, Group

if TYPE_CHECKING:
    from ..app.messages import PipelineRequest
    from ..app.projects import Project
    from ..results import GraphResult, PipelineResult, PlanResult, Shown, StageResult, StatusResult


@click.group("pipeline", cls=Group)
def pipeline() -> None:
    """Run and look at the pipeline that dvc.yaml declares.

    DVC stays the truth: what dvc repro would run is run, and it finds nothing to do afterwards.
    """


@pipeline.command("run")
@click.argument("stages", nargs=-1, metavar="[STAGE]...")
@click.option("-f", "--force", is_flag=True, help="Run them even if nothing has changed.")
@click.option("--dry", is_flag=True, help="Only say what would run, and why.")
@click.option("-s", "--single-item", is_flag=True, help="Not the stages that they depend on.")
@click.option("--downstream", is_flag=True, help="These and all that depends on them.")
@click.option("-k", "--keep-going", is_flag=True, help="Go on with what depends on no failure.")
@click.option("--no-commit", is_flag=True, help="Put nothing into the cache.")
@click.option("--pull", is_flag=True, help="Fetch from the remote what is missing.")
@click.option("-P", "--all-pipelines", is_flag=True, help="All stages of the repository.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@click.pass_obj
def run(
    face: Face, /, stages: tuple[str, ...], dry: bool, detach: bool, **options: Any
) -> PipelineResult | PlanResult:
    """Bring stages up to date, in parallel; without a name all of dvc.yaml.

    A STAGE is what dvc repro takes: a stage's name, or a dvc.yaml or .dvc file.

    \b
    Examples:
      jupyter mlops pipeline run
      jupyter mlops pipeline run train --dry
      jupyter mlops pipeline run --downstream features
    """
    from ..results.pipelines import plan_pipeline, run_pipeline

    project, request = pipeline_request(stages, **options)
    if dry:
        return plan_pipeline(project, request)
    result = run_pipeline(project, request)
    if not detach and face.follow_pipeline(result):
        face.failed = result.status != "succeeded"
    return result


@pipeline.command("status")
@click.argument("stage", required=False)
def status(stage: str | None) -> StatusResult | StageResult:
    """Say where the stages stand and why they will run; with a STAGE all that is known of it.

    \b
    Examples:
      jupyter mlops pipeline status
      jupyter mlops pipeline status train
    """
    from ..results import StatusResult
    from ..results.pipelines import pipeline_view, stage_detail

    project, folder = _here()
    if stage is not None:
        return stage_detail(project, folder, stage)
    return StatusResult(pipeline_view(project, folder))


@pipeline.command("show")
@click.option("--mermaid", is_flag=True, help="As a mermaid flowchart, for a Markdown page.")
def show(mermaid: bool) -> GraphResult:
    """Draw the graph of the stages.

    \b
    Examples:
      jupyter mlops pipeline show
      jupyter mlops pipeline show --mermaid > graph.mmd
    """
    from ..results import GraphResult
    from ..results.pipelines import pipeline_view

    return GraphResult(pipeline_view(*_here()), mermaid=mermaid)


@pipeline.command("cancel")
@click.argument("id", required=False)
def cancel(id: str | None) -> Shown:  # noqa: A002
    """Cancel a pipeline run; without an ID the one that is under way.

    \b
    Example:
      jupyter mlops pipeline cancel
    """
    from ..app import messages as m
    from ..app import operations as ops
    from ..app.client import connect
    from ..core.exceptions import NotFound
    from ..results import Message

    project, _ = _here()
    client = connect(project)
    runs = client.call(ops.LIST_PIPELINE_RUNS, query=m.ListQuery(limit=100))
    going = [each for each in runs if not each.status.finished]
    if id is None and not going:
        raise NotFound("No pipeline run is under way.")
    chosen = id or going[-1].id
    view = client.call(ops.CANCEL_PIPELINE_RUN, pipeline_id=chosen)
    return Message(f"Cancelled: pipeline run {chosen}.", view)


def _here() -> tuple[Project, str]:
    """Return the project of the current folder, and that folder as the worker knows it."""
    from ..app.projects import find_project
    from ..results.pipelines import folder_of

    here = Path.cwd()
    project = find_project(here)
    return project, folder_of(project, here.resolve())


def pipeline_request(stages: tuple[str, ...], **options: Any) -> tuple[Project, PipelineRequest]:
    """Return the project and the request that the arguments of ``pipeline run`` mean."""
    from ..app.caller import caller_environment
    from ..app.messages import PipelineRequest

    project, folder = _here()
    environment = caller_environment(os.environ)
    request = PipelineRequest(
        folder=folder, targets=list(stages), environment=environment, **options
    )
    return project, request
