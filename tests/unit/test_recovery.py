"""What a new worker makes of the attempts that an earlier one left behind."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app.contexts import Contexts
from jupyter_mlops.app.projects import Project, find_project
from jupyter_mlops.app.recovery import recover
from jupyter_mlops.app.tasks import context_path, reads_path, result_path
from jupyter_mlops.core.executors import CellStarted, MetricsLogged, Outcome
from jupyter_mlops.core.runs import (
    ATTEMPT_VARIABLE,
    ENGINE_VARIABLE,
    PROJECT_VARIABLE,
    Attempt,
    MetricPoint,
    Reason,
    Status,
)
from jupyter_mlops.core.stages import Stage
from jupyter_mlops.execution import results
from jupyter_mlops.store import Store
from tests.support.records import a_sweep


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with an empty state."""
    (tmp_path / "mlops.toml").touch()
    found = find_project(tmp_path)
    (found.state / "journals").mkdir(parents=True)
    return found


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    """The project's store."""
    made = Store(project.id, url=None, state=project.state)
    yield made
    made.close()


def _running(store: Store, stage: Stage | None = None) -> Attempt:
    """An attempt whose worker is gone."""
    sweep = a_sweep(total=1, stage=stage)
    store.queue.submit(sweep, [{"x": 1}])
    attempt = store.queue.claim(f"{sweep.id}-1", worker="gone", fence=1)
    assert attempt is not None
    return attempt


def test_an_attempt_that_ended_unseen_is_recorded(store: Store, project: Project) -> None:
    """Its result says how it ended; it is neither lost nor executed again."""
    attempt = _running(store)
    outcome = Outcome(status=Status.SUCCEEDED, duration=7.5, cell_times=(1.0, 6.0))
    results.write(result_path(project, attempt), results.Result(outcome=outcome))
    (project.root / "rows.csv").write_text("x\n1\n")
    reads_path(project, attempt).write_text(f"{project.root / 'rows.csv'}\n", "utf-8")
    recover(project, store, Contexts(project), worker="new", fence=2)
    context = json.loads(context_path(project, attempt).read_text("utf-8"))
    assert [each["path"] for each in context["data"]] == ["rows.csv"]
    assert not reads_path(project, attempt).exists()
    run = store.history.run(attempt.run_id)
    assert (run.status, run.duration, run.attempts) == (Status.SUCCEEDED, 7.5, 1)
    assert store.queue.peek() is None
    recover(project, store, Contexts(project), worker="newer", fence=3)
    assert store.history.run(attempt.run_id).status is Status.SUCCEEDED


def test_a_lost_run_of_a_stage_is_not_tried_again(store: Store, project: Project) -> None:
    """Its pipeline goes on with the stage from the start, in a run of its own."""
    attempt = _running(store, Stage(pipeline_id="p1", name="train", folder="."))
    recover(project, store, Contexts(project), worker="new", fence=2)
    assert store.history.run(attempt.run_id).status is Status.CANCELLED
    (found,) = store.history.attempts(attempt.run_id)
    assert found.reason is Reason.LOST
    assert store.queue.peek() is None


def test_metrics_that_were_not_stored_yet_are_not_lost(store: Store, project: Project) -> None:
    """The result also says what was logged last, of which only what is missing is added."""
    attempt = _running(store)
    points = [MetricPoint(key="loss", value=1 / n, step=n, time=n) for n in (1, 2, 3)]
    points.append(MetricPoint(key="auc", value=math.nan, step=3, time=3.5))
    store.attempts.progress(attempt, cell=2)
    store.attempts.progress(attempt, logged=points[:1])
    log = results.Log()
    for progress in (CellStarted(cell=2), *(MetricsLogged(points=(each,)) for each in points)):
        log.note(progress)
    outcome = Outcome(status=Status.SUCCEEDED)
    results.write(result_path(project, attempt), log.result(outcome))
    recover(project, store, Contexts(project), worker="new", fence=2)
    found = store.history.series(attempt.id)
    assert [(p.key, p.step) for p in found] == [("auc", 3), ("loss", 1), ("loss", 2), ("loss", 3)]
    metrics = store.history.run(attempt.run_id).metrics
    assert (metrics["loss"], math.isnan(metrics["auc"])) == (1 / 3, True)


@pytest.mark.parametrize("left", [None, b"", b"\x83\xa7outc"])
def test_an_attempt_without_a_result_is_lost(
    store: Store, project: Project, left: bytes | None
) -> None:
    """No result, or a torn one, tells nothing: the run is tried again at once."""
    attempt = _running(store)
    if left is not None:
        result_path(project, attempt).write_bytes(left)
    recover(project, store, Contexts(project), worker="new", fence=2)
    (lost,) = store.history.attempts(attempt.run_id)
    assert (lost.status, lost.reason) == (Status.FAILED, Reason.LOST)
    found = store.queue.peek()
    assert found is not None
    assert (found[1].id, found[1].lost) == (attempt.run_id, 1)


def test_what_a_killed_worker_left_running_is_ended(
    store: Store, project: Project, tmp_path: Path
) -> None:
    """Its engine and what its lost attempts had started; nothing that is somebody else's."""
    attempt = _running(store)
    wait = [sys.executable, "-c", "import signal; signal.pause()"]

    def start(**variables: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(wait, env={**os.environ, **variables})

    ours = [
        start(**{ENGINE_VARIABLE: str(project.root)}),
        start(**{ATTEMPT_VARIABLE: attempt.id, PROJECT_VARIABLE: str(project.root)}),
    ]
    others = [
        start(**{ENGINE_VARIABLE: str(tmp_path / "other")}),
        start(**{ATTEMPT_VARIABLE: "another-1.1", PROJECT_VARIABLE: str(project.root)}),
    ]
    try:
        recover(project, store, Contexts(project), worker="new", fence=2)
        assert None not in [each.poll() for each in ours]
        assert [each.poll() for each in others] == [None] * 2
    finally:
        for each in (*ours, *others):
            each.kill()
            each.wait()


def test_remains_are_removed(store: Store, project: Project) -> None:
    """What was half written when it was killed; a notebook's journal is kept."""
    attempt = _running(store)
    journals, logs = project.state / "journals", project.state / "logs"
    logs.mkdir()
    for name in ("a-1.1.result", ".a-1.1.result.123", "a-1.1.jsonl.new", "a-2.1.jsonl"):
        (journals / name).write_text("x")
    (project.state / ".worker.json.77").write_text("{")
    (logs / f"{attempt.id}.log").touch()
    recover(project, store, Contexts(project), worker="new", fence=2)
    left = {path.name for path in journals.iterdir()}
    assert left == {"a-2.1.jsonl", f"{attempt.id}.context.json"}
    assert not list(project.state.glob(".worker*"))
    assert not list(logs.iterdir())
