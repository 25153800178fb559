"""The example's workflow: by plain DVC and by us, and once more after a parameter has changed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import connect
from jupyter_mlops.app.demo import make_demo
from jupyter_mlops.core.pipelines import CauseKind, StageState
from jupyter_mlops.core.runs import Status
from tests.support import pipelines, workers

STAGES = ["pull", "features", "train@boosting", "train@logistic", "compare", "deploy"]
#: What a change of the baseline's parameter concerns.
CHANGED = ["train@logistic", "compare", "deploy"]
#: Outputs with times in them: no two executions leave the same.
EXECUTED = ("week/boosting.ipynb", "week/logistic.ipynb")


@dataclass(frozen=True)
class Done:
    """The example in a folder, and what a pipeline run printed."""

    folder: Path
    #: Of DVC its output, of us the record.
    printed: Any

    def deployed(self) -> str:
        """Return which model lies where a service would load it; the files agree on it."""
        target = self.folder / "week" / "deployed"
        name: str = json.loads((target / "deployed.json").read_text("utf-8"))["model"]
        decision = json.loads((target / "decision.json").read_text("utf-8"))
        assert decision["command"] == ["python", "week_deploy.py", name]
        assert (target / "model.joblib").read_bytes() == (
            self.folder / "week" / name / "model.joblib"
        ).read_bytes()
        return name

    def aucs(self) -> dict[str, float]:
        """Return both models' AUC on the test days."""
        found = {}
        for name in ("boosting", "logistic"):
            path = self.folder / "week" / "test" / f"{name}.json"
            found[name] = json.loads(path.read_text("utf-8"))["auc"]
        return found

    def lock(self) -> dict[str, Any]:
        """Return dvc.lock without the hashes of what holds times."""
        locked: dict[str, Any] = yaml.safe_load((self.folder / "dvc.lock").read_text("utf-8"))
        for stage in locked["stages"].values():
            for out in stage.get("outs", []):
                if out["path"] in EXECUTED:
                    del out["md5"], out["size"]
        return locked


@pytest.fixture(scope="module")
def by_dvc(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The example, run by ``dvc repro``."""
    folder = make_demo(tmp_path_factory.mktemp("dvc") / "late flights").folder
    return Done(folder, pipelines.dvc(folder, "repro"))


@pytest.fixture(scope="module")
def by_us(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """The example, run by ``jupyter mlops pipeline run`` on two cores."""
    folder = make_demo(tmp_path_factory.mktemp("us") / "late flights").folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_MLOPS_CORES", "2")
        yield Done(folder, run(folder))
    workers.stop(folder)


def run(folder: Path) -> Any:
    """Run the pipeline by our command and return its record."""
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_mlops", "pipeline", "run", "--json"],
        check=False,
        cwd=folder,
        env=pipelines.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_dvc_runs_it(by_dvc: Done) -> None:
    """Each stage runs, and the better of the two models is deployed."""
    assert pipelines.ran(by_dvc.printed) == STAGES
    aucs = by_dvc.aucs()
    assert aucs["boosting"] > aucs["logistic"] > 0.5
    assert by_dvc.deployed() == "boosting"


def test_dvc_shows_metrics_and_plots(by_dvc: Done) -> None:
    """``dvc metrics`` and ``dvc plots`` have something to show."""
    metrics = json.loads(pipelines.dvc(by_dvc.folder, "metrics", "show", "--json"))
    (files,) = (revision["data"] for revision in metrics.values())
    assert set(files) == {
        f"week/{place}.json"
        for place in ("boosting/metrics", "logistic/metrics", "test/boosting", "test/logistic")
    }
    plots = json.loads(pipelines.dvc(by_dvc.folder, "plots", "show", "--json"))
    assert len(plots["data"]["Late flights on the test days"]) > 0
    assert not plots.get("errors")


def test_we_run_it(by_us: Done) -> None:
    """Each stage runs once, and the same model is deployed."""
    ran = {stage["name"]: stage["state"] for stage in by_us.printed["stages"]}
    assert ran == dict.fromkeys(STAGES, StageState.SUCCEEDED)
    assert by_us.deployed() == "boosting"


def test_it_means_the_same(by_dvc: Done, by_us: Done) -> None:
    """dvc.lock holds the same, the models' bytes too; DVC finds nothing left to do."""
    assert by_us.lock() == by_dvc.lock()
    assert json.loads(pipelines.dvc(by_us.folder, "status", "--json")) == {}
    assert pipelines.ran(pipelines.dvc(by_us.folder, "repro")) == []


def test_training_is_tracked_and_parallel(by_us: Done) -> None:
    """Both models are trained by tracked runs on warm kernels, at the same time."""
    client = connect(by_us.folder)
    view = client.call(ops.PIPELINE, query=m.PipelineQuery())
    stages = {stage.name: stage for stage in view.stages}
    trained = [stages["train@boosting"], stages["train@logistic"]]
    found = []
    for stage in trained:
        assert stage.run_id is not None
        found.append(client.call(ops.GET_RUN, run_id=stage.run_id).run)
    assert [each.status for each in found] == [Status.SUCCEEDED] * 2
    assert {each.notebook for each in found} == {"03_week.ipynb"}
    assert all(each.mlflow_run_id for each in found)
    assert found[0].parameters["max_depth"] == 3
    assert all(0.5 < each.metrics["auc"] < 1 for each in found)
    starts = [each.started_at for each in found]
    ends = [each.finished_at for each in found]
    assert all(starts)
    assert all(ends)
    assert max(at for at in starts if at) < min(at for at in ends if at)


def test_a_changed_parameter(by_dvc: Done, by_us: Done) -> None:
    """What depends on the baseline's parameter runs again, nothing else; the decision follows."""
    for done in (by_dvc, by_us):
        settings = done.folder / "params.yaml"
        text = settings.read_text("utf-8")
        assert "penalty: 1.0" in text
        settings.write_text(text.replace("penalty: 1.0", "penalty: 100.0"), "utf-8")

    client = connect(by_us.folder)
    plan = client.call(ops.PLAN_PIPELINE, body=m.PipelineRequest())
    stale = {stage.name: stage for stage in plan.stages if stage.state is StageState.STALE}
    assert list(stale) == CHANGED
    causes = {(cause.kind, cause.what) for cause in stale["train@logistic"].causes}
    assert (CauseKind.PARAMETER, "params.yaml: logistic") in causes

    again = Done(by_us.folder, run(by_us.folder))
    states = {stage["name"]: stage["state"] for stage in again.printed["stages"]}
    assert [name for name in STAGES if states.get(name) == StageState.SUCCEEDED] == CHANGED
    assert pipelines.ran(pipelines.dvc(by_dvc.folder, "repro")) == CHANGED
    for done in (by_dvc, by_us):
        aucs = done.aucs()
        assert aucs["logistic"] > aucs["boosting"]
        assert done.deployed() == "logistic"
    assert by_us.lock() == by_dvc.lock()
