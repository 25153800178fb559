"""The worker as its clients see it: real kernels, real MLflow."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Iterator

import mlflow
import nbformat
import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import (
    Conflict,
    NotFound,
)
from jupyter_mlops.core.runs import Reason, Status, SweepKind
from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.support.workers import FOREVER, LOG_METRIC, started, submit, wait_for, write


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the worker of a project; each test writes its own notebook there."""
    folder = workers.make_project(tmp_path_factory.mktemp("worker") / "project")
    with workers.worker(folder) as made:
        yield made


def _mlflow_client(client: Client) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{client.project.state / 'mlflow.db'}")


def test_a_sweep_is_executed_and_tracked(client: Client) -> None:
    """Every point has its run, output, metrics by step and MLflow run; the best is named."""
    write(client, "x: int = 1", LOG_METRIC + "log('auc', x / 10, 0); log('auc', x / 5, 1)")
    sweep = wait_for(
        client, submit(client, space={"x": "1..3"}, metric="auc", experiment="flights").id
    )
    assert (sweep.status, sweep.counts.succeeded) == (Status.SUCCEEDED, 3)
    assert sweep.best is not None
    assert (sweep.best.run_id, sweep.best.value) == (f"{sweep.id}-3", 0.6)
    runs = workers.runs(client, sweep.id)
    assert [r.parameters for r in runs] == [{"x": 1}, {"x": 2}, {"x": 3}]
    for run in runs:
        assert run.output == f"runs/train/{sweep.id}/{run.id}.ipynb"
        nbformat.validate(nbformat.read(client.project.root / run.output, as_version=4))
        assert run.duration is not None
    (series,) = client.call(ops.RUN_METRICS, query=m.MetricsQuery(), run_id=runs[2].id)
    assert (series.key, series.steps, series.values) == ("auc", [0, 1], [0.3, 0.6])
    tracked = _mlflow_client(client)
    assert sweep.mlflow_run_id is not None
    parent = tracked.get_run(sweep.mlflow_run_id)
    assert parent.info.status == "FINISHED"
    for run in runs:
        assert run.mlflow_run_id is not None
        found = tracked.get_run(run.mlflow_run_id)
        assert found.info.status == "FINISHED"
        assert found.data.tags["mlflow.parentRunId"] == sweep.mlflow_run_id
        assert found.data.params == {"x": str(run.parameters["x"])}
        assert found.data.metrics == {"auc": run.metrics["auc"]}
        kept = [each.path for each in tracked.list_artifacts(run.mlflow_run_id)]
        assert kept == [f"{run.id}.1.context.json", f"{run.id}.ipynb"]


def test_plain_mlflow_lands_in_the_same_run(client: Client) -> None:
    """What a notebook logs with mlflow itself is part of its run, and of its metrics here."""
    write(
        client, "x = 1", "import mlflow; mlflow.log_metric('rmse', 0.25); mlflow.log_param('p', 1)"
    )
    sweep = wait_for(client, submit(client, kind=SweepKind.RUN).id)
    (run,) = workers.runs(client, sweep.id)
    assert run.metrics == {"rmse": 0.25}
    assert run.mlflow_run_id is not None
    assert _mlflow_client(client).get_run(run.mlflow_run_id).data.params["p"] == "1"


def test_a_failure_is_told_and_others_go_on(client: Client) -> None:
    """One line, the cell, the reason; MLflow says FAILED; a retry makes a second attempt."""
    write(client, "x = 1", "if x == 2: raise ValueError('bad lr')")
    sweep = wait_for(client, submit(client, space={"x": "1,2"}).id)
    assert (sweep.status, sweep.counts.succeeded, sweep.counts.failed) == (Status.FAILED, 1, 1)
    failed = workers.runs(client, sweep.id)[1]
    assert (failed.reason, failed.error) == (Reason.ERROR, "ValueError: bad lr")
    first = failed.mlflow_run_id
    client.call(ops.RETRY_RUN, run_id=failed.id)
    wait_for(client, sweep.id)
    detail = client.call(ops.GET_RUN, run_id=failed.id)
    assert [a.status for a in detail.attempts] == [Status.FAILED, Status.FAILED]
    assert [a.failed_cell for a in detail.attempts] == [3, 3]
    assert detail.run.mlflow_run_id not in (None, first)


def test_cancel_stops_what_runs_and_what_waits(client: Client) -> None:
    """The running kernel ends, the others never start, and the sweep is cancelled as a whole."""
    write(client, "x = 1", FOREVER)
    sweep = submit(client, space={"x": "1..5"})
    started(client, sweep.id, 3)
    client.call(ops.CANCEL_SWEEP, sweep_id=sweep.id)
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.cancelled) == (Status.CANCELLED, 5)
    assert {r.reason for r in workers.runs(client, sweep.id)} == {Reason.USER}


def test_delete_removes_records_files_and_tracked_runs(client: Client) -> None:
    """Nothing of a deleted sweep remains; a running one is refused."""
    write(client, "x = 1", "print(x)")
    sweep = wait_for(client, submit(client, space={"x": "1,2"}).id)
    (first, _) = workers.runs(client, sweep.id)
    client.call(ops.DELETE_RUN, run_id=first.id)
    assert [r.index for r in workers.runs(client, sweep.id)] == [2]
    client.call(ops.DELETE_SWEEP, sweep_id=sweep.id)
    with pytest.raises(NotFound, match="runs list"):
        client.call(ops.GET_SWEEP, sweep_id=sweep.id)
    assert not (client.project.root / "runs" / "train" / sweep.id).exists()
    assert first.mlflow_run_id is not None
    assert _mlflow_client(client).get_run(first.mlflow_run_id).info.lifecycle_stage == "deleted"


def test_events_come_as_they_happen_and_can_be_asked_for_again(client: Client) -> None:
    """A listener sees every number once; what it missed is listed."""
    write(client, "x = 1", "print(x)")
    seen: list[m.EventView] = []
    before = client.call(ops.STATUS).seq

    def listen() -> None:
        for event in client.events(before, beat=5):
            if event is not None:
                seen.append(event)
                if event.kind == "sweep" and event.status == Status.SUCCEEDED:
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    sweep = submit(client)
    listener.join(60)
    assert not listener.is_alive()
    assert [e.seq for e in seen] == list(range(before + 1, before + len(seen) + 1))
    assert {e.sweep_id for e in seen} == {sweep.id}
    again = client.call(ops.EVENTS, query=m.EventsQuery(after=before + 2))
    assert again == seen[2:]


def test_a_changed_notebook_runs_as_it_was_submitted(client: Client) -> None:
    """The snapshot is executed, and the sweep says that the source has changed since."""
    path = write(client, "x = 1", "print('before')")
    sweep = submit(client, space={"x": "1..3"})
    write_notebook(path, "x = 1", "raise RuntimeError('after')")
    done = wait_for(client, sweep.id)
    assert done.status is Status.SUCCEEDED
    assert done.source_changed


def test_kernels_get_the_submitters_variables_and_dotenv(client: Client) -> None:
    """They reach the kernel, numeric libraries keep to their share, and nothing is stored."""
    (client.project.root / ".env").write_text("FROM_FILE=one\n", "utf-8")
    names = ["FROM_FILE", "FROM_SHELL", "OMP_NUM_THREADS", "JUPYTER_MLOPS_ATTEMPT"]
    write(
        client, "x = 1", f"import os, json; print(json.dumps([os.environ.get(n) for n in {names}]))"
    )
    environment = {**os.environ, "FROM_SHELL": "hunter2hunter2"}
    sweep = wait_for(client, submit(client, space={"x": "1..4"}, environment=environment).id)
    (first, *_) = workers.runs(client, sweep.id)
    assert first.output is not None
    nb = nbformat.read(client.project.root / first.output, as_version=4)
    assert json.loads(nb.cells[-1].outputs[0].text) == [
        "one",
        "hunter2hunter2",
        "1",
        f"{first.id}.1",
    ]
    context = client.call(ops.GET_RUN, run_id=first.id).context
    assert len(context["environment_sha256"]) == 64
    assert context["tracking_uri"].endswith("mlflow.db")
    for path in client.project.state.glob("store.db*"):
        assert b"hunter2hunter2" not in path.read_bytes()


def test_interactive_work_is_a_run_too(client: Client) -> None:
    """A session has metrics, parameters and an MLflow run; it closes with its process."""
    me = psutil.Process()
    body = m.SessionRequest(
        pid=me.pid, pid_started=me.create_time(), experiment="notes", parameters={"lr": 0.1}
    )
    session = client.call(ops.OPEN_SESSION, body=body)
    assert session.environment["MLFLOW_RUN_ID"] == session.run.mlflow_run_id
    point = m.Point(key="loss", value={"$float": "nan"}, step=3, time=1.0)
    log = m.LogRequest(points=[point], parameters={"batch": 8})
    client.call(ops.LOG_SESSION, body=log, run_id=session.run.id)
    done = client.call(ops.FINISH_SESSION, body=m.FinishRequest(), run_id=session.run.id)
    assert (done.status, done.parameters) == (Status.SUCCEEDED, {"lr": 0.1, "batch": 8})
    assert done.metrics == {"loss": {"$float": "nan"}}
    assert done.mlflow_run_id is not None
    found = _mlflow_client(client).get_run(done.mlflow_run_id)
    assert math.isnan(found.data.metrics["loss"])
    with pytest.raises(Conflict, match="session"):
        client.call(ops.RETRY_RUN, run_id=done.id)
