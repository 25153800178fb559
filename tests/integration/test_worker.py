"""The worker as its clients see it: real kernels, real MLflow, real processes that die."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import mlflow
import nbformat
import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import (
    Conflict,
    InvalidInput,
    KernelMissing,
    MlopsError,
    NotAllowedPath,
    NotebookUnreadable,
    NotFound,
    SpaceTooLarge,
    UnknownParameter,
    WorkerUnavailable,
)
from jupyter_mlops.core.runs import Reason, Status, SweepKind
from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.support.workers import wait_for

LOG_METRIC = (
    "from IPython.display import publish_display_data\n"
    "def log(key, value, step):\n"
    "    publish_display_data({'application/vnd.jupyter-mlops.metrics.v1+json': {'points':\n"
    "        [{'key': key, 'value': value, 'step': step, 'time': 1.5 + step}]}})\n"
)
FOREVER = "import threading; threading.Event().wait()"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of an empty project."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        yield made


def _submit(client: Client, notebook: str = "train.ipynb", **request: object) -> m.SweepView:
    body = m.SubmitRequest(notebook=notebook, **request)  # type: ignore[arg-type]
    return client.call(ops.SUBMIT, body=body)


def _write(client: Client, *cells: str, name: str = "train.ipynb") -> Path:
    return write_notebook(client.project.root / name, *cells)


def _started(client: Client, sweep_id: str, cell: int) -> m.RunView:
    """Wait until a run of the sweep has begun a cell."""
    for event in client.events(0, beat=5):
        if event and event.run_id and event.sweep_id == sweep_id and event.data.get("cell") == cell:
            return client.call(ops.GET_RUN, run_id=event.run_id).run
    raise AssertionError


def _mlflow_client(client: Client) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{client.project.state / 'mlflow.db'}")


def test_a_sweep_is_executed_and_tracked(client: Client) -> None:
    """Every point has its run, output, metrics by step and MLflow run; the best is named."""
    _write(client, "x: int = 1", LOG_METRIC + "log('auc', x / 10, 0); log('auc', x / 5, 1)")
    sweep = wait_for(
        client, _submit(client, space={"x": "1..3"}, metric="auc", experiment="flights").id
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
        assert [a.path for a in tracked.list_artifacts(run.mlflow_run_id)] == [f"{run.id}.ipynb"]


def test_plain_mlflow_lands_in_the_same_run(client: Client) -> None:
    """What a notebook logs with mlflow itself is part of its run, and of its metrics here."""
    _write(
        client, "x = 1", "import mlflow; mlflow.log_metric('rmse', 0.25); mlflow.log_param('p', 1)"
    )
    sweep = wait_for(client, _submit(client, kind=SweepKind.RUN).id)
    (run,) = workers.runs(client, sweep.id)
    assert run.metrics == {"rmse": 0.25}
    assert run.mlflow_run_id is not None
    assert _mlflow_client(client).get_run(run.mlflow_run_id).data.params["p"] == "1"


def test_a_failure_is_told_and_others_go_on(client: Client) -> None:
    """One line, the cell, the reason; MLflow says FAILED; a retry makes a second attempt."""
    _write(client, "x = 1", "if x == 2: raise ValueError('bad lr')")
    sweep = wait_for(client, _submit(client, space={"x": "1,2"}).id)
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


def test_nothing_is_lost_when_the_worker_is_killed(client: Client) -> None:
    """The attempts of a killed worker are found lost and tried again; no kernel is left behind."""
    gate = client.project.root / "gate"
    cell = f"import os, time\nif not os.path.exists({str(gate)!r}): {FOREVER}"
    _write(client, "x = 1", cell)
    sweep = _submit(client, space={"x": "1..3"})
    _started(client, sweep.id, 3)
    kernels = _kernels_of(client)
    assert kernels
    workers.kill(client)
    gate.touch()
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 3)
    assert not [each for each in kernels if each.is_running() and each.status() != "zombie"]
    attempts = [
        attempt
        for run in workers.runs(client, sweep.id)
        for attempt in client.call(ops.GET_RUN, run_id=run.id).attempts
    ]
    assert {a.reason for a in attempts if a.status is Status.FAILED} == {Reason.LOST}
    assert len([a for a in attempts if a.status is Status.SUCCEEDED]) == 3
    with sqlite3.connect(client.project.state / "store.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _kernels_of(client: Client) -> list[psutil.Process]:
    worker = psutil.Process(client.call(ops.HEALTH).pid)
    return [p for p in worker.children(recursive=True) if "ipykernel" in " ".join(p.cmdline())]


def test_cancel_stops_what_runs_and_what_waits(client: Client) -> None:
    """The running kernel ends, the others never start, and the sweep is cancelled as a whole."""
    _write(client, "x = 1", FOREVER)
    sweep = _submit(client, space={"x": "1..5"})
    _started(client, sweep.id, 3)
    client.call(ops.CANCEL_SWEEP, sweep_id=sweep.id)
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.cancelled) == (Status.CANCELLED, 5)
    assert {r.reason for r in workers.runs(client, sweep.id)} == {Reason.USER}


def test_delete_removes_records_files_and_tracked_runs(client: Client) -> None:
    """Nothing of a deleted sweep remains; a running one is refused."""
    _write(client, "x = 1", "print(x)")
    sweep = wait_for(client, _submit(client, space={"x": "1,2"}).id)
    (first, _) = workers.runs(client, sweep.id)
    client.call(ops.DELETE_RUN, run_id=first.id)
    assert [r.index for r in workers.runs(client, sweep.id)] == [2]
    client.call(ops.DELETE_SWEEP, sweep_id=sweep.id)
    with pytest.raises(NotFound, match="runs list"):
        client.call(ops.GET_SWEEP, sweep_id=sweep.id)
    assert not list((client.project.root / "runs").rglob("*.ipynb"))
    assert first.mlflow_run_id is not None
    assert _mlflow_client(client).get_run(first.mlflow_run_id).info.lifecycle_stage == "deleted"


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ({"notebook": "gone.ipynb"}, NotebookUnreadable, "no such notebook"),
        ({"notebook": "broken.ipynb"}, NotebookUnreadable, "broken.ipynb"),
        ({"notebook": "../secret.ipynb"}, NotAllowedPath, "outside"),
        ({"space": {"y": "1"}}, UnknownParameter, "x"),
        ({"space": {"x": "log(1,2"}}, InvalidInput, "parenthesis"),
        ({"space": {"x": "1..1000000000"}}, SpaceTooLarge, "1,000,000,000"),
        ({"kernel": "julia-9"}, KernelMissing, "python3"),
        ({"executor": "slurm"}, InvalidInput, "local"),
        ({"cpus": 1000}, InvalidInput, "1000"),
        ({"gpus": 9}, InvalidInput, "gpus"),
        ({"memory": 10**15}, InvalidInput, "GB"),
        ({"kind": SweepKind.RUN, "space": {"x": "1,2"}}, InvalidInput, "sweep"),
        ({"values": {"x": [2**70]}}, InvalidInput, "64 bits"),
    ],
)
def test_what_cannot_run_is_refused_at_once(
    shared_client: Client, request_: dict[str, object], error: type[MlopsError], words: str
) -> None:
    """One line that says what is wrong, and nothing is queued."""
    with pytest.raises(error, match=words) as refused:
        _submit(shared_client, **request_)
    assert "\n" not in refused.value.message
    assert shared_client.call(ops.LIST_SWEEPS, query=m.ListQuery()) == []


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker for tests that leave nothing behind."""
    folder = workers.make_project(tmp_path_factory.mktemp("shared") / "project")
    write_notebook(folder / "train.ipynb", "x: int = 1")
    write_notebook(folder.parent / "secret.ipynb", "x = 1")
    (folder / "broken.ipynb").write_text('{"cells": [', "utf-8")
    with workers.worker(folder) as made:
        yield made


def test_the_form_learns_from_earlier_sweeps(client: Client) -> None:
    """Types and defaults come from the cell; space, metric and durations from the last sweep."""
    _write(client, "x: int = 1  # how deep\npassword = 'hunter2'", LOG_METRIC + "log('auc', x, 0)")
    fresh = client.call(ops.PARAMETERS, query=m.NotebookQuery(notebook="train.ipynb"))
    assert (fresh.parameters[0].name, fresh.parameters[0].default_text) == ("x", "1")
    assert "hunter2" not in str(fresh)
    assert (fresh.last_space, fresh.seconds_per_run, fresh.metrics) == (None, None, [])
    space = {"x": "1,2", "password": "'s3cret'"}
    sweep = wait_for(client, _submit(client, space=space, metric="auc").id)
    assert "s3cret" not in str(workers.runs(client, sweep.id))
    learned = client.call(ops.PARAMETERS, query=m.NotebookQuery(notebook="train.ipynb"))
    assert learned.last_space is not None
    assert learned.last_space["x"] == "1,2"
    assert learned.metrics == ["auc"]
    assert learned.seconds_per_run is not None
    preview = client.call(
        ops.PREVIEW, body=m.SpaceRequest(notebook="train.ipynb", space={"x": "1..4"})
    )
    assert (preview.count, preview.errors) == (4, {})
    assert preview.seconds is not None
    wrong = client.call(
        ops.PREVIEW, body=m.SpaceRequest(notebook="train.ipynb", space={"x": "1,two"})
    )
    assert wrong.count is None
    assert list(wrong.errors) == ["x"]


def test_a_run_that_sweeps_does_not_wait_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one core, a notebook that waits for its own sweep gives its core to that sweep."""
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "1")
    with workers.worker(workers.make_project(tmp_path / "one")) as client:
        _write(client, "y = 0", "print(y)", name="inner.ipynb")
        sweep_in_it = (
            "import jupyter_mlops as mlops\n"
            "print(mlops.sweep('inner.ipynb', {'y': [1, 2]}).frame['status'].tolist())"
        )
        _write(client, "x = 1", sweep_in_it, name="outer.ipynb")
        done = wait_for(client, _submit(client, "outer.ipynb", kind=SweepKind.RUN).id)
        assert done.status is Status.SUCCEEDED, workers.runs(client, done.id)[0].error
        sweeps = client.call(ops.LIST_SWEEPS, query=m.ListQuery())
        assert [(s.notebook, s.counts.succeeded) for s in sweeps] == [
            ("inner.ipynb", 2),
            ("outer.ipynb", 1),
        ]


def test_two_projects_share_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together they never run more attempts than there are cores."""
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "1")
    log = tmp_path / "log"
    cell = (
        "import os\n"
        f"fd = os.open({str(log)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
        "os.write(fd, b'+'); sum(range(10**6)); os.write(fd, b'-')"
    )
    with (
        workers.worker(workers.make_project(tmp_path / "a")) as a,
        workers.worker(workers.make_project(tmp_path / "b")) as b,
    ):
        sweeps = []
        for client in (a, b):
            _write(client, "x = 1", cell)
            sweeps.append((client, _submit(client, space={"x": "1..3"}).id))
        for client, sweep_id in sweeps:
            assert wait_for(client, sweep_id).status is Status.SUCCEEDED
    assert log.read_text() == "+-" * 6


def test_events_come_as_they_happen_and_can_be_asked_for_again(client: Client) -> None:
    """A listener sees every number once; what it missed is listed."""
    _write(client, "x = 1", "print(x)")
    seen: list[m.EventView] = []

    def listen() -> None:
        for event in client.events(0, beat=5):
            if event is not None:
                seen.append(event)
                if event.kind == "sweep" and event.status == Status.SUCCEEDED:
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    sweep = _submit(client)
    listener.join(60)
    assert not listener.is_alive()
    assert [e.seq for e in seen] == list(range(1, len(seen) + 1))
    assert {e.sweep_id for e in seen} == {sweep.id}
    again = client.call(ops.EVENTS, query=m.EventsQuery(after=2))
    assert again == seen[2:]


def test_a_changed_notebook_runs_as_it_was_submitted(client: Client) -> None:
    """The snapshot is executed, and the sweep says that the source has changed since."""
    path = _write(client, "x = 1", "print('before')")
    sweep = _submit(client, space={"x": "1..3"})
    write_notebook(path, "x = 1", "raise RuntimeError('after')")
    done = wait_for(client, sweep.id)
    assert done.status is Status.SUCCEEDED
    assert done.source_changed


def test_kernels_get_the_submitters_variables_and_dotenv(client: Client) -> None:
    """They reach the kernel, numeric libraries keep to their share, and nothing is stored."""
    (client.project.root / ".env").write_text("FROM_FILE=one\n", "utf-8")
    names = ["FROM_FILE", "FROM_SHELL", "OMP_NUM_THREADS", "JUPYTER_MLOPS_ATTEMPT"]
    _write(
        client, "x = 1", f"import os, json; print(json.dumps([os.environ.get(n) for n in {names}]))"
    )
    environment = {**os.environ, "FROM_SHELL": "hunter2hunter2"}
    sweep = wait_for(client, _submit(client, space={"x": "1..4"}, environment=environment).id)
    (first, *_) = workers.runs(client, sweep.id)
    assert first.output is not None
    nb = nbformat.read(client.project.root / first.output, as_version=4)
    assert json.loads(nb.cells[-1].outputs[0].text) == [
        "one",
        "hunter2hunter2",
        "1",
        f"{first.id}.1",
    ]
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


def test_an_idle_worker_ends(tmp_path: Path) -> None:
    """It leaves no socket, and the next request starts another."""
    folder = workers.make_project(tmp_path / "idle", "idle_minutes = 0.02\n")
    client = connect(folder)
    process = psutil.Process(client.call(ops.HEALTH).pid)
    process.wait(60)
    with pytest.raises(WorkerUnavailable):
        client.call(ops.HEALTH)
    with workers.worker(folder) as again:
        assert again.call(ops.HEALTH).pid != process.pid


def test_many_clients_start_one_worker(tmp_path: Path) -> None:
    """However many ask at the same time, a project has one worker."""
    folder = workers.make_project(tmp_path / "many")
    pids: list[int] = []
    threads = [
        threading.Thread(target=lambda: pids.append(connect(folder).call(ops.HEALTH).pid))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers.stop(folder)
    assert len(pids) == 5
    assert len(set(pids)) == 1


def test_the_state_is_private(client: Client) -> None:
    """Folder 0700, socket 0600, ignored by git."""
    assert client.project.state.stat().st_mode & 0o777 == 0o700
    assert client._socket.stat().st_mode & 0o777 == 0o600
    assert (client.project.state / ".gitignore").read_text() == "*\n"
    assert find_project(client.project.root) == client.project
