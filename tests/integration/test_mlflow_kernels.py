"""Plain MLflow code in a process with a kernel's environment lands in the attempt's run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from jupyter_mlops import mlflow_client
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import Reason, Status, Sweep
from jupyter_mlops.registry import open_registry
from jupyter_mlops.tracking import REPLACED_VARIABLES, MlflowTracker, context, open_tracker
from jupyter_mlops.tracking.client_calls import client_calls
from jupyter_mlops.tracking.store_template import create_database
from tests.support.records import a_sweep
from tests.support.tracked import MLFLOW_WARNING, a_run, an_attempt

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[MlflowTracker]:
    """The tracker of a new project."""
    opened = open_tracker(None, tmp_path / ".mlops")
    yield opened
    opened.close()


class Kernel:
    """Runs code as an attempt, in a process of its own."""

    def __init__(self, tracker: MlflowTracker, folder: Path, code: str) -> None:
        self._tracker = tracker
        self._folder = folder
        self._code = dedent(code)
        self.sweep: Sweep = a_sweep(context={"mlflow": client_calls([self._code])})
        run = a_run(self.sweep, parameters={"alpha": 0.5})
        self.tracked = tracker.start_attempt(self.sweep, run, an_attempt(run))

    def run(self) -> str:
        """Run the code to its end, record that, and return what it wrote to stderr."""
        inherited = {
            name: text for name, text in os.environ.items() if name not in REPLACED_VARIABLES
        }
        done = subprocess.run(
            (sys.executable, "-W", "ignore", "-c", self._code),
            cwd=self._folder,
            env=inherited | self.tracked.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            outcome = Outcome(status=Status.SUCCEEDED, duration=1.0)
        else:
            outcome = Outcome(status=Status.FAILED, reason=Reason.ERROR, duration=1.0)
        self._tracker.finish_attempt(self.tracked.id, outcome, tags={}, artifacts=[])
        return done.stderr

    @property
    def client(self) -> MlflowClient:
        """MLflow itself."""
        return self._tracker._client

    def own(self) -> MlflowRun:
        """Return the attempt's run."""
        return self.client.get_run(self.tracked.id)

    def others(self) -> list[MlflowRun]:
        """Return the runs that the code made."""
        where = [each.experiment_id for each in self.client.search_experiments()]
        found = self.client.search_runs(where, "tags.mlflow.parentRunId != ''")
        return [run for run in found if run.info.run_id != self.tracked.id]


@pytest.mark.slow
def test_everything_in_one_run(tracker: MlflowTracker, tmp_path: Path) -> None:
    """Bare calls and autolog fill the attempt's run; that the code failed is not lost."""
    kernel = Kernel(
        tracker,
        tmp_path,
        """
        import mlflow
        from sklearn.linear_model import Ridge
        mlflow.log_param("rows", 10)
        mlflow.log_metric("early", 1.0, step=4)
        mlflow.sklearn.autolog()
        Ridge(alpha=0.5).fit([[float(n)] for n in range(10)], list(range(10)))
        raise ValueError("boom")
        """,
    )
    assert "boom" in kernel.run()
    run = kernel.own()
    assert kernel.others() == []
    assert run.info.status == "FAILED"
    assert {
        "rows": "10",
        "alpha": "0.5",
        "fit_intercept": "True",
    }.items() <= run.data.params.items()
    assert {"early", "training_r2_score"} <= set(tracker.metrics(kernel.tracked.id))
    assert run.data.tags["estimator_name"] == "Ridge"
    version = open_registry(tracker.uri).register("line", run.info.run_id, alias=None, tags={})
    assert version.mlflow_run_id == run.info.run_id
    assert not (tmp_path / "mlruns").exists()


def test_several_runs(tracker: MlflowTracker, tmp_path: Path) -> None:
    """The first run that code starts is the attempt's, the next ones are its children."""
    kernel = Kernel(
        tracker,
        tmp_path,
        """
        import mlflow
        with mlflow.start_run():
            mlflow.log_metric("a", 1.0)
            with mlflow.start_run(nested=True, run_name="inner"):
                mlflow.log_metric("b", 2.0)
        with mlflow.start_run(run_name="second"):
            mlflow.log_metric("c", 3.0)
        """,
    )
    assert "Error" not in kernel.run()
    assert tracker.metrics(kernel.tracked.id) == {"a": 1.0}
    assert {run.info.run_name for run in kernel.others()} == {"inner", "second"}
    for run in kernel.others():
        assert run.data.tags["mlflow.parentRunId"] == kernel.tracked.id
        assert run.data.tags["mlops.sweep"] == kernel.sweep.id
        assert run.data.tags["mlflow.source.name"] == "train.ipynb"
        assert run.info.experiment_id == kernel.own().info.experiment_id


def test_model_outside_any_run(tracker: MlflowTracker, tmp_path: Path) -> None:
    """A bare ``log_model``, which MLflow gives to no run, is the attempt's model."""
    kernel = Kernel(
        tracker,
        tmp_path,
        """
        import mlflow
        from sklearn.linear_model import Ridge
        model = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
        mlflow.sklearn.log_model(model, name="model", pip_requirements=[])
        """,
    )
    assert "Error" not in kernel.run()
    outputs = kernel.own().outputs
    assert outputs is not None
    (output,) = outputs.model_outputs
    version = open_registry(tracker.uri).register("line", kernel.tracked.id, alias=None, tags={})
    assert (version.mlflow_run_id, version.run_id) == (kernel.tracked.id, f"{kernel.sweep.id}-1")
    found = kernel.client.get_model_version("line", "1")
    assert (found.source, found.run_id) == (f"models:/{output.model_id}", kernel.tracked.id)
    assert '"line"' in kernel.client.get_logged_model(output.model_id).tags["mlflow.modelVersions"]


def test_other_experiment(tracker: MlflowTracker, tmp_path: Path) -> None:
    """Code that sets another experiment runs, instead of being refused by MLflow."""
    kernel = Kernel(
        tracker,
        tmp_path,
        """
        import mlflow
        mlflow.set_experiment("elsewhere")
        with mlflow.start_run():
            mlflow.log_param("alpha", "changed")
            mlflow.log_metric("auc", 0.9)
        """,
    )
    assert "Error" not in kernel.run()
    assert tracker.metrics(kernel.tracked.id) == {"auc": 0.9}
    assert kernel.own().data.params == {"alpha": "0.5"}
    assert kernel.own().info.status == "FINISHED"
    assert not (tmp_path / "mlruns").exists()


def test_other_store(tracker: MlflowTracker, tmp_path: Path) -> None:
    """Code that sets another tracking URI runs there, instead of not finding its run."""
    create_database(tmp_path / "theirs.db", tmp_path / "theirs")
    uri = f"sqlite:///{tmp_path}/theirs.db"
    kernel = Kernel(
        tracker,
        tmp_path,
        f"""
        import mlflow
        mlflow.set_tracking_uri("{uri}")
        mlflow.set_experiment("mine")
        with mlflow.start_run():
            mlflow.log_param("alpha", "changed")
            mlflow.log_metric("auc", 0.9)
        """,
    )
    assert "Error" not in kernel.run()
    assert kernel.own().info.status == "FINISHED"
    assert kernel.own().data.params == {"alpha": "0.5"}
    assert kernel.others() == []
    theirs = mlflow_client.connect(uri)
    where = [each.experiment_id for each in theirs.search_experiments()]
    (run,) = theirs.search_runs(where)
    assert (run.data.metrics, run.data.params) == ({"auc": 0.9}, {"alpha": "changed"})
    assert run.data.tags["mlops.run"] == f"{kernel.sweep.id}-1"
    mlflow_client.dispose(theirs)


def test_failure_after_a_bare_call(tracker: MlflowTracker, tmp_path: Path) -> None:
    """MLflow's exit handler calls the run finished; the outcome makes it a failed one."""
    kernel = Kernel(
        tracker,
        tmp_path,
        """
        import mlflow
        mlflow.log_metric("loss", 1.0)
        with mlflow.start_run(nested=True, run_name="left open"):
            mlflow.log_metric("inner", 1.0)
            mlflow.start_run(nested=True, run_name="open")
            raise ValueError("boom")
        """,
    )
    assert "boom" in kernel.run()
    assert kernel.own().info.status == "FAILED"
    assert tracker.metrics(kernel.tracked.id) == {"loss": 1.0}
    assert {run.info.status for run in kernel.others()} <= {"FAILED", "FINISHED"}


def test_own_experiment(tracker: MlflowTracker, tmp_path: Path) -> None:
    """Code that sets the sweep's experiment continues the attempt's run, and may change values."""
    kernel = Kernel(
        tracker,
        tmp_path,
        """
        import mlflow
        mlflow.set_experiment("train")
        with mlflow.start_run(run_name="mine"):
            mlflow.log_params({"alpha": 0.25, "beta": 1})
        """,
    )
    assert "Error" not in kernel.run()
    assert kernel.others() == []
    assert kernel.own().data.params == {"alpha": "0.25", "beta": "1"}
    assert kernel.own().info.run_name == "mine"


def test_environment(tracker: MlflowTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels have MLflow's own patience and no telemetry, unless the user said otherwise."""
    sweep = a_sweep(notebook="nb/train.ipynb", context=context.capture(Path.cwd()))
    run = a_run(sweep)
    environment = tracker.start_attempt(sweep, run, an_attempt(run)).environment
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "120"
    assert environment["MLFLOW_TRACKING_URI"] == tracker.uri
    assert environment["MLFLOW_EXPERIMENT_NAME"] == sweep.experiment
    assert environment["IPYNB_FILE"] == "train.ipynb"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "20"
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    environment = tracker.start_attempt(sweep, run, an_attempt(run)).environment
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "false"
