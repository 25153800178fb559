"""The example's notebooks run from start to end, alone, as a user would run them by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from jupyter_mlops import features

EXAMPLE = Path(__file__).parents[2] / "example_notebooks"
METRICS = "application/vnd.jupyter-mlops.metrics.v1+json"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project in which 01_prepare.ipynb has run on the sample."""
    project = tmp_path_factory.mktemp("example") / "late flights"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("*.pyc", ".*", "runs"))
    for left in (project / "data").glob("*.parquet"):
        left.unlink()
    execute(project, "01_prepare.ipynb", source="sample")
    return project


@pytest.fixture(scope="module")
def trained(prepared: Path) -> nbformat.NotebookNode:
    """Return 02_train.ipynb as it was executed without a place to log to."""
    return execute(prepared, "02_train.ipynb", max_iter=20)


def execute(
    project: Path, name: str, env: dict[str, str] | None = None, **parameters: object
) -> nbformat.NotebookNode:
    """Execute a notebook by papermill in its folder and return it with its outputs."""
    output = project.parent / name
    command = [sys.executable, "-m", "papermill", "--cwd", ".", "--no-progress-bar", name, output]
    for parameter, value in parameters.items():
        command += ["-p", parameter, str(value)]
    ran = subprocess.run(
        command, check=False, cwd=project, env=os.environ | (env or {}), capture_output=True
    )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    return nbformat.read(output, as_version=4)


def outputs(notebook: nbformat.NotebookNode) -> Iterator[dict[str, Any]]:
    """Return the outputs of all cells."""
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def printed(notebook: nbformat.NotebookNode, stream: str = "stdout") -> str:
    """Return what the notebook printed."""
    return "".join(out["text"] for out in outputs(notebook) if out.get("name") == stream)


def last_metrics(notebook: nbformat.NotebookNode) -> dict[str, float]:
    """Return the last value of every metric that `mlops.log` left in the notebook."""
    messages = [out["data"][METRICS] for out in outputs(notebook) if METRICS in out.get("data", {})]
    return {key: at["value"] for message in messages for key, at in message["last"].items()}


def test_prepare(prepared: Path) -> None:
    """01_prepare.ipynb writes a table whose parts are split and which holds features only."""
    table = pd.read_parquet(prepared / "data" / "features.parquet")
    assert table["split"].value_counts().to_dict() == {
        "train": 27647,
        "validation": 6440,
        "test": 7288,
    }
    assert "arr_delay" not in table


def test_prepare_is_deterministic(prepared: Path) -> None:
    """Prepared again, the features are the same, byte for byte."""
    path = prepared / "data" / "features.parquet"
    before = path.read_bytes()
    execute(prepared, "01_prepare.ipynb", source="sample")
    assert path.read_bytes() == before


def test_train_by_hand(prepared: Path, trained: nbformat.NotebookNode) -> None:
    """Without a place to log to, training works, says so, and leaves nothing in the folder."""
    assert "The model was not logged: nothing is tracked here." in printed(trained)
    assert printed(trained, "stderr") == ""
    assert not {"mlflow.db", "mlruns", ".mlops"} & {path.name for path in prepared.iterdir()}


def test_train_logs_metrics(trained: nbformat.NotebookNode) -> None:
    """Training leaves its metrics in the notebook, and the model is better than chance."""
    metrics = last_metrics(trained)
    assert set(metrics) == {"auc", "log_loss", "average_precision"}
    assert 0.6 < metrics["auc"] < 0.7


def test_train_without_weather(prepared: Path, trained: nbformat.NotebookNode) -> None:
    """The parameter that leaves the weather out is heeded: the model ranks less well."""
    without = execute(prepared, "02_train.ipynb", max_iter=20, use_weather=False)
    assert last_metrics(without)["auc"] < last_metrics(trained)["auc"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's own imports and tables warn
@pytest.mark.parametrize("model", ["boosting", "logistic"])
def test_train_tracked(prepared: Path, tmp_path: Path, model: str) -> None:
    """Plain MLflow calls land in the run of the environment, with a model that can be loaded."""
    from mlflow import MlflowClient, pyfunc

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(tracking_uri=uri)
    experiment = client.create_experiment("late-flights", str(tmp_path / "artifacts"))
    run = client.create_run(experiment).info.run_id
    env = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_RUN_ID": run, "MLFLOW_EXPERIMENT_ID": experiment}

    notebook = execute(prepared, "02_train.ipynb", env, max_iter=20, model=model, rows=5000)

    assert "train 5,000 flights" in printed(notebook)
    assert [file.path for file in client.list_artifacts(run)] == ["validation.png"]
    logged = client.search_logged_models([experiment])
    assert [(each.name, each.source_run_id) for each in logged] == [("late-flights", run)]
    requirements = (Path(logged[0].artifact_location) / "requirements.txt").read_text("utf-8")
    assert all("==" in line for line in requirements.splitlines())
    valid = pd.read_parquet(prepared / "data" / "features.parquet").query("split == 'validation'")
    loaded = pyfunc.load_model(logged[0].artifact_location)
    wanted = loaded.metadata.get_input_schema().input_names()
    joined = [name for name in wanted if name not in valid]
    valid = features.training_set(valid, joined, timestamp="known_by", project=prepared)
    requests = valid[[name for name in wanted if name != "scheduled"]].assign(
        scheduled=valid["scheduled"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    risks = loaded.predict(requests[wanted])
    assert valid["wind_gust"].isna().any()
    assert "weekday" not in wanted
    assert risks.shape == (len(valid),)
    assert 0 < risks.min() < risks.max() < 1
