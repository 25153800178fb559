"""Which model of a run is registered, and what else lies in a registry."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from jupyter_mlops.core.exceptions import InvalidInput, NoModelLogged
from jupyter_mlops.registry import MlflowRegistry, open_registry
from jupyter_mlops.tracking import MlflowTracker, open_tracker
from tests.support.records import a_sweep
from tests.support.tracked import MLFLOW_WARNING, a_run, an_attempt

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[MlflowTracker]:
    """The tracker of a new project."""
    opened = open_tracker(None, tmp_path / ".mlops")
    yield opened
    opened.close()


@pytest.fixture
def client(tracker: MlflowTracker) -> MlflowClient:
    """MLflow itself."""
    return tracker._client


@pytest.fixture
def registry(tracker: MlflowTracker) -> MlflowRegistry:
    """The registry of the same store."""
    return open_registry(tracker.uri)


@pytest.fixture
def tracked(tracker: MlflowTracker) -> str:
    """A tracked run."""
    sweep = a_sweep()
    run = a_run(sweep)
    return tracker.start_attempt(sweep, run, an_attempt(run)).id


def log_model(
    client: MlflowClient, tracked: str, status: str = "READY", *, bare: bool = False
) -> str:
    """Log a model as a notebook would, inside a run or outside any, and return its id."""
    experiment = client.get_run(tracked).info.experiment_id
    tags = {"mlflow.parentRunId": tracked}
    source = None if bare else tracked
    model = client.create_logged_model(experiment, name="m", source_run_id=source, tags=tags)
    if status != "PENDING":
        client.finalize_logged_model(model.model_id, status)
    return str(model.model_id)


def source_of(client: MlflowClient, version: int) -> str:
    """Return where a version's files are."""
    return str(client.get_model_version("flights", str(version)).source)


def test_last_model_counts(client: MlflowClient, registry: MlflowRegistry, tracked: str) -> None:
    """Of several models the last whole one that belongs to the run is registered."""
    log_model(client, tracked)
    last = log_model(client, tracked)
    log_model(client, tracked, bare=True)
    log_model(client, tracked, "PENDING")
    log_model(client, tracked, "FAILED")
    registry.register("flights", tracked, alias=None, tags={})
    assert source_of(client, 1) == f"models:/{last}"


def test_unfinished_model(client: MlflowClient, registry: MlflowRegistry, tracked: str) -> None:
    """A model whose files were never complete is no model."""
    log_model(client, tracked, "PENDING")
    with pytest.raises(NoModelLogged, match="logged no model"):
        registry.register("flights", tracked, alias=None, tags={})


def test_model_of_mlflow_2(client: MlflowClient, registry: MlflowRegistry, tracked: str) -> None:
    """A model that an old client in the kernel logged among the run's artifacts is found."""
    history = [{"run_id": tracked, "artifact_path": path} for path in ("first", "model")]
    client.set_tag(tracked, "mlflow.log-model.history", json.dumps(history))
    version = registry.register("flights", tracked, alias=None, tags={})
    assert source_of(client, 1) == f"{client.get_run(tracked).info.artifact_uri}/model"
    assert version.mlflow_run_id == tracked


def test_versions_of_other_origin(
    client: MlflowClient, registry: MlflowRegistry, tracked: str
) -> None:
    """Versions without a run of ours, or whose run is gone, are listed with what is known."""
    client.create_registered_model("foreign")
    client.create_model_version("foreign", "s3://bucket/model", description="bought")
    client.create_model_version("foreign", "s3://bucket/model", run_id="0" * 32)
    log_model(client, tracked)
    registry.register("flights", tracked, alias=None, tags={})
    client.delete_run(tracked)
    flights, gone, bought = registry.versions()
    assert (flights.run_id, flights.parameters) == (flights.tags["mlops.run"], {"x": "1"})
    assert (gone.run_id, gone.mlflow_run_id, gone.metrics) == (None, "0" * 32, {})
    assert (bought.description, bought.mlflow_run_id, bought.parameters) == ("bought", None, {})


def test_prompts_are_no_models(client: MlflowClient, registry: MlflowRegistry) -> None:
    """MLflow keeps prompts in the same tables."""
    client.register_prompt("greeting", "Hello {{name}}")
    assert registry.versions() == []
    assert registry.protected(["0" * 32]) == {}


def test_many_versions(client: MlflowClient, registry: MlflowRegistry, tracked: str) -> None:
    """Versions of more runs than fit into one search all find theirs."""
    experiment = client.get_run(tracked).info.experiment_id
    client.create_registered_model("many")
    runs = []
    for number in range(120):
        run = client.create_run(experiment, tags={"mlops.run": f"r-{number}"}).info.run_id
        client.create_model_version("many", "s3://bucket/model", run_id=run)
        runs.append(run)
    found = registry.versions()
    assert [each.version for each in found] == list(range(120, 0, -1))
    assert [each.run_id for each in reversed(found)] == [f"r-{number}" for number in range(120)]
    assert len(registry.protected(runs)) == 120


@pytest.mark.parametrize("key", ["", "a%", "../x"])
def test_bad_tags(client: MlflowClient, registry: MlflowRegistry, tracked: str, key: str) -> None:
    """A tag that MLflow would refuse is refused before a model is made."""
    log_model(client, tracked)
    with pytest.raises(InvalidInput):
        registry.register("flights", tracked, alias=None, tags={key: "x"})
    assert client.search_registered_models() == []


def test_environment_is_as_before(
    client: MlflowClient, registry: MlflowRegistry, tracked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registering leaves the process's own tracking URI alone, and does not depend on it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////nonexistent/mlflow.db")
    log_model(client, tracked)
    registry.register("flights", tracked, alias=None, tags={})
    assert registry.versions()[0].mlflow_run_id == tracked
    assert os.environ["MLFLOW_TRACKING_URI"] == "sqlite:////nonexistent/mlflow.db"
    with monkeypatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI")
        registry.register("flights", tracked, alias=None, tags={})
        assert "MLFLOW_TRACKING_URI" not in os.environ
