"""Pipelines in words."""

from __future__ import annotations

from jupyter_mlops.app import messages as m
from jupyter_mlops.core.pipelines import CauseKind, StageState
from jupyter_mlops.reports import as_html, as_text
from jupyter_mlops.reports import pipelines as reports


def a_stage(name: str, **changes: object) -> m.StageView:
    """A stage that is up to date."""
    view = m.StageView(
        name=name,
        group=None,
        kind="stage",
        file="dvc.yaml",
        description=None,
        upstream=[],
        state=StageState.FRESH,
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
    for field, value in changes.items():
        setattr(view, field, value)
    return view


CAUSE = m.CauseView(
    kind=CauseKind.PARAMETER, what="params.yaml: depth", change="modified", text="depth modified"
)


def test_status_says_why() -> None:
    """The counts first, then a line for each stage."""
    stages = [
        a_stage("prepare"),
        a_stage("train@a", state=StageState.STALE, causes=[CAUSE], upstream=["prepare"]),
        a_stage("bad", state=StageState.FAILED, error="Exit code 3: false", causes=[CAUSE]),
    ]
    view = m.PipelineView(folder="", exists=True, stages=stages, last=None, problem=None)
    report = reports.status_report(view)
    assert report.headline == "3 stages · 1 failed · 1 stale · 1 up to date"
    text = as_text(report)
    assert "train@a  ↻ stale   depth modified" in text
    assert "bad      ✗ failed  Exit code 3: false" in text
    assert report.hints == (("Run them", "mlops pipeline run"),)


def test_no_pipeline() -> None:
    """It says what to do."""
    view = m.PipelineView(folder="", exists=False, stages=[], last=None, problem=None)
    assert "dvc init" in as_text(reports.status_report(view))


def test_a_graph_as_text() -> None:
    """Each stage stands below what it depends on."""
    stages = [a_stage("a"), a_stage("b", upstream=["a"]), a_stage("c", upstream=["a", "b"])]
    assert reports.tree_lines(stages) == ["✓ a", "  ✓ b  ← a", "    ✓ c  ← a, b"]


def test_names_stay_text() -> None:
    """Neither mermaid nor HTML takes a name for more than that."""
    name = 'x"]; click s0 "javascript:alert(1)" <img src=x onerror=alert(1)>'
    drawn = reports.mermaid([a_stage(name), a_stage("ümlaut", upstream=[name])])
    assert drawn.splitlines()[0] == "flowchart LR"
    assert drawn.count('"') == 4
    assert "<" not in drawn
    assert drawn.endswith("s0 --> s1")
    view = m.PipelineView(
        folder="", exists=True, stages=[a_stage(name)], last=None, problem="<b>bad</b>"
    )
    assert "<img" not in as_html(reports.status_report(view))
    assert "<b>" not in as_html(reports.status_report(view))


def test_how_stages_end() -> None:
    """A line each."""
    assert reports.stage_line(a_stage("a", state=StageState.SUCCEEDED, duration=1.25)) == (
        "✓ a  1.2 s"
    )
    cached = a_stage("a", state=StageState.SUCCEEDED, duration=0.1, cached=True)
    assert reports.stage_line(cached) == "✓ a  from the run cache"
    failed = a_stage("a", state=StageState.FAILED, duration=0.1, error="Exit code 1: x")
    assert reports.stage_line(failed) == "✗ a  0.1 s  Exit code 1: x"
    assert reports.stage_line(a_stage("a", state=StageState.SKIPPED)) == "⊘ a  skipped"
