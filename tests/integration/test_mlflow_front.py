"""A kernel whose environment has another MLflow is served by ours, behind a token."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from importlib import metadata
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from mlflow import MlflowClient

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.tracking import artifacts_path, default_uri, open_tracker
from jupyter_mlops.tracking.front import Front, Installed, installed, needs_front
from tests.support import workers
from tests.support.mlflow_environments import OTHER, make_environment
from tests.support.notebooks import write_notebook
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

OURS = metadata.version("mlflow")


# -- which kernels need it -------------------------------------------------------------------------


def test_our_own_environment_needs_none(tmp_path: Path) -> None:
    """The same MLflow opens the database itself."""
    found = installed(sys.executable)
    assert found == Installed(OURS, whole=True)
    assert not needs_front(default_uri(tmp_path), found)


@pytest.mark.parametrize(
    ("found", "uri", "needed"),
    [
        (Installed("2.1.0", whole=True), "sqlite:////p/mlflow.db", True),
        (Installed("2.1.0", whole=True), "postgresql://db/mlflow", True),
        (Installed(OURS, whole=False), "sqlite:////p/mlflow.db", True),
        (Installed("2.1.0", whole=True), "http://tracking:5000", False),
        (None, "sqlite:////p/mlflow.db", False),
    ],
)
def test_who_needs_it(found: Installed | None, uri: str, needed: bool) -> None:
    """Another version, or mlflow-skinny, and only for databases."""
    assert needs_front(uri, found) is needed


def test_what_another_environment_has(tmp_path: Path) -> None:
    """It is found without starting it twice, and found anew after an installation."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    assert installed(python) is None
    (packages,) = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    for name, version, whole in (("mlflow_skinny", "2.9.0", False), ("mlflow", "2.9.1", True)):
        folder = packages / f"{name}-{version}.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        (folder / "METADATA").write_text(text, "utf-8")
        assert installed(python) == Installed(version, whole=whole)
    assert installed("/no/such/python") is None


# -- the server ------------------------------------------------------------------------------------


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    """A server for the store of a new project, which nobody needed yet."""
    state = tmp_path / ".mlops"
    open_tracker(None, state).close()
    made = Front(default_uri(state), artifacts_path(state), tmp_path / "mlflow.log", {})
    yield made
    await made.close()


def status(url: str, token: str | None = None) -> int:
    """The status that a request gets."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


async def test_only_who_knows_the_token_is_served(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts when it is first needed, listens on loopback, and serves clients only."""
    assert front.pid is None
    first, second = await asyncio.gather(front.variables({"A": "b"}), front.variables({}))
    assert first == {"A": "b", **second}
    uri, token = first["MLFLOW_TRACKING_URI"], first["MLFLOW_TRACKING_TOKEN"]
    assert front.pid is not None
    (listening,) = (
        each.laddr
        for process in (psutil.Process(front.pid),)
        for each in process.net_connections()
        if each.status == psutil.CONN_LISTEN
    )
    assert listening.ip == "127.0.0.1"
    search = "/api/2.0/mlflow/experiments/search?max_results=1"
    ask = asyncio.to_thread
    assert await ask(status, f"{uri}{search}", token) == 200
    assert await ask(status, f"{uri}{search}") == 401
    assert await ask(status, f"{uri}{search}", "guess") == 401
    for page in ("/", "/ajax-api/3.0/mlflow/assistant/config", "/gateway/x", "/graphql"):
        assert await ask(status, f"{uri}{page}", token) == 401
    assert token not in " ".join(psutil.Process(front.pid).cmdline())
    for name, value in first.items():
        monkeypatch.setenv(name, value)
    client = MlflowClient(uri)
    assert [each.name for each in await ask(client.search_experiments)] == ["Default"]


async def test_it_ends_with_its_worker(front: Front) -> None:
    """When the pipe to the worker closes, however it does, the server is gone."""
    await front.variables({})
    assert front.pid is not None
    process = psutil.Process(front.pid)
    await front.close()
    assert not process.is_running()
    variables = await front.variables({})  # it starts again when it is needed again
    assert (
        await asyncio.to_thread(
            status,
            f"{variables['MLFLOW_TRACKING_URI']}/version",
            variables["MLFLOW_TRACKING_TOKEN"],
        )
        == 200
    )


async def test_proxies_are_gone_past(front: Front) -> None:
    """A proxy of the network is not asked for this machine."""
    found = await front.variables({"HTTPS_PROXY": "x", "http_proxy": "y", "no_proxy": "a.org"})
    assert found["no_proxy"] == "a.org,127.0.0.1"
    assert found["NO_PROXY"] == "127.0.0.1"


# -- a kernel with another version -----------------------------------------------------------------

CELLS = tuple(
    """depth: int = 3
###
import mlflow
assert mlflow.__version__ == "{version}"
mlflow.log_param("theirs", 1)
mlflow.log_metric("loss", float("nan"), step=2)
###
with mlflow.start_run(nested=True, run_name="inner"):
    mlflow.log_metric("inner", 1.0)
###
mlflow.end_run()
with mlflow.start_run(run_name="second"):
    mlflow.log_metric("second", 2.0)
    open("plot.txt", "w").write("x")
    mlflow.log_artifact("plot.txt")
""".replace("{version}", OTHER).split("###\n")
)


@pytest.fixture(scope="module", params=["mlflow", "mlflow-skinny"])
def other_kernel(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The name of a kernel whose environment has another MLflow, or a part of it."""
    python = make_environment(tmp_path_factory.mktemp("other"), f"{request.param}=={OTHER}")
    spec = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Other",
        "language": "python",
    }
    folder = tmp_path_factory.mktemp("spec")
    (folder / "kernel.json").write_text(json.dumps(spec), "utf-8")
    manager = KernelSpecManager()
    manager.install_kernel_spec(str(folder), "other-mlflow", user=True)
    yield "other-mlflow"
    with contextlib.suppress(KeyError):
        manager.remove_kernel_spec("other-mlflow")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A project with a worker."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_kernel_with_another_mlflow(client: Client, other_kernel: str) -> None:
    """Its plain code lands in the attempt's run, and our database stays ours."""
    write_notebook(client.project.root / "train.ipynb", *CELLS, kernel=other_kernel)
    assert all(each.ok for each in client.call(ops.DOCTOR) if each.name == "tracking")
    database = client.project.state / "mlflow.db"
    before = revision(database)
    sweep = workers.submit(client, values={"depth": [5]})
    workers.wait_for(client, sweep.id)
    (run,) = workers.runs(client, sweep.id)
    assert run.error is None
    assert run.mlflow_run_id is not None
    mlflow_client = MlflowClient(default_uri(client.project.state))
    record = mlflow_client.get_run(run.mlflow_run_id)
    assert record.info.status == "FINISHED"
    assert record.data.params == {"depth": "5", "theirs": "1"}
    assert run.metrics == {"loss": {"$float": "nan"}}
    children = mlflow_client.search_runs(
        [record.info.experiment_id], f"tags.`mlflow.parentRunId` = '{record.info.run_id}'"
    )
    assert {each.info.run_name for each in children} == {"inner", "second"}
    assert {each.info.status for each in children} == {"FINISHED"}
    assert revision(database) == before
    kept = [
        each.info.run_name for each in children if mlflow_client.list_artifacts(each.info.run_id)
    ]
    assert kept == ["second"]
    assert not (client.project.root / "mlruns").exists()
    log = (client.project.state / "logs" / "mlflow.log").read_text("utf-8")
    assert "Traceback" not in log
    (front,) = fronts(client)
    workers.stop(client.project.root)
    psutil.wait_procs([front], timeout=30)
    assert not front.is_running()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("other_kernel", ["mlflow-skinny"], indirect=True)
def test_a_killed_worker_takes_its_server_along(client: Client, other_kernel: str) -> None:
    """Nothing listens any more after the worker was killed."""
    workers.write(client, "x = 1", "import threading; threading.Event().wait()")
    sweep = workers.submit(client, values={}, kernel=other_kernel)
    workers.started(client, sweep.id, 2)
    (front,) = fronts(client)
    workers.kill(client)
    psutil.wait_procs([front], timeout=30)
    assert not front.is_running()


def fronts(client: Client) -> list[psutil.Process]:
    """The servers that a worker has started."""
    worker = psutil.Process(client.call(ops.HEALTH).pid)
    return [each for each in worker.children() if "jupyter_mlops.tracking.front" in each.cmdline()]


def revision(database: Path) -> str:
    """The schema's revision."""
    with contextlib.closing(sqlite3.connect(database)) as link:
        return str(link.execute("SELECT version_num FROM alembic_version").fetchone()[0])
