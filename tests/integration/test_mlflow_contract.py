"""The tracker and the registry, in MLflow and in memory, keep the same promises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from jupyter_mlops.core.exceptions import InvalidInput, NoModelLogged, NotFound
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.ports import Registry, TrackedRun, Tracker
from jupyter_mlops.core.runs import Reason, Run, Status, Sweep, SweepKind
from jupyter_mlops.registry import open_registry
from jupyter_mlops.testing import InMemoryRegistry, InMemoryTracker
from jupyter_mlops.tracking import MlflowTracker, open_tracker, recording
from tests.support.records import a_sweep
from tests.support.tracked import MLFLOW_WARNING, a_run, an_attempt, points

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

SUCCEEDED = Outcome(status=Status.SUCCEEDED, duration=1.5)


@dataclass(frozen=True)
class Facts:
    """What a backend has on record of a run."""

    parent: str | None
    parameters: dict[str, str]
    #: MLflow's word for the status.
    status: str
    tags: dict[str, str]
    artifacts: list[str]
    hidden: bool


@dataclass(frozen=True)
class Backend:
    """A tracker and a registry, and ways to look behind them."""

    tracker: Tracker
    registry: Registry
    look: Callable[[str], Facts]
    #: Does what a notebook does that logs a model.
    log_model: Callable[[str], None]

    def start(self, sweep: Sweep, run: Run, number: int = 1) -> TrackedRun:
        """Begin an attempt."""
        return self.tracker.start_attempt(sweep, run, an_attempt(run, number))

    def finished(self, experiment: str = "train") -> str:
        """Return a finished run that logged a model."""
        sweep = a_sweep(kind=SweepKind.RUN, experiment=experiment)
        tracked = self.start(sweep, a_run(sweep, parameters={"lr": 0.1}))
        self.tracker.log_metrics(tracked.id, points("auc", 0.5, 0.75))
        self.log_model(tracked.id)
        self.tracker.finish_attempt(tracked.id, SUCCEEDED, tags={}, artifacts=[])
        return tracked.id


def in_memory() -> Backend:
    """Return the backend that needs nothing."""
    tracker = InMemoryTracker()

    def look(tracked_id: str) -> Facts:
        run = tracker.recorded[tracked_id]
        return Facts(
            parent=run.parent,
            parameters=run.parameters,
            status=recording.STATUSES[run.status],
            tags=run.tags,
            artifacts=run.artifacts,
            hidden=run.hidden,
        )

    return Backend(tracker, InMemoryRegistry(tracker), look, tracker.log_model)


def in_mlflow(tracker: MlflowTracker) -> Backend:
    """Return the backend that keeps everything in a local MLflow store."""
    client = tracker._client

    def look(tracked_id: str) -> Facts:
        run = client.get_run(tracked_id)
        return Facts(
            parent=run.data.tags.get("mlflow.parentRunId"),
            parameters=run.data.params,
            status=run.info.status,
            tags=run.data.tags,
            artifacts=[each.path for each in client.list_artifacts(tracked_id)],
            hidden=run.info.lifecycle_stage == "deleted",
        )

    def log_model(tracked_id: str) -> None:
        experiment = client.get_run(tracked_id).info.experiment_id
        model = client.create_logged_model(experiment, name="model", source_run_id=tracked_id)
        client.finalize_logged_model(model.model_id, "READY")

    return Backend(tracker, open_registry(tracker.uri), look, log_model)


@pytest.fixture(params=["memory", "mlflow"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Each backend in turn."""
    if request.param == "memory":
        yield in_memory()
        return
    tracker = open_tracker(None, tmp_path / ".mlops")
    yield in_mlflow(tracker)
    tracker.close()


# -- tracking --------------------------------------------------------------------------------------


def test_sweep_is_recorded_once(backend: Backend) -> None:
    """A sweep has one parent run, however often it is recorded."""
    sweep = a_sweep()
    parent = backend.tracker.start_sweep(sweep)
    assert backend.tracker.start_sweep(sweep) == parent
    assert backend.tracker.start_sweep(a_sweep()) != parent
    assert backend.look(parent).status == "RUNNING"
    backend.tracker.finish_sweep(parent, Status.CANCELLED, tags={"mlops.cancelled": "2"})
    facts = backend.look(parent)
    assert (facts.status, facts.tags["mlops.cancelled"]) == ("KILLED", "2")
    assert facts.tags["mlops.status"] == "cancelled"


def test_attempt_is_recorded_once(backend: Backend) -> None:
    """An attempt has one tracked run below its sweep's, which kernels are pointed at."""
    sweep = a_sweep()
    sweep = replace(sweep, mlflow_run_id=backend.tracker.start_sweep(sweep))
    run = a_run(sweep, parameters={"lr": 0.1, "name": "x", "layers": [1, 2], "flag": None})
    tracked = backend.start(sweep, run)
    assert backend.start(sweep, run) == tracked
    assert tracked.environment["MLFLOW_RUN_ID"] == tracked.id
    facts = backend.look(tracked.id)
    assert (facts.parent, facts.status) == (sweep.mlflow_run_id, "RUNNING")
    assert facts.parameters == {"lr": "0.1", "name": "x", "layers": "[1, 2]", "flag": "None"}


def test_runs_are_apart(backend: Backend) -> None:
    """Runs of a sweep and runs with equal values have their own records."""
    sweep = a_sweep()
    ids = {backend.start(sweep, a_run(sweep, index)).id for index in (1, 2, 11)}
    assert len(ids) == 3
    assert all(backend.look(each).parent is None for each in ids)


def test_secrets_are_masked(backend: Backend) -> None:
    """A secret's value is not on record."""
    sweep = a_sweep()
    tracked = backend.start(sweep, a_run(sweep, parameters={"password": "hunter2"}))
    assert "hunter2" not in str(backend.look(tracked.id))


def test_retry_supersedes(backend: Backend) -> None:
    """Only the last attempt of a run is shown; what comes late for an earlier one is kept."""
    sweep = a_sweep()
    run = a_run(sweep)
    first, other = backend.start(sweep, run), backend.start(sweep, a_run(sweep, 2))
    second = backend.start(sweep, run, 2)
    assert second.id != first.id
    assert backend.start(sweep, run, 2) == second
    hidden = {each.id: backend.look(each.id).hidden for each in (first, second, other)}
    assert hidden == {first.id: True, second.id: False, other.id: False}
    assert backend.look(first.id).tags["mlops.superseded"] == "true"
    backend.tracker.log_metrics(first.id, points("loss", 3.0))
    lost = Outcome(status=Status.FAILED, reason=Reason.LOST)
    backend.tracker.finish_attempt(first.id, lost, tags={}, artifacts=[])
    assert backend.tracker.metrics(first.id) == {"loss": 3.0}
    assert (backend.look(first.id).hidden, backend.look(first.id).status) == (True, "FAILED")


def test_the_last_attempt_counts_whenever_it_is_recorded(backend: Backend) -> None:
    """What an earlier worker left behind is recorded behind the others, once, and hidden."""
    sweep = a_sweep()
    run = a_run(sweep)
    first = backend.start(sweep, run)
    third = backend.start(sweep, run, 3)
    second = backend.start(sweep, run, 2)
    assert backend.start(sweep, run) == first
    assert backend.start(sweep, run, 2) == second
    hidden = {each.id: backend.look(each.id).hidden for each in (first, second, third)}
    assert hidden == {first.id: True, second.id: True, third.id: False}


def test_metrics(backend: Backend) -> None:
    """The last value of a metric is that of its highest step; replaying adds nothing."""
    sweep = a_sweep()
    tracked = backend.start(sweep, a_run(sweep)).id
    loss, odd = points("loss", 3.0, 2.0, 1.0), points("mAP@0.5 (%)", 0.5)
    for batch in (loss[2:], loss, odd, loss + odd):
        backend.tracker.log_metrics(tracked, batch)
    assert backend.tracker.metrics(tracked) == {"loss": 1.0, "mAP@0.5 (%)": 0.5}
    assert backend.tracker.series(tracked, "loss") == loss
    assert backend.tracker.series(tracked, None) == loss + odd
    assert backend.tracker.series(tracked, "nothing") == []


def test_values_that_are_no_numbers(backend: Backend) -> None:
    """NaN and infinity are values like others, also when they are replayed."""
    sweep = a_sweep()
    tracked = backend.start(sweep, a_run(sweep)).id
    values = points("loss", math.nan, math.inf, -math.inf)
    backend.tracker.log_metrics(tracked, values)
    backend.tracker.log_metrics(tracked, values)
    found = [point.value for point in backend.tracker.series(tracked, "loss")]
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf]
    assert backend.tracker.metrics(tracked) == {"loss": -math.inf}


@pytest.mark.parametrize(
    ("status", "word"),
    [(Status.SUCCEEDED, "FINISHED"), (Status.FAILED, "FAILED"), (Status.CANCELLED, "KILLED")],
)
def test_end(backend: Backend, tmp_path: Path, status: Status, word: str) -> None:
    """The end of an attempt is recorded with its output notebook, as often as one likes."""
    sweep = a_sweep()
    tracked = backend.start(sweep, a_run(sweep)).id
    output = tmp_path / "train.ipynb"
    output.write_text("{}")
    for _ in range(2):
        outcome = Outcome(status=status, duration=2.0)
        backend.tracker.finish_attempt(tracked, outcome, tags={"a": "b"}, artifacts=[output])
    facts = backend.look(tracked)
    assert (facts.status, facts.tags["mlops.status"], facts.tags["a"]) == (word, status, "b")
    assert facts.artifacts == ["train.ipynb"]


def test_delete(backend: Backend) -> None:
    """Deleting hides, and neither unknown nor deleted runs stand in its way."""
    sweep = a_sweep()
    one, two = (backend.start(sweep, a_run(sweep, index)).id for index in (1, 2))
    for _ in range(2):
        backend.tracker.delete([one, "0" * 32])
    assert (backend.look(one).hidden, backend.look(two).hidden) == (True, False)


def test_nothing_is_known_of_unknown_runs(backend: Backend) -> None:
    """A run that somebody removed for good holds nothing up."""
    gone = "0" * 32
    backend.tracker.log_metrics(gone, points("loss", 1.0))
    backend.tracker.finish_attempt(gone, SUCCEEDED, tags={}, artifacts=[])
    backend.tracker.finish_sweep(gone, Status.SUCCEEDED, tags={})
    assert backend.tracker.metrics(gone) == {}
    assert backend.tracker.series(gone, None) == []


# -- the registry ----------------------------------------------------------------------------------


def test_register(backend: Backend) -> None:
    """A version knows its run with its metrics and parameters, its tags and aliases."""
    tracked = backend.finished()
    version = backend.registry.register("flights", tracked, alias="champion", tags={"owner": "ada"})
    assert (version.name, version.version, version.aliases) == ("flights", 1, ("champion",))
    assert (version.metrics, version.parameters) == ({"auc": 0.75}, {"lr": "0.1"})
    assert version.mlflow_run_id == tracked
    assert version.run_id == version.tags["mlops.run"]
    assert version.tags["owner"] == "ada"
    assert version.tags["mlops.sweep"] == str(version.run_id).rpartition("-")[0]
    assert backend.registry.versions() == [version]


def test_versions(backend: Backend) -> None:
    """All versions of all models are listed, the newest first within a model."""
    assert backend.registry.versions() == []
    runs = [backend.finished(experiment) for experiment in ("one", "two", "one")]
    for name, tracked in (("b", runs[0]), ("a", runs[1]), ("b", runs[2]), ("b", runs[2])):
        backend.registry.register(name, tracked, alias=None, tags={})
    found = [(each.name, each.version, each.mlflow_run_id) for each in backend.registry.versions()]
    assert found == [
        ("a", 1, runs[1]),
        ("b", 3, runs[2]),
        ("b", 2, runs[2]),
        ("b", 1, runs[0]),
    ]


def test_aliases(backend: Backend) -> None:
    """An alias points at one version, is moved, and is removed."""
    registry, tracked = backend.registry, backend.finished()
    for _ in range(2):
        registry.register("flights", tracked, alias="champion", tags={})
    assert [each.aliases for each in registry.versions()] == [("champion",), ()]
    assert registry.set_alias("flights", "champion", 1).aliases == ("champion",)
    assert registry.set_alias("flights", "a-b", 1).aliases == ("a-b", "champion")
    assert [each.aliases for each in registry.versions()] == [(), ("a-b", "champion")]
    registry.delete_alias("flights", "champion")
    assert [each.aliases for each in registry.versions()] == [(), ("a-b",)]


def test_what_cannot_be_registered(backend: Backend) -> None:
    """A run without a model and a run that is not there are told apart; nothing is left behind."""
    sweep = a_sweep()
    bare = backend.start(sweep, a_run(sweep)).id
    with pytest.raises(NoModelLogged):
        backend.registry.register("flights", bare, alias=None, tags={})
    with pytest.raises(NotFound, match="no tracked run"):
        backend.registry.register("flights", "0" * 32, alias=None, tags={})
    assert backend.registry.versions() == []


@pytest.mark.parametrize(
    ("name", "alias", "field"),
    [
        ("a/b", None, "name"),
        ("", None, "name"),
        ("..", None, "name"),
        ("a@b", None, "name"),
        ("x" * 251, None, "name"),
        ("flights", "latest", "alias"),
        ("flights", "V12", "alias"),
        ("flights", "a b", "alias"),
        ("flights", "", "alias"),
    ],
)
def test_names(backend: Backend, name: str, alias: str | None, field: str) -> None:
    """A bad name or alias is refused before anything is registered."""
    tracked = backend.finished()
    with pytest.raises(InvalidInput) as caught:
        backend.registry.register(name, tracked, alias=alias, tags={})
    assert caught.value.field == field
    assert "\n" not in caught.value.message
    assert backend.registry.versions() == []


def test_unknown_versions_and_aliases(backend: Backend) -> None:
    """What is not there is said not to be there."""
    backend.registry.register("flights", backend.finished(), alias="champion", tags={})
    for name, version in (("flights", 2), ("trains", 1)):
        with pytest.raises(NotFound, match=f"no model {name} v{version}"):
            backend.registry.set_alias(name, "best", version)
    for name, alias in (("flights", "best"), ("trains", "champion")):
        with pytest.raises(NotFound):
            backend.registry.delete_alias(name, alias)


def test_protected(backend: Backend) -> None:
    """Runs that versions were made from are named, with the version."""
    used, unused = backend.finished(), backend.finished()
    backend.registry.register("flights", used, alias=None, tags={})
    assert backend.registry.protected([used, unused, "0" * 32]) == {used: "flights v1"}
    assert backend.registry.protected([]) == {}


def test_registered_run_is_not_hidden(backend: Backend) -> None:
    """A model's own run stays in sight while its model is registered."""
    tracked = backend.finished()
    backend.registry.register("flights", tracked, alias=None, tags={})
    assert not backend.look(tracked).hidden
