"""What the tracker does about MLflow's limits, its trash, and what others do in the same store."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ENDPOINT_NOT_FOUND

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import MetricPoint, Reason, Status, Sweep
from jupyter_mlops.core.values import quote
from jupyter_mlops.registry import open_registry
from jupyter_mlops.tracking import MlflowTracker, open_tracker, recording
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


def begin(tracker: MlflowTracker, sweep: Sweep | None = None, number: int = 1) -> str:
    """Begin an attempt of a sweep's first run and return its tracked id."""
    sweep = sweep or a_sweep()
    run = a_run(sweep)
    return tracker.start_attempt(sweep, run, an_attempt(run, number)).id


# -- limits ----------------------------------------------------------------------------------------


def test_many_metrics(tracker: MlflowTracker) -> None:
    """More values than MLflow takes at once are all recorded."""
    tracked = begin(tracker)
    values = points("loss", *(1.0 / (step + 1) for step in range(2500)))
    tracker.log_metrics(tracked, values)
    assert tracker.series(tracked, "loss") == values


def test_many_long_parameters(tracker: MlflowTracker, client: MlflowClient) -> None:
    """More and longer parameters than MLflow takes at once are recorded, cut ones named."""
    sweep = a_sweep()
    texts = {f"p{number}": "ü" * 5990 for number in range(150)} | {"long": "x" * 6001}
    run = a_run(sweep, parameters=texts)
    tracked = tracker.start_attempt(sweep, run, an_attempt(run)).id
    found = client.get_run(tracked).data
    assert found.params == texts | {"long": "x" * 6000}
    assert found.tags["mlops.truncated"] == "long"


def test_what_mlflow_cuts_is_kept_whole(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Texts are artifacts, and the notes say where; strange names are noted too."""
    sweep, name = a_sweep(), "\u00fc" * 251
    texts = {"long": "x" * 6001, "short": "y", name: "z" * 7000}
    run = a_run(sweep, parameters=texts)
    begun = tracker.start_attempt(sweep, run, an_attempt(run))
    key = recording.key_for(name)
    assert begun.notes[0] == (
        "long has 6,001 characters, of which MLflow keeps 6,000. "
        "The whole is the artifact parameters/long.txt."
    )
    assert begun.notes[-1].endswith(f"there it is {key}.")
    for path, text in {
        "long.txt": "x" * 6001,
        recording.file_for(key): "z" * 7000,
    }.items():
        kept = client.download_artifacts(begun.id, f"parameters/{path}")
        assert Path(kept).read_text("utf-8") == text
    assert client.get_run(begun.id).data.tags[f"mlops.parameter.{key}"] == name
    (line,) = tracker.log_parameters(begun.id, {"later": "w" * 9000})
    assert "later has 9,000 characters" in line
    tracker.log_metrics(begun.id, points("loss%", 1.0))
    tags = {"mlops.error": "e" * 9000}
    ended = tracker.finish_attempt(
        begun.id, SUCCEEDED, tags=tags, artifacts=[], points=points("a|b", 1.0)
    )
    assert {line.partition(": there")[0] for line in ended} == {
        f"MLflow does not take the name {quote(each)}" for each in ("loss%", "a|b", name)
    }
    kept = client.download_artifacts(begun.id, "tags/mlops.error.txt")
    assert Path(kept).read_text("utf-8") == "e" * 9000


def test_a_secret_is_not_kept_whole(tracker: MlflowTracker, client: MlflowClient) -> None:
    """It is masked before it could be too long."""
    sweep = a_sweep()
    run = a_run(sweep, parameters={"api_key": "s" * 7000})
    begun = tracker.start_attempt(sweep, run, an_attempt(run))
    assert begun.notes == ()
    assert client.list_artifacts(begun.id) == []


def test_long_tags(tracker: MlflowTracker, client: MlflowClient) -> None:
    """An endless error message is cut."""
    tracked = begin(tracker)
    outcome = Outcome(status=Status.FAILED, reason=Reason.ERROR, error="x" * 10_000)
    tracker.finish_attempt(tracked, outcome, tags={}, artifacts=[])
    assert client.get_run(tracked).data.tags["mlops.error"] == "x" * 8000


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(st.text(max_size=300), min_size=1, max_size=20, unique=True))
def test_any_name_of_a_metric(tracker: MlflowTracker, names: list[str]) -> None:
    """MLflow takes a metric of any name, and it is read back by that name."""
    names = [name.encode("utf-8", "replace").decode().replace("\0", "") or "x" for name in names]
    tracked = begin(tracker)
    values = [MetricPoint(key=name, value=1.0, step=0, time=1.0) for name in set(names)]
    tracker.log_metrics(tracked, values)
    assert set(tracker.metrics(tracked)) == set(names)


def test_times(tracker: MlflowTracker, client: MlflowClient) -> None:
    """A run's times are those of its attempt, whenever they are recorded."""
    sweep = a_sweep()
    run = a_run(sweep)
    attempt = an_attempt(run)
    attempt = replace(attempt, started_at=attempt.started_at - timedelta(days=2))
    tracked = tracker.start_attempt(sweep, run, attempt).id
    outcome = Outcome(status=Status.SUCCEEDED, duration=90.5)
    tracker.finish_attempt(tracked, outcome, tags={}, artifacts=[])
    info = client.get_run(tracked).info
    assert info.start_time == int(attempt.started_at.timestamp() * 1000)
    assert info.end_time - info.start_time == 90_500


# -- client code in the same run -------------------------------------------------------------------


def test_metrics_of_client_code(tracker: MlflowTracker, client: MlflowClient) -> None:
    """What plain MLflow code logged counts like our own metrics, ours keeping their names."""
    tracked = begin(tracker)
    tracker.log_metrics(tracked, points("a%", math.inf))
    client.log_metric(tracked, "accuracy", 0.9, step=3)
    assert tracker.metrics(tracked) == {"a%": math.inf, "accuracy": 0.9}
    (point,) = tracker.series(tracked, "accuracy")
    assert (point.value, point.step) == (0.9, 3)


def test_status_of_client_code(tracker: MlflowTracker, client: MlflowClient) -> None:
    """The outcome decides, though MLflow's own exit handler called the run finished."""
    tracked = begin(tracker)
    client.set_terminated(tracked, "FINISHED")
    died = Outcome(status=Status.FAILED, reason=Reason.KERNEL_DIED, error="The kernel died.")
    tracker.finish_attempt(tracked, died, tags={}, artifacts=[])
    run = client.get_run(tracked)
    assert (run.info.status, run.data.tags["mlops.reason"]) == ("FAILED", "kernel_died")


def test_children_end_with_their_attempt(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Runs that a dead kernel left behind are not shown as running for ever."""
    sweep = a_sweep()
    tracked = begin(tracker, sweep)
    experiment = client.get_run(tracked).info.experiment_id
    tags = {"mlflow.parentRunId": tracked}
    running, done = (client.create_run(experiment, tags=tags).info.run_id for _ in range(2))
    client.set_terminated(done, "FINISHED")
    outcome = Outcome(status=Status.CANCELLED, reason=Reason.USER)
    tracker.finish_attempt(tracked, outcome, tags={}, artifacts=[])
    assert client.get_run(running).info.status == "KILLED"
    assert client.get_run(done).info.status == "FINISHED"


def test_parameters_of_client_code_win(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Where a notebook logs parameters itself it may change them; the others are ours."""
    sweep = a_sweep(context={"mlflow": {"parameters": True}})
    run = a_run(sweep, parameters={"depth": 5, "lr": 0.1, "text": "x" * 9000})
    tracked = tracker.start_attempt(sweep, run, an_attempt(run)).id
    client.log_param(tracked, "depth", 4)
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[])
    found = client.get_run(tracked).data.params
    assert found == {"depth": "4", "lr": "0.1", "text": "x" * 6000}


def test_changed_parameter_does_not_stop_a_replay(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    """An attempt that is recorded again leaves alone what is there by then."""
    sweep = a_sweep()
    run = a_run(sweep, parameters={"depth": 5})
    tracked = tracker.start_attempt(sweep, run, an_attempt(run)).id
    more = replace(run, parameters={"depth": 4, "lr": 0.1})
    assert tracker.start_attempt(sweep, more, an_attempt(run)).id == tracked
    assert client.get_run(tracked).data.params == {"depth": "5", "lr": "0.1"}


def test_parameters_of_a_session(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Parameters can be added while a run goes on, but not changed."""
    tracked = begin(tracker)
    for _ in range(2):
        tracker.log_parameters(tracked, {"depth": 4, "api_key": "hunter2"})
    assert client.get_run(tracked).data.params["depth"] == "4"
    assert client.get_run(tracked).data.params["api_key"] != "hunter2"
    with pytest.raises(InvalidInput, match="depth"):
        tracker.log_parameters(tracked, {"depth": 5})


def test_server_before_mlflow_3(
    tracker: MlflowTracker, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not know logged models can be tracked with all the same."""

    def unknown(*_: object, **__: object) -> None:
        raise MlflowException("Not Found", error_code=ENDPOINT_NOT_FOUND)

    monkeypatch.setattr(client, "search_logged_models", unknown)
    tracked = begin(tracker)
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[])
    assert client.get_run(tracked).info.status == "FINISHED"


# -- the trash -------------------------------------------------------------------------------------


def test_registered_attempt_is_superseded_in_sight(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    """An earlier attempt that a model version was made from is tagged but not hidden."""
    sweep = a_sweep()
    tracked = begin(tracker, sweep)
    experiment = client.get_run(tracked).info.experiment_id
    model = client.create_logged_model(experiment, name="model", source_run_id=tracked)
    client.finalize_logged_model(model.model_id, "READY")
    open_registry(tracker.uri).register("flights", tracked, alias=None, tags={})
    begin(tracker, sweep, 2)
    run = client.get_run(tracked)
    assert run.info.lifecycle_stage == "active"
    assert run.data.tags["mlops.superseded"] == "true"


def test_children_go_with_their_attempt(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Runs that client code started are hidden and deleted with their attempt, theirs included."""
    for act in ("supersede", "delete"):
        sweep = a_sweep()
        tracked = begin(tracker, sweep)
        experiment = client.get_run(tracked).info.experiment_id
        tags = {"mlops.sweep": sweep.id, "mlops.run": f"{sweep.id}-1"}
        child = client.create_run(experiment, tags=tags | {"mlflow.parentRunId": tracked})
        if act == "supersede":
            begin(tracker, sweep, 2)
        else:
            tags |= {"mlflow.parentRunId": child.info.run_id}
            grandchild = client.create_run(experiment, tags=tags).info.run_id
            tracker.delete([tracked])
            assert client.get_run(grandchild).info.lifecycle_stage == "deleted"
        assert client.get_run(child.info.run_id).info.lifecycle_stage == "deleted"


def test_deleting_a_sweep_keeps_its_runs(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Deleting a parent run deletes no attempt: those are named, after a look at their models."""
    sweep = a_sweep()
    sweep = replace(sweep, mlflow_run_id=tracker.start_sweep(sweep))
    tracked = begin(tracker, sweep)
    tracker.delete([sweep.mlflow_run_id or ""])
    assert client.get_run(tracked).info.lifecycle_stage == "active"


def test_run_in_the_trash(tracker: MlflowTracker, client: MlflowClient) -> None:
    """A run that the user deleted stays so, and holds nothing up."""
    tracked = begin(tracker)
    client.delete_run(tracked)
    tracker.log_metrics(tracked, points("loss", 1.0))
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[])
    run = client.get_run(tracked)
    assert (run.info.lifecycle_stage, run.info.status) == ("deleted", "RUNNING")


def test_deleted_attempt_is_begun_anew(tracker: MlflowTracker, client: MlflowClient) -> None:
    """No kernel is pointed at a run in the trash, which MLflow would refuse to continue."""
    sweep = a_sweep()
    tracked = begin(tracker, sweep)
    client.delete_run(tracked)
    assert client.get_run(begin(tracker, sweep)).info.lifecycle_stage == "active"


def test_deleted_experiment(tracker: MlflowTracker, client: MlflowClient) -> None:
    """An experiment in the trash is used again, without the runs that were deleted with it."""
    before = begin(tracker, a_sweep(experiment="flights"))
    experiment = client.get_run(before).info.experiment_id
    client.delete_experiment(experiment)
    after = begin(tracker, a_sweep(experiment="flights"))
    shown = client.search_runs([experiment])
    assert [run.info.run_id for run in shown] == [after]
    assert client.get_experiment(experiment).lifecycle_stage == "active"
    assert len(client.search_runs([experiment], run_view_type=ViewType.ALL)) == 2


def test_two_processes_make_an_experiment(tracker: MlflowTracker, tmp_path: Path) -> None:
    """Whoever comes second uses what the first one made."""
    other = open_tracker(None, tmp_path / ".mlops")
    found = tracker._experiments._find("flights") or tracker._experiments._create("flights")
    assert other._experiments._create("flights") == found


def test_experiments_lie_apart(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Each experiment has its own folder, whatever it is called."""
    names = ["flights", "flights/2", "../..", "ü" * 300, "a b"]
    runs = [client.get_run(begin(tracker, a_sweep(experiment=name))) for name in names]
    folders = {run.info.artifact_uri.rsplit("/", 2)[0] for run in runs}
    assert len(folders) == len(names)
    assert all("/.mlops/artifacts/" in folder and ".." not in folder for folder in folders)


# -- artifacts -------------------------------------------------------------------------------------


def test_folder_of_artifacts(tracker: MlflowTracker, client: MlflowClient, tmp_path: Path) -> None:
    """A folder is kept as a folder."""
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "roc.txt").write_text("roc")
    tracked = begin(tracker)
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[tmp_path / "plots"])
    assert [each.path for each in client.list_artifacts(tracked, "plots")] == ["plots/roc.txt"]


def test_artifact_that_cannot_be_kept(
    tracker: MlflowTracker, client: MlflowClient, tmp_path: Path
) -> None:
    """A file that cannot be kept is told on the run, and the others are kept."""
    good = tmp_path / "good.txt"
    good.write_text("good")
    tracked = begin(tracker)
    missing = tmp_path / "missing.txt"
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[missing, good])
    run = client.get_run(tracked)
    assert run.info.status == "FINISHED"
    assert "missing.txt could not be kept" in run.data.tags["mlops.artifact_error"]
    assert [each.path for each in client.list_artifacts(tracked)] == ["good.txt"]


# -- a notebook that chooses its experiment --------------------------------------------------------


def test_detached_run(tracker: MlflowTracker, client: MlflowClient) -> None:
    """The metrics and the model of a run that the notebook made elsewhere are the attempt's."""
    sweep = a_sweep(context={"mlflow": {"experiments": ["elsewhere"]}})
    tracked = begin(tracker, sweep)
    elsewhere = client.get_experiment_by_name("elsewhere")
    assert elsewhere is not None
    assert "/.mlops/artifacts/elsewhere-" in elsewhere.artifact_location
    tags = {"mlflow.parentRunId": tracked, "mlops.run": f"{sweep.id}-1", "mlops.sweep": sweep.id}
    child = client.create_run(elsewhere.experiment_id, tags=tags).info.run_id
    client.log_batch(child, metrics=[Metric("auc", 0.7, 1, 1), Metric("loss", 9.0, 1, 0)])
    tracker.log_metrics(tracked, points("loss", 1.0))
    model = client.create_logged_model(
        elsewhere.experiment_id, name="model", source_run_id=child, tags=tags
    )
    client.finalize_logged_model(model.model_id, "READY")
    tracker.finish_attempt(tracked, SUCCEEDED, tags={}, artifacts=[])

    assert tracker.metrics(tracked) == {"auc": 0.7, "loss": 1.0}
    assert [point.value for point in tracker.series(tracked, None)] == [0.7, 1.0]
    assert client.get_run(child).info.status == "FINISHED"
    registry = open_registry(tracker.uri)
    version = registry.register("flights", tracked, alias=None, tags={})
    assert version.mlflow_run_id == tracked
    assert registry.protected([tracked, child]) == {tracked: "flights v1", child: "flights v1"}
    begin(tracker, sweep, 2)
    assert client.get_run(child).info.lifecycle_stage == "active"
    tracker.delete([tracked])
    assert client.get_run(child).info.lifecycle_stage == "deleted"


def test_several_detached_runs(tracker: MlflowTracker, client: MlflowClient) -> None:
    """Of several runs made elsewhere none speaks for the attempt."""
    sweep = a_sweep(context={"mlflow": {"tracking_uri": True}})
    tracked = begin(tracker, sweep)
    experiment = client.get_run(tracked).info.experiment_id
    for value in (0.1, 0.2):
        child = client.create_run(experiment, tags={"mlflow.parentRunId": tracked})
        client.log_metric(child.info.run_id, "auc", value)
    assert tracker.metrics(tracked) == {}
