"""The shortest answer to a pipeline request: that nothing has changed, without asking anybody."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import msgspec

from ..core.runs import Status
from ..pipeline import wire
from ..pipeline.freshness import known_stages, request_key
from . import messages as m
from .pipeline_requests import dvc_root
from .pipeline_views import merged
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
    try:
        found = msgspec.convert(known, list[wire.Stage])
    except msgspec.ValidationError:
        return None
    stages = [merged(each, live=None, last=None) for each in found]
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
