"""In how few requests an attempt is recorded in MLflow, and that nothing is lost by that."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import Status
from jupyter_mlops.tracking import MlflowTracker, open_tracker
from jupyter_mlops.tracking.glance import facts_of
from tests.support.records import a_sweep
from tests.support.tracked import MLFLOW_WARNING, a_run, an_attempt, points

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

SUCCEEDED = Outcome(status=Status.SUCCEEDED, duration=1.0)


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


class Requests:
    """Counts what a client asks of MLflow's store."""

    def __init__(self, client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        for name in ("create_run", "search_runs", "get_run", "log_batch", "set_terminated"):
            monkeypatch.setattr(client, name, self._counted(name, getattr(client, name)))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.made.append(name)
            return call(*args, **kwargs)

        return counted


def fresh(tracker: MlflowTracker, **parameters: Any) -> str:
    """Begin an attempt that nobody has begun before."""
    sweep = a_sweep()
    run = a_run(sweep, parameters=parameters)
    return tracker.start_attempt(sweep, run, an_attempt(run), fresh=True).id


def test_a_short_attempt_takes_three_requests(
    tracker: MlflowTracker, client: MlflowClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Parameters, metrics and tags go together, and what nobody made is not searched for."""
    fresh(tracker)  # makes the experiment
    output = tmp_path / "train.ipynb"
    output.write_text("{}")
    requests = Requests(client, monkeypatch)
    tracked = fresh(tracker, depth=5, lr=0.1)
    assert client.get_run(tracked).data.params == {}
    values = points("auc", 0.5, 0.75)
    tracker.finish_attempt(tracked, SUCCEEDED, tags={"a": "b"}, artifacts=[output], points=values)
    assert tracker.metrics(tracked) == {"auc": 0.75}
    requests.made.remove("get_run")  # our own
    assert requests.made == ["create_run", "log_batch", "set_terminated"]
    run = client.get_run(tracked)
    assert run.data.params == {"depth": "5", "lr": "0.1"}
    assert (run.data.tags["a"], run.info.status) == ("b", "FINISHED")
    assert [each.path for each in client.list_artifacts(tracked)] == ["train.ipynb"]
    assert tracker.series(tracked, "auc") == values


def test_parameters_do_not_wait_for_the_end(tracker: MlflowTracker, client: MlflowClient) -> None:
    """They come with the first metrics, or when somebody asks for them."""
    first, second = fresh(tracker, depth=5), fresh(tracker, depth=6)
    tracker.log_metrics(first, points("loss", 1.0))
    tracker.log_metrics(second, [])
    for tracked, depth in ((first, "5"), (second, "6")):
        assert client.get_run(tracked).data.params == {"depth": depth}


def test_parameters_that_wait_do_not_stand_in_the_way(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    """Code of the notebook that nobody saw coming logs one of them with another value."""
    tracked = fresh(tracker, depth=5, lr=0.1)
    client.log_param(tracked, "depth", 4)
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[])
    assert client.get_run(tracked).data.params == {"depth": "4", "lr": "0.1"}


def test_an_attempt_whose_parameters_were_lost_is_begun_anew(
    tracker: MlflowTracker, tmp_path: Path
) -> None:
    """A worker that was killed took them along; the next one records them."""
    sweep = a_sweep()
    run = a_run(sweep, parameters={"depth": 5})
    tracked = tracker.start_attempt(sweep, run, an_attempt(run), fresh=True).id
    other = open_tracker(None, tmp_path / ".mlops")
    assert other.start_attempt(sweep, run, an_attempt(run)).id == tracked
    assert other._client.get_run(tracked).data.params == {"depth": "5"}
    other.close()


def test_models_of_fresh_attempts_are_found(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Those that were logged since it began, in no run, become its outputs."""
    before = client.create_logged_model("0", name="model")
    tracked = fresh(tracker)
    experiment = client.get_run(tracked).info.experiment_id
    tags = {"mlflow.parentRunId": tracked}
    model = client.create_logged_model(experiment, name="model", tags=tags)
    for each in (before, model):
        client.finalize_logged_model(each.model_id, "READY")
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[])
    outputs = client.get_run(tracked).outputs
    assert [each.model_id for each in outputs.model_outputs] == [model.model_id]


def test_a_database_of_another_make_is_read_through_mlflow(
    tracker: MlflowTracker, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where our own look into it fails, everything is recorded all the same."""
    assert tracker._glance is not None
    monkeypatch.setattr(tracker._glance, "_rows", lambda *_: None)
    sweep = a_sweep()
    run = a_run(sweep, parameters={"depth": 5})
    tracked = tracker.start_attempt(sweep, run, an_attempt(run), fresh=True).id
    experiment = client.get_run(tracked).info.experiment_id
    child = client.create_run(experiment, tags={"mlflow.parentRunId": tracked}).info.run_id
    tracker.finish_attempt(
        tracked, SUCCEEDED, tags={}, artifacts=[], points=points("auc", math.nan, 0.75)
    )
    assert tracker.metrics(tracked) == {"auc": 0.75}
    assert client.get_run(tracked).data.params == {"depth": "5"}
    assert client.get_run(child).info.status == "FINISHED"


def test_a_glance_sees_what_mlflow_sees(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Values that are no numbers included; runs in the trash are left to MLflow."""
    tracked = fresh(tracker, depth=5)
    values = [*points("a%", math.nan), *points("b", math.inf), *points("c", 1.0, 2.0)]
    tracker.log_metrics(tracked, values)
    assert tracker._glance is not None
    seen = tracker._glance.facts(tracked)
    assert seen is not None
    assert repr(seen) == repr(replace(facts_of(client.get_run(tracked)), tags=seen.tags))
    assert seen.tags.items() <= client.get_run(tracked).data.tags.items()
    client.delete_run(tracked)
    assert tracker._glance.facts(tracked) is None
    assert tracker._glance.facts("0" * 32) is None
