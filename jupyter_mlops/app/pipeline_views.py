"""Stages as clients see them, from what DVC says of them and what runs did with them."""

from __future__ import annotations

from ..core.pipelines import Cause, StageRun, StageState
from ..pipeline import wire
from . import messages as m


def merged(stage: wire.Stage, live: StageRun | None, last: StageRun | None) -> m.StageView:
    """Describe a stage by what DVC says of it now, the run under way, and the last one."""
    known = live or last
    view = stage_view(known, stage)
    if live is None:
        view.state = stage.state
        view.causes = [_cause(each) for each in stage.causes]
        # What failed is still to be done.
        if last is not None and last.state is StageState.FAILED and stage.causes:
            view.state = StageState.FAILED
        elif not stage.causes:
            view.error = None
    return view


def stage_view(known: StageRun | None, stage: wire.Stage | None) -> m.StageView:
    """Describe a stage by what a run did with it and by what DVC says of it."""
    return m.StageView(
        name=known.stage if known is not None else stage.name if stage is not None else "",
        group=stage.group if stage is not None else None,
        kind=stage.kind if stage is not None else "stage",  # type: ignore[arg-type]
        file=stage.file if stage is not None else "",
        description=stage.description if stage is not None else None,
        upstream=stage.upstream if stage is not None else [],
        state=known.state if known is not None else StageState.STALE,
        causes=[_cause(each) for each in known.causes] if known is not None else [],
        error=known.error if known is not None else None,
        notebook=None,
        run_id=known.run_id if known is not None else None,
        cell=None,
        cells=None,
        cached=known.cached if known is not None else False,
        started_at=known.started_at if known is not None else None,
        finished_at=known.finished_at if known is not None else None,
        duration=known.duration if known is not None else None,
    )


def _cause(cause: Cause) -> m.CauseView:
    return m.CauseView(kind=cause.kind, what=cause.what, change=cause.change, text=str(cause))
