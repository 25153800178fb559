"""Pipelines in words: what will run and why, how a run has ended, the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..app import messages as m
from ..app.following import PipelineUpdate
from ..core import formats
from ..core.pipelines import StageState
from ..core.runs import Status
from .form import Column, Report, Table

#: Each state's shape; the word stands beside it.
MARKS: Mapping[StageState, str] = {
    StageState.FRESH: "✓",
    StageState.STALE: "↻",
    StageState.QUEUED: "○",
    StageState.RUNNING: "◐",
    StageState.SUCCEEDED: "✓",
    StageState.FAILED: "✗",
    StageState.SKIPPED: "⊘",
    StageState.FROZEN: "❄",
}

#: Order in which states are counted in a line: what matters first.
_COUNTED = (
    (StageState.FAILED, "failed"),
    (StageState.RUNNING, "running"),
    (StageState.QUEUED, "queued"),
    (StageState.STALE, "stale"),
    (StageState.SUCCEEDED, "ran"),
    (StageState.SKIPPED, "skipped"),
    (StageState.FROZEN, "frozen"),
    (StageState.FRESH, "up to date"),
)


def state(stage: m.StageView) -> str:
    """Write where a stage stands: ``↻ stale``, ``◐ cell 3/7``."""
    mark = MARKS[stage.state]
    if stage.state is StageState.RUNNING and stage.cell is not None and stage.cells is not None:
        return f"{mark} cell {stage.cell}/{stage.cells}"
    if stage.state is StageState.SUCCEEDED and stage.cached:
        return f"{mark} from the run cache"
    return f"{mark} {stage.state}"


def why(stage: m.StageView) -> str:
    """Write why a stage will run, or what went wrong."""
    if stage.state is StageState.FAILED and stage.error:
        return stage.error
    return ", ".join(each.text for each in stage.causes)


def counts_text(counts: Mapping[StageState, int]) -> str:
    """Count states in words: ``1 failed · 3 ran · 20 up to date``."""
    parts = [f"{counts[each]:,} {word}" for each, word in _COUNTED if counts.get(each)]
    return " · ".join(parts)


def stage_line(stage: m.StageView) -> str:
    """Write how a stage has ended, in a line."""
    took = formats.duration(stage.duration)
    parts = [f"{MARKS[stage.state]} {stage.name}", took]
    if stage.state is StageState.FAILED:
        parts.append(stage.error or "failed")
    elif stage.state is StageState.SUCCEEDED and stage.cached:
        parts[1] = "from the run cache"
    elif stage.state in (StageState.SKIPPED, StageState.FRESH, StageState.FROZEN):
        parts[1] = "up to date" if stage.state is StageState.FRESH else str(stage.state)
    return "  ".join(part for part in parts if part)


def progress_lines(update: PipelineUpdate) -> list[str]:
    """Write what is new of a pipeline run: what it waits for, and the stages that have ended."""
    waits = [update.run.waits_for] if update.run.waits_for else []
    return waits + [stage_line(each) for each in update.ended]


def run_headline(run: m.PipelineRunView) -> str:
    """Write how a pipeline run stands, in a line."""
    took = formats.duration(run.duration)
    if run.status is Status.SUCCEEDED and not run.counts.get(StageState.SUCCEEDED):
        return f"✓ Everything is up to date ({formats.counted(run.total, 'stage')})."
    words = {
        Status.SUCCEEDED: "✓ Pipeline succeeded",
        Status.FAILED: "✗ Pipeline failed",
        Status.CANCELLED: "⊘ Pipeline cancelled",
        Status.RUNNING: "◐ Pipeline is running",
        Status.QUEUED: "○ Pipeline is queued",
    }
    parts = [words[run.status], counts_text(run.counts), took]
    return " · ".join(part for part in parts if part)


def run_report(detail: m.PipelineRunDetail) -> Report:
    """Tell what a pipeline run has come to."""
    run = detail.run
    failed = [each for each in detail.stages if each.state is StageState.FAILED]
    details = [f"{each.name}: {each.error}" for each in failed]
    if run.error and not details:
        details.append(run.error)
    hints = [("See its stages", "mlops pipeline status")]
    if failed:
        hints = [("See what it printed", f"mlops pipeline status {failed[0].name}")]
    return Report(
        headline=run_headline(run),
        details=tuple(details),
        hints=() if run.status is Status.SUCCEEDED else tuple(hints),
    )


def status_report(view: m.PipelineView) -> Report:
    """Tell where the stages stand, those first that will run."""
    if not view.exists:
        return Report(
            headline="There is no pipeline here yet.",
            details=("Wire notebooks together in a dvc.yaml, after: dvc init",),
        )
    counts: dict[StageState, int] = {}
    for each in view.stages:
        counts[each.state] = counts.get(each.state, 0) + 1
    stale = counts.get(StageState.STALE, 0) + counts.get(StageState.FAILED, 0)
    headline = (
        f"{formats.counted(len(view.stages), 'stage')} · {counts_text(counts)}"
        if view.stages
        else "The pipeline cannot be read."
    )
    return Report(
        headline=headline,
        details=(view.problem,) if view.problem else (),
        table=stages_table(view.stages),
        hints=(("Run them", "mlops pipeline run"),) if stale else (),
    )


def plan_report(stages: Sequence[m.StageView]) -> Report:
    """Tell what would run."""
    will = [each for each in stages if each.causes]
    if not will:
        return Report(
            headline=f"Nothing would run: {formats.counted(len(stages), 'stage')} up to date."
        )
    return Report(
        headline=f"{formats.counted(len(will), 'stage')} of {len(stages):,} would run.",
        table=stages_table(will),
    )


def stages_table(stages: Sequence[m.StageView]) -> Table:
    """Write stages as a table."""
    return Table.of(
        (Column("stage"), Column("state"), Column("why"), Column("took", right=True, spare=True)),
        ((each.name, state(each), why(each), formats.duration(each.duration)) for each in stages),
    )


def detail_report(detail: m.StageDetail) -> Report:
    """Tell all that is known of a stage."""
    stage = detail.stage
    lines = [f"Command: {each}" for each in detail.command]
    lines += [f"Why: {each.text}" for each in stage.causes]
    if stage.error:
        lines.append(f"Failed: {stage.error}")
    if stage.run_id:
        lines.append(f"Run: {stage.run_id}")
    lines += [
        f"Metric: {each.name} = {formats.value(each.value)}"
        + (f" (was {formats.value(each.before)})" if each.before is not None else "")
        for each in detail.metrics
    ]
    if detail.log:
        lines += ["Last lines that it printed:", *(f"  {x}" for x in detail.log.splitlines()[-20:])]
    rows = [("needs", each) for each in detail.dependencies]
    rows += [("makes", each) for each in detail.outputs]
    return Report(
        headline=f"{stage.name}  {state(stage)}",
        details=tuple(lines),
        table=Table.of(
            (Column(""), Column("path"), Column("size", right=True), Column("change")),
            (
                (role, each.path, formats.size(each.size) if each.size else "", each.change or "")
                for role, each in rows
            ),
        ),
    )


def tree_lines(stages: Sequence[m.StageView]) -> list[str]:
    """Draw the graph as text: each stage below the last of those that it depends on."""
    depth: dict[str, int] = {}
    lines = []
    for each in stages:
        depth[each.name] = max((depth.get(up, -1) for up in each.upstream), default=-1) + 1
        needs = f"  ← {', '.join(each.upstream)}" if each.upstream else ""
        lines.append(f"{'  ' * depth[each.name]}{MARKS[each.state]} {each.name}{needs}")
    return lines


def mermaid(stages: Sequence[m.StageView]) -> str:
    """Draw the graph as a mermaid flowchart."""
    ids = {each.name: f"s{number}" for number, each in enumerate(stages)}
    lines = ["flowchart LR"]
    lines += [f'  {ids[each.name]}["{_label(each.name)}"]' for each in stages]
    lines += [
        f"  {ids[up]} --> {ids[each.name]}" for each in stages for up in each.upstream if up in ids
    ]
    return "\n".join(lines)


def _label(name: str) -> str:
    """Write a name so that mermaid takes it as text."""
    return "".join(
        each if each.isalnum() or each in " _-./:@" else f"#{ord(each)};" for each in name
    )
