"""A tracking server that goes away and comes back costs neither time nor data."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from jupyter_mlops.core.exceptions import NotFound, TrackingUnavailable
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import Status
from jupyter_mlops.registry import MlflowRegistry, open_registry
from jupyter_mlops.tracking import MlflowTracker, open_tracker
from tests.support.mlflow_server import Server
from tests.support.records import a_sweep
from tests.support.tracked import MLFLOW_WARNING, a_run, an_attempt, points

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

#: Seconds within which a dead server must be given up.
SOON = 15.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server."""
    made = Server(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.mark.slow
def test_server_goes_and_comes_back(server: Server, tmp_path: Path) -> None:
    """While the server is away that is told soon; afterwards everything can be made good."""
    tracker, registry = open_tracker(server.uri, tmp_path / ".mlops"), open_registry(server.uri)
    sweep = a_sweep()
    run = a_run(sweep, parameters={"lr": 0.1})
    attempt = an_attempt(run)
    parent = tracker.start_sweep(sweep)
    tracked = tracker.start_attempt(sweep, run, attempt)
    assert tracked.environment["MLFLOW_TRACKING_URI"] == server.uri
    values = points("loss%", 3.0, float("nan"), 1.0)
    tracker.log_metrics(tracked.id, values[:2])
    output = tmp_path / "train.ipynb"
    output.write_text("{}")
    outcome = Outcome(status=Status.SUCCEEDED, duration=1.0)

    def replay() -> None:
        assert tracker.start_sweep(sweep) == parent
        assert tracker.start_attempt(sweep, run, attempt) == tracked
        tracker.log_metrics(tracked.id, values)
        tracker.finish_attempt(tracked.id, outcome, tags={}, artifacts=[output])
        tracker.finish_sweep(parent, Status.SUCCEEDED, tags={})

    server.kill()
    for call in (replay, registry.versions, lambda: tracker.log_metrics(tracked.id, values)):
        begun = time.monotonic()
        with pytest.raises(TrackingUnavailable, match=f"{server.uri} does not answer") as caught:
            call()
        assert time.monotonic() - begun < SOON
        assert "\n" not in caught.value.message

    server.start()
    for _ in range(2):
        replay()
    assert tracker.metrics(tracked.id) == {"loss%": 1.0}
    assert len(tracker.series(tracked.id, "loss%")) == 3
    found = tracker._client.get_run(tracked.id)
    assert (found.info.status, found.data.params) == ("FINISHED", {"lr": "0.1"})
    assert [each.path for each in tracker._client.list_artifacts(tracked.id)] == ["train.ipynb"]
    check_registry(tracker, registry, tracked.id)
    tracker.delete([tracked.id, "0" * 32])
    assert tracker._client.get_run(tracked.id).info.lifecycle_stage == "deleted"
    tracker.close()


def check_registry(tracker: MlflowTracker, registry: MlflowRegistry, tracked: str) -> None:
    """Show that models are registered through a server as they are without one."""
    client = tracker._client
    experiment = client.get_run(tracked).info.experiment_id
    model = client.create_logged_model(experiment, name="model", source_run_id=tracked)
    client.finalize_logged_model(model.model_id, "READY")
    version = registry.register("flights", tracked, alias="champion", tags={})
    assert registry.versions() == [version]
    assert client.get_model_version("flights", "1").source == f"models:/{model.model_id}"
    assert "flights" in client.get_logged_model(model.model_id).tags["mlflow.modelVersions"]
    assert registry.protected([tracked]) == {tracked: "flights v1"}
    with pytest.raises(NotFound):
        registry.set_alias("flights", "champion", 2)


@pytest.fixture
def not_mlflow(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers everything with one status and a page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(request.param)
            self.end_headers()
            self.wfile.write(b"<html>Some page</html>")

        do_POST = do_GET  # noqa: N815 - the base class decides

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://ada:secret@127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("not_mlflow", "message"),
    [
        (404, "no MLflow server"),
        (401, "refused the login"),
        (403, "refused the login"),
        (200, "no MLflow server"),
        (503, "does not answer"),
    ],
    indirect=["not_mlflow"],
)
def test_something_else_answers(not_mlflow: str, message: str, tmp_path: Path) -> None:
    """A wrong address, a missing login and a broken proxy are told apart, without the password."""
    tracker = open_tracker(not_mlflow, tmp_path)
    begun = time.monotonic()
    with pytest.raises(TrackingUnavailable, match=message) as caught:
        tracker.start_sweep(a_sweep())
    assert time.monotonic() - begun < SOON
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message


def test_silent_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and says nothing is given up after the time that is set for it."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracker = open_tracker(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path)
        begun = time.monotonic()
        with pytest.raises(TrackingUnavailable, match="does not answer"):
            tracker.start_sweep(a_sweep())
        assert time.monotonic() - begun < SOON
