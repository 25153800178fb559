"""Pipelines, as the Python API returns them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from ..app import messages as m
from ..app import operations as ops
from ..app.client import connect
from ..app.following import PipelineUpdate, follow_pipeline
from ..app.pipeline_requests import first_question
from ..app.projects import Project
from ..app.uptodate import up_to_date
from ..reports import Report
from ..reports import pipelines as reports
from .base import Shown


class PipelineResult(Shown):
    """A pipeline run: how far it is, and what it did with each stage."""

    def __init__(
        self,
        project: Project,
        view: m.PipelineRunView,
        seq: int | None = None,
        known: m.PipelineRunDetail | None = None,
    ) -> None:
        """``seq`` is the last event before it began, ``known`` what it came to without a run."""
        self._project = project
        self._view = view
        self._seq = seq
        self._known = known

    @property
    def id(self) -> str:
        """The pipeline run's id."""
        return self._view.id

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``."""
        return str(self.detail().run.status)

    @property
    def stages(self) -> list[m.StageView]:
        """What it did with each stage, in DVC's order."""
        return self.detail().stages

    def detail(self) -> m.PipelineRunDetail:
        """Return all that is known of it."""
        if self._known is not None:
            return self._known
        return connect(self._project).call(ops.GET_PIPELINE_RUN, pipeline_id=self.id)

    def updates(self) -> Iterator[PipelineUpdate]:
        """Yield its progress until it has ended."""
        if self._known is not None:
            return
        for update in follow_pipeline(connect(self._project), self.id, self._seq):
            self._view = update.run
            yield update

    def wait(self) -> Self:
        """Return when it has ended."""
        for _ in self.updates():
            pass
        return self

    def cancel(self) -> Self:
        """Stop it. Raises `Conflict` if it has ended."""
        self._view = connect(self._project).call(ops.CANCEL_PIPELINE_RUN, pipeline_id=self.id)
        return self

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.run_report(self.detail())

    def record(self) -> m.PipelineRunDetail:
        """Return what to tell a program."""
        return self.detail()


class PlanResult(Shown):
    """What a pipeline run would do."""

    def __init__(self, stages: Sequence[m.StageView]) -> None:
        self.stages = list(stages)

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.plan_report(self.stages)

    def record(self) -> list[m.StageView]:
        """Return what to tell a program."""
        return self.stages


class StatusResult(Shown):
    """Where the stages of a pipeline stand, and why they will run."""

    def __init__(self, view: m.PipelineView) -> None:
        self.view = view

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.status_report(self.view)

    def record(self) -> m.PipelineView:
        """Return what to tell a program."""
        return self.view


class GraphResult(Shown):
    """The graph of a pipeline, drawn as text."""

    def __init__(self, view: m.PipelineView, *, mermaid: bool) -> None:
        self.view = view
        self._mermaid = mermaid

    def report(self) -> Report:
        """Return what to tell a person."""
        if self._mermaid:
            return Report(headline=reports.mermaid(self.view.stages))
        if not self.view.stages:
            return reports.status_report(self.view)
        first, *others = reports.tree_lines(self.view.stages)
        return Report(headline=first, details=tuple(others))

    def record(self) -> m.PipelineView:
        """Return what to tell a program."""
        return self.view


class StageResult(Shown):
    """A stage: its command, its files, why it will run, what it printed."""

    def __init__(self, detail: m.StageDetail) -> None:
        self.detail = detail

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.detail_report(self.detail)

    def record(self) -> m.StageDetail:
        """Return what to tell a program."""
        return self.detail


def run_pipeline(project: Project, request: m.PipelineRequest) -> PipelineResult:
    """Ask for stages to be brought up to date, unless it is known that they are."""
    known = up_to_date(project, request)
    if known is not None:
        return PipelineResult(project, known.run, known=known)
    client = connect(project, ahead=first_question(project.root, request))
    seq = client.call(ops.STATUS).seq
    return PipelineResult(project, client.call(ops.RUN_PIPELINE, body=request, timeout=None), seq)


def plan_pipeline(project: Project, request: m.PipelineRequest) -> PlanResult:
    """Ask what would run."""
    plan = connect(project).call(ops.PLAN_PIPELINE, body=request, timeout=None)
    return PlanResult(plan.stages)


def pipeline_view(project: Project, folder: str) -> m.PipelineView:
    """Ask where the stages stand."""
    query = m.PipelineQuery(folder=folder)
    return connect(project).call(ops.PIPELINE, query=query, timeout=None)


def stage_detail(project: Project, folder: str, name: str) -> StageResult:
    """Ask all that is known of a stage. Raises `InvalidInput` if there is none of that name."""
    query = m.StageQuery(folder=folder, name=name)
    return StageResult(connect(project).call(ops.GET_STAGE, query=query, timeout=None))


def folder_of(project: Project, start: Path) -> str:
    """Return a folder as the worker knows it: relative to the project."""
    return "" if start == project.root else project.relative(start)
