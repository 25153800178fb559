"""Why a stage will run, asked of DVC's own dependencies and outputs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from dvc.dependency import ParamsDependency
from dvc.stage import PipelineStage

from ..core.pipelines import Cause, CauseKind

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.stage import Stage

    from .lockfile import Recorded


def causes(
    stage: Stage,
    recorded: Recorded,
    upstream: Collection[Stage] = (),
    *,
    forced: bool = False,
) -> tuple[Cause, ...]:
    """Return why ``dvc repro`` would run a stage; nothing if it would skip it.

    ``upstream`` are the stages that it depends on and that will run: what they write is not
    looked at.
    """
    if forced:
        return (Cause(kind=CauseKind.FORCED),)
    if isinstance(stage, PipelineStage) and recorded.of(stage) is None:
        return (Cause(kind=CauseKind.NEVER_RUN),)
    found = [Cause(kind=CauseKind.COMMAND)] if stage.changed_stage() else []
    if not stage.frozen:
        if stage.is_callback or stage.always_changed:
            found.append(Cause(kind=CauseKind.ALWAYS))
        for dependency in stage.deps:
            source = _source(dependency, upstream)
            if source is not None:
                found.append(Cause(kind=CauseKind.UPSTREAM, what=source.addressing))
            else:
                found += _of_dependency(dependency)
    for output in stage.outs:
        found += [
            Cause(kind=CauseKind.OUTPUT, what=path, change=str(change))
            for path, change in output.status().items()
        ]
    return tuple(dict.fromkeys(found))


def _source(dependency: Output, upstream: Collection[Stage]) -> Stage | None:
    """Return the stage that will write a dependency, or a part of it."""
    for stage in upstream:
        for output in stage.outs:
            if dependency.fs == output.fs and dependency.fs.overlaps(
                dependency.fs_path, output.fs_path
            ):
                return stage
    return None


def _of_dependency(dependency: Output) -> list[Cause]:
    found = []
    for path, change in dependency.status().items():
        if isinstance(dependency, ParamsDependency) and isinstance(change, dict):
            found += [
                Cause(kind=CauseKind.PARAMETER, what=f"{path}: {name}", change=str(how))
                for name, how in change.items()
            ]
        else:
            found.append(Cause(kind=CauseKind.DEPENDENCY, what=path, change=_word(change)))
    return found


def _word(change: object) -> str:
    """Return DVC's word for a change; of an import it tells what changed instead."""
    return change if isinstance(change, str) else "modified"
