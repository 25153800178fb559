"""Models that are served: their processes, versions and errors."""

from __future__ import annotations

import io
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import serving_operations
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.runtime import address, endpoint_address, locked
from jupyter_mlops.core.endpoints import EndpointStatus
from jupyter_mlops.core.exceptions import Conflict, ModelAltered, NotFound
from jupyter_mlops.registry.model_files import HASHES, present_hashes
from tests.support import served, workers
from tests.support.served import ask, processes, rows
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

RECORDS = {"dataframe_records": rows()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one version of a model."""
    folder = workers.make_project(tmp_path / "project")
    served.register(folder)
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """Its worker."""
    with workers.worker(folder) as found:
        yield found


def where(client: Client, name: str = "flights") -> Path:
    """The address of an endpoint's process."""
    return endpoint_address(client.project, name)


def test_serves_and_counts(client: Client) -> None:
    """A model answers in its own process, on a socket of the user's alone; requests are counted."""
    view = served.serve(client)
    assert (view.version, view.status, view.error) == (1, EndpointStatus.READY, None)
    assert view.address == "mlops/endpoints/flights/"
    socket = where(client).resolve()
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    (process,) = processes(client)
    assert process.pid != client.call(ops.HEALTH).pid
    assert ask(where(client), RECORDS) == (200, {"predictions": [201.0, 204.0]})
    assert ask(where(client), {"dataframe_records": [{"hour": 1}]})[0] == 400
    (view,) = client.call(serving_operations.LIST_ENDPOINTS)
    assert (view.requests, view.failures) == (2, 1)
    assert view.p50 is not None
    assert view.p95 is not None
    assert 0 < view.p50 <= view.p95
    assert (client.project.root / view.log).exists()


def test_detail_names_the_columns(client: Client) -> None:
    """A form can be made of what an endpoint tells."""
    served.serve(client)
    detail = client.call(serving_operations.GET_ENDPOINT, name="flights")
    assert [(each.name, each.type, each.required) for each in detail.columns] == [
        ("distance", "double", True),
        ("hour", "long", True),
    ]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"dataframe_records": [{"distance": 1.0}]},
            "Column 'hour': expected long, got no such column (there are: 'distance').",
        ),
        (
            {"dataframe_records": [*rows(), {"distance": "far", "hour": 1}]},
            "Column 'distance': expected double, got text 'far' in row 3.",
        ),
        (
            {"dataframe_split": {"columns": ["distance", "hour"], "data": [[1.5, 1.5]]}},
            "Column 'hour': expected long, got number 1.5 in row 1.",
        ),
        (
            {"inputs": {"distance": [1.0, 2.0], "hour": [1, None]}},
            "Column 'hour': expected long, got null in row 2.",
        ),
        (
            {"instances": [{"distance": True, "hour": 1}]},
            "Column 'distance': expected double, got boolean True in row 1.",
        ),
    ],
)
def test_wrong_columns(served_model: Path, request_: object, message: str) -> None:
    """A request with wrong columns or types is told which, what was expected and what was got."""
    status, answer = ask(served_model, request_)
    assert status == 400
    assert answer["message"] == message
    assert answer["column"] in ("distance", "hour")
    assert answer["expected"] in ("double", "long")


@pytest.mark.parametrize("media", ["text/csv", "application/vnd.apache.parquet"])
def test_wrong_columns_in_files(served_model: Path, media: str) -> None:
    """So is one in CSV or Parquet."""

    def sent(frame: pd.DataFrame) -> bytes:
        if media == "text/csv":
            return frame.to_csv(index=False).encode()
        buffer = io.BytesIO()
        frame.to_parquet(buffer)
        return buffer.getvalue()

    good = pd.DataFrame(rows())
    assert ask(served_model, sent(good), media) == (200, {"predictions": [201.0, 204.0]})
    status, answer = ask(served_model, sent(good.drop(columns="hour")), media)
    assert (status, answer["column"], answer["expected"]) == (400, "hour", "long")
    status, answer = ask(served_model, sent(good.assign(distance=["near", "far"])), media)
    assert status == 400
    assert answer["message"] == "Column 'distance': expected double, got text 'near' in row 1."


def test_a_model_that_fails(client: Client, folder: Path) -> None:
    """What it raised is told in a line; the trace stands in the log alone."""
    code = "raise ValueError('no weather\\nfor this hour')"
    served.register(folder, before=code)
    served.serve(client)
    status, answer = ask(where(client), {"dataframe_records": rows()})
    assert (status, answer["error_code"]) == (400, "BAD_REQUEST")
    assert "stack_trace" not in answer
    assert answer["message"] == "The model failed. ValueError: no weather for this hour"
    log = client.call(serving_operations.ENDPOINT_LOG, name="flights").text
    assert "Traceback" in log
    assert "raise ValueError" in log


@pytest.fixture(scope="module")
def served_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A served model that is only asked."""
    folder = workers.make_project(tmp_path_factory.mktemp("served") / "project")
    served.register(folder)
    with workers.worker(folder) as client:
        served.serve(client)
        yield where(client)


def test_restarts_what_was_killed(client: Client) -> None:
    """A process that ends is started again, and its log tells of both."""
    served.serve(client)
    (process,) = processes(client)
    process.kill()
    view = served.until(client, lambda each: each.restarts == 1)
    assert view.status is EndpointStatus.READY
    assert ask(where(client), RECORDS)[0] == 200
    log = client.call(serving_operations.ENDPOINT_LOG, name="flights")
    (following,) = processes(client)
    assert log.path == view.log
    assert all(f"[{each.pid}]" in log.text for each in (process, following))


@pytest.mark.slow
def test_restarts_what_has_gone_silent(client: Client) -> None:
    """A process that lives but does not answer is shown as such, ended, and started again."""
    served.serve(client)
    (process,) = processes(client)
    process.suspend()
    view = served.until(client, lambda each: each.status is EndpointStatus.RESTARTING)
    assert view.error == "Its process does not answer."
    view = served.until(client, lambda each: each.restarts == 1)
    assert (view.status, view.error) == (EndpointStatus.READY, None)
    assert ask(where(client), RECORDS)[0] == 200
    assert process.pid not in [each.pid for each in processes(client)]


def test_switch_and_rollback(client: Client, folder: Path) -> None:
    """Another version takes its place and can be taken back; the old process ends."""
    served.register(folder, number=1000)
    assert served.serve(client, version=1).version == 1
    view = served.serve(client, version=2)
    assert (view.version, view.previous) == (2, 1)
    assert ask(where(client), RECORDS)[1] == {"predictions": [1201.0, 1204.0]}
    client.call(serving_operations.ROLL_BACK, timeout=None, name="flights")
    view = served.settled(client)
    assert (view.version, view.previous) == (1, 2)
    assert ask(where(client), RECORDS)[1] == {"predictions": [201.0, 204.0]}
    for _ in client.events(0, beat=0.3):
        if len(processes(client)) == 1:
            break


def test_a_version_that_cannot_be_loaded(client: Client, folder: Path) -> None:
    """It is told why, and the version that is served goes on."""
    served.register(folder, source=served.BROKEN)
    served.serve(client, version=1)
    view = served.serve(client, version=2)
    assert view.version == 1
    assert view.status is EndpointStatus.READY
    assert view.error is not None
    assert view.error.startswith("v2 could not be loaded: ")
    assert "no weights" in view.error
    assert ask(where(client), RECORDS)[0] == 200


def test_first_version_that_cannot_be_loaded(client: Client, folder: Path) -> None:
    """An endpoint that never answered has failed, keeps no worker alive, and can be stopped."""
    served.register(folder, source=served.BROKEN)
    view = served.serve(client, version=2)
    assert view.status is EndpointStatus.FAILED
    assert processes(client) == []
    client.call(serving_operations.STOP_ENDPOINT, name="flights")
    assert client.call(serving_operations.LIST_ENDPOINTS) == []


def test_altered_model_is_refused(client: Client, folder: Path) -> None:
    """Files that differ from the hashes recorded with the version are never loaded."""
    place = served.register(folder, "altered")
    hashes = present_hashes(place)
    import json

    from mlflow import MlflowClient

    uri = f"sqlite:///{folder}/.mlops/mlflow.db"
    MlflowClient(uri, uri).set_model_version_tag("altered", "1", HASHES, json.dumps(hashes))
    with (place / "MLmodel").open("a") as file:
        file.write("\n")
    with pytest.raises(ModelAltered, match="MLmodel was changed"):
        client.call(
            serving_operations.SERVE_MODEL, body=m.ServeRequest(), timeout=None, name="altered"
        )
    assert client.call(serving_operations.LIST_ENDPOINTS) == []


def test_unknown_models(client: Client) -> None:
    """What does not exist is refused, and nothing is left of it."""
    for name, body in (
        ("nothing", m.ServeRequest()),
        ("flights", m.ServeRequest(version=9)),
        ("flights", m.ServeRequest(alias="champion")),
    ):
        with pytest.raises(NotFound):
            client.call(serving_operations.SERVE_MODEL, body=body, timeout=None, name=name)
    with pytest.raises(NotFound, match="is not served"):
        client.call(serving_operations.STOP_ENDPOINT, name="flights")
    served.serve(client)
    with pytest.raises(Conflict, match="No version of flights was served before"):
        client.call(serving_operations.ROLL_BACK, name="flights")
    assert len(client.call(serving_operations.LIST_ENDPOINTS)) == 1


def test_survives_its_worker(client: Client) -> None:
    """A killed worker's endpoint goes on answering, and the next worker takes it over."""
    served.serve(client)
    (process,) = processes(client)
    workers.kill(client)
    assert ask(where(client), RECORDS)[0] == 200
    following = connect(client.project)
    view = served.settled(following)
    assert (view.status, view.restarts, view.requests) == (EndpointStatus.READY, 0, 1)
    assert [each.pid for each in processes(client)] == [process.pid]
    process.kill()
    served.until(following, lambda each: each.restarts == 1)
    assert ask(where(client), RECORDS)[0] == 200


def test_ends_and_comes_back_with_the_worker(client: Client) -> None:
    """A worker that is stopped takes its endpoints along; the next one serves them again."""
    served.serve(client)
    ask(where(client), RECORDS)
    workers.stop(client.project.root)
    with locked(address(client.project).lock):
        assert processes(client) == []
        assert not where(client).is_symlink()
    following = connect(client.project)
    view = served.until(following, lambda each: each.status is EndpointStatus.READY)
    assert view.requests == 1
    assert ask(where(client), RECORDS)[0] == 200


def test_orphans_are_ended(client: Client) -> None:
    """A process that the killed worker had not recorded yet is ended by the next one."""
    served.serve(client)
    health = client.call(ops.HEALTH)
    os.kill(health.pid, signal.SIGSTOP)
    try:
        (process,) = processes(client)
    finally:
        os.kill(health.pid, signal.SIGCONT)
    workers.kill(client)
    where(client).resolve().unlink()
    following = connect(client.project)
    served.until(following, lambda each: each.status is EndpointStatus.READY and each.restarts)
    assert process.pid not in [each.pid for each in processes(client)]


def test_keeps_its_worker_alive(tmp_path: Path) -> None:
    """A worker with an endpoint does not end when it is idle."""
    folder = workers.make_project(tmp_path / "project", "idle_minutes = 0.15")
    served.register(folder)
    with workers.worker(folder) as client:
        served.serve(client)
        pid = client.call(ops.HEALTH).pid
        # Listening is no work: a worker without an endpoint would end meanwhile.
        for number, _ in enumerate(client.events(10**9, beat=5.0)):
            if number == 4:
                break
        assert client.call(ops.HEALTH).pid == pid
