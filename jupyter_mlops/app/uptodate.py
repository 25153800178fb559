"""The shortest answer to a pipeline request: that nothing has changed, without asking anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..core.pipelines import StageState
from ..core.runs import Status
from ..pipeline.freshness import known_stages, request_key
from . import messages as m
from .pipeline_requests import dvc_root
from .projects import Project


def up_to_date(project: Project, request: m.PipelineRequest) -> m.PipelineRunDetail | None:
    """Return what a pipeline run would come to if that is nothing for certain; None in doubt."""
    if request.force or request.pull:
        return None
    start = (project.root / request.folder).resolve()
    root = dvc_root(start)
    if root is None:
        return None
    key = request_key(
        start.relative_to(root).as_posix(),
        request.targets,
        single_item=request.single_item,
        downstream=request.downstream,
        all_pipelines=request.all_pipelines,
    )
    known = known_stages(root, key)
    if known is None:
        return None
    stages = [_stage(each) for each in known]
    now = datetime.now(UTC)
    run = m.PipelineRunView(
        id="",
        targets=request.targets,
        options={},
        status=Status.SUCCEEDED,
        error=None,
        origin=request.origin,
        total=len(stages),
        counts=dict(Counter(each.state for each in stages)),
        created_at=now,
        started_at=now,
        finished_at=now,
        duration=0.0,
    )
    return m.PipelineRunDetail(run=run, stages=stages)


def _stage(known: Mapping[str, Any]) -> m.StageView:
    """Describe a stage with which nothing was done."""
    return m.StageView(
        name=known["name"],
        group=known["group"],
        kind=known["kind"],
        file=known["file"],
        description=known["description"],
        upstream=known["upstream"],
        state=StageState(known["state"]),
        causes=[],
        error=None,
        notebook=None,
        run_id=None,
        cell=None,
        cells=None,
        cached=False,
        started_at=None,
        finished_at=None,
        duration=None,
    )
