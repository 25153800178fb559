"""What to say about the files that a run kept."""

from __future__ import annotations

import shlex

from ..app import messages as m
from ..core import formats
from .form import Column, Report, Table

#: Files that are named where a run is told of.
_SHOWN = 20


def artifact_lines(kept: m.ArtifactsView) -> list[str]:
    """Name what a run kept, in the midst of what is told of it."""
    lines = [f"Artifacts: {formats.counted(len(kept.artifacts), 'file')}"] if kept.artifacts else []
    lines += [f"  {_line(each)}" for each in kept.artifacts[:_SHOWN]]
    if len(kept.artifacts) > _SHOWN:
        lines.append(f"  and {len(kept.artifacts) - _SHOWN:,} more")
    return lines + ([f"Artifacts: {kept.problem}"] if kept.problem else [])


def artifact_hints(kept: m.ArtifactsView) -> tuple[tuple[str, str], ...]:
    """Say how to fetch one."""
    if not kept.artifacts:
        return ()
    return (("Fetch a file", f"mlops runs show {kept.run_id} --artifact PATH --output FILE"),)


def artifacts_report(kept: m.ArtifactsView) -> Report:
    """Report all files that a run kept."""
    count = formats.counted(len(kept.artifacts), "artifact")
    table = Table.of(
        (Column("path"), Column("size", right=True), Column("type", spare=True)),
        ((each.path, _size(each), each.media_type) for each in kept.artifacts),
    )
    return Report(
        headline=f"{kept.run_id} · {count}{' and more' if kept.more else ''}",
        details=(kept.problem,) if kept.problem else (),
        table=table,
        hints=artifact_hints(kept),
    )


def artifact_report(run_id: str, view: m.ArtifactView) -> Report:
    """Report one file."""
    fetch = f"mlops runs show {run_id} --artifact {shlex.quote(view.path)} --output FILE"
    return Report(
        headline=f"{view.path} · {_size(view)} · {view.media_type}",
        details=(f"sha256: {view.sha256}",),
        hints=(("Fetch it", fetch),),
    )


def _line(view: m.ArtifactView) -> str:
    return "  ".join(part for part in (view.path, _size(view)) if part)


def _size(view: m.ArtifactView) -> str:
    return "" if view.size is None else formats.size(view.size)
