"""Runs go on while the tracking server is away; what they were to tell it waits and is replayed."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.cli import main
from tests.support import workers
from tests.support.mlflow_server import Server
from tests.support.tracked import MLFLOW_WARNING

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings(MLFLOW_WARNING)]

TOKEN = "a-token-of-the-server"
#: A parameter that is longer than MLflow keeps.
LONG = "x" * 7000
#: Logs before the server goes, waits until somebody writes into the gate, and logs again.
CELLS = (
    "rate: float = 0.5\ntext: str = 'short'",
    "import jupyter_mlops as mlops\nmlops.log(loss=1.0, auc=float('nan'), step=0)",
    "open('gate').read()",
    "for step in range(1, 1200): mlops.log(loss=1 / step, step=step)",
    "mlops.log(loss=float('inf'), auc=float('-inf'), step=1200)",
)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A running server behind a token, which the project's .env holds."""
    made = Server(tmp_path / "server", TOKEN)
    made.start()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    yield made
    made.kill()


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Iterator[Path]:
    """A project that is tracked there."""
    folder = workers.make_project(tmp_path / "project", f'tracking_uri = "{server.uri}"\n')
    (folder / ".env").write_text(f"MLFLOW_TRACKING_TOKEN={TOKEN}\n", "utf-8")
    os.mkfifo(folder / "gate")
    with workers.worker(folder):
        yield folder


def unsynced(client: Client) -> int:
    """How many runs wait."""
    return client.call(ops.STATUS).unsynced


def wait_until_all_is_recorded(client: Client) -> None:
    """Ask for the set-up until nothing waits any more: a look at it is a try."""

    def done() -> bool:
        client.call(ops.DOCTOR, timeout=120.0)
        return unsynced(client) == 0

    workers.until(done)


def history(client: MlflowClient, run_id: str, key: str) -> dict[int, float]:
    """A metric's values by step; each step once."""
    points = client.get_metric_history(run_id, key)
    assert len(points) == len({each.step for each in points})
    return {each.step: each.value for each in points}


class Look:
    """What the commands say in the project."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
    ) -> None:
        monkeypatch.chdir(folder)
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        """Return what a command prints."""
        main(list(words))
        return self._capsys.readouterr().out


@pytest.fixture
def look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, project: Path
) -> Look:
    """The commands in the project."""
    return Look(capsys, monkeypatch, project)


def check_that_it_is_told(client: Client, run_id: str, look: Look) -> None:
    """One run waits, and the status, the lists, the run and doctor say so."""
    status = client.call(ops.STATUS)
    assert status.unsynced == 1
    assert status.unsynced_values >= 1199
    assert status.problem is not None
    assert "does not answer" in status.problem
    values = f"{status.unsynced_values:,}"
    assert f"1 run with {values} metric values waits here to be recorded." in status.problem
    view = client.call(ops.GET_RUN, run_id=run_id).run
    assert view.unsynced
    assert view.metrics["loss"] == {"$float": "inf"}
    assert "1 of them waits here" in look("runs", "list")
    assert "Not recorded yet" in look("runs", "show", run_id)
    (listed,) = json.loads(look("runs", "list", "--json"))
    assert listed["unsynced"]
    findings = {each.name: each for each in client.call(ops.DOCTOR, timeout=120.0)}
    assert not findings["tracking"].ok
    assert "1 run with 1," in findings["tracking"].message


def check_the_record(server: Server, run_id: str) -> None:
    """Everything is there, once."""
    client = MlflowClient(server.uri)
    tracked = the_record(server, run_id)
    loss = history(client, tracked.info.run_id, "loss")
    assert [loss[step] for step in range(1, 1200)] == [1 / step for step in range(1, 1200)]
    assert loss[0] == 1.0
    assert loss[1200] >= sys.float_info.max
    auc = history(client, tracked.info.run_id, "auc")
    assert math.isnan(auc[0])
    assert auc[1200] <= -sys.float_info.max
    assert tracked.info.status == "FINISHED"
    assert tracked.data.params == {"rate": "0.25", "text": LONG[:6000]}
    paths = {each.path for each in client.list_artifacts(tracked.info.run_id)}
    assert paths == {f"{run_id}.ipynb", f"{run_id}.1.context.json", "parameters"}
    kept = client.download_artifacts(tracked.info.run_id, "parameters/text.txt")
    assert Path(kept).read_text("utf-8") == LONG


def the_record(server: Server, run_id: str) -> MlflowRun:
    """The only run that MLflow has of a run."""
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("train")
    assert experiment is not None
    (found,) = client.search_runs([experiment.experiment_id], f"tags.`mlops.run` = '{run_id}'")
    return found


@pytest.mark.timeout(600)
def test_the_server_is_killed_while_a_run_runs(server: Server, project: Path, look: Look) -> None:
    """The run succeeds; what waits is told, outlives the worker, and is recorded exactly once."""
    client = connect(project)
    workers.write(client, *CELLS)
    sweep = workers.submit(client, values={"rate": [0.25], "text": [LONG]})
    run = workers.started(client, sweep.id, 4)
    tracked = the_record(server, run.id).info.run_id
    workers.until(lambda: MlflowClient(server.uri).get_metric_history(tracked, "loss"))

    server.kill()
    (project / "gate").write_text("go")
    assert workers.wait_for(client, sweep.id).counts.succeeded == 1
    check_that_it_is_told(client, run.id, look)

    workers.kill(client)
    client = connect(project)
    assert unsynced(client) == 1
    server.start()
    wait_until_all_is_recorded(client)
    check_the_record(server, run.id)
    workers.stop(project)
    client = connect(project)  # which has nothing to add
    check_the_record(server, run.id)
    assert not client.call(ops.GET_RUN, run_id=run.id).run.unsynced
    assert client.call(ops.STATUS).problem is None
    assert "text has 7,000 characters" in look("runs", "show", run.id)


@pytest.mark.timeout(600)
def test_a_run_begins_while_the_server_is_away(server: Server, project: Path) -> None:
    """Its record appears when the server is back, while it runs, with what its code does there."""
    client = connect(project)
    server.kill()
    workers.write(
        client,
        *CELLS[:3],
        "import mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('plain', 3.0)",
        "open('gate').read()",
    )
    sweep = workers.submit(client, values={"rate": [0.75]})
    run = workers.started(client, sweep.id, 4)
    workers.until(lambda: unsynced(client) == 1)
    server.start()
    mlflow_client = MlflowClient(server.uri)

    def live() -> dict[str, float]:
        client.call(ops.DOCTOR, timeout=120.0)
        found = client.call(ops.GET_RUN, run_id=run.id).run.mlflow_run_id
        return mlflow_client.get_run(found).data.metrics if found else {}

    assert workers.until(live)["loss"] == 1.0
    (project / "gate").write_text("go")
    workers.started(client, sweep.id, 6)
    (project / "gate").write_text("go")
    assert workers.wait_for(client, sweep.id).counts.succeeded == 1
    wait_until_all_is_recorded(client)
    tracked = client.call(ops.GET_RUN, run_id=run.id).run.mlflow_run_id
    assert tracked is not None
    record = mlflow_client.get_run(tracked)
    assert record.data.params["rate"] == "0.75"
    assert record.info.status == "FINISHED"
    (child,) = mlflow_client.search_runs(
        [record.info.experiment_id], f"tags.`mlflow.parentRunId` = '{tracked}'"
    )
    assert child.data.metrics == {"plain": 3.0}
    assert child.data.tags["mlops.run"] == run.id


@pytest.mark.timeout(600)
def test_parameters_and_metrics_of_a_session_wait_too(server: Server, project: Path) -> None:
    """What a session adds while the server is away comes before it is closed."""
    script = (
        "import jupyter_mlops as mlops, sys\n"
        "from jupyter_mlops.metrics import flush\n"
        "with mlops.track(a=1) as session:\n"
        "    print(session.id, session.mlflow_run_id, flush=True)\n"
        "    sys.stdin.readline()\n"
        "    mlops.log(loss=2.0)\n"
        "    flush()\n"
        "    print('logged', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    client = connect(project)
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        run_id, tracked = process.stdout.readline().split()
        server.kill()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "logged\n"
        body = m.LogRequest(parameters={"b": 2})
        client.call(ops.LOG_SESSION, body=body, run_id=run_id, timeout=120.0)
        assert unsynced(client) == 1
        server.start()
        wait_until_all_is_recorded(client)
        record = MlflowClient(server.uri).get_run(tracked)
        assert record.info.status == "RUNNING"
        assert record.data.params == {"a": "1", "b": "2"}
        assert record.data.metrics == {"loss": 2.0}
        process.stdin.write("end\n")
    assert MlflowClient(server.uri).get_run(tracked).info.status == "FINISHED"


@pytest.mark.timeout(600)
def test_a_server_that_hangs_keeps_no_run_waiting(server: Server, project: Path) -> None:
    """It accepts what comes and answers nothing; the runs go on, and are recorded afterwards."""
    client = connect(project)
    workers.write(client, "x: int = 0", "import jupyter_mlops as mlops\nmlops.log(y=x)")
    with server.silent():
        sweep = workers.submit(client, values={"x": [1, 2, 3, 4]})
        assert workers.wait_for(client, sweep.id).counts.succeeded == 4
        assert "does not answer" in (client.call(ops.STATUS).problem or "")
        assert unsynced(client) == 4
    wait_until_all_is_recorded(client)
    for run in workers.runs(client, sweep.id):
        record = the_record(server, run.id)
        assert record.info.status == "FINISHED"
        assert record.data.metrics == {"y": run.parameters["x"]}
