"""Serving and predicting as people do: from a shell, and as a stage of a pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import serving_operations
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.runtime import endpoint_address
from jupyter_mlops.registry.reference import REFERENCE, write_reference
from tests.support import served, workers
from tests.support.served import ask, rows
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)


#: Where the sample of the training data is among a model's files.
PLACE = Path(REFERENCE).parent


def training_data() -> pd.DataFrame:
    """What the first version was trained on."""
    generator = np.random.default_rng(1)
    return pd.DataFrame(
        {"distance": generator.normal(0, 1, 2000), "hour": generator.integers(0, 24, 2000)}
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project with two versions of a model, and its worker."""
    folder = workers.make_project(tmp_path_factory.mktemp("cli") / "project")
    assert write_reference({"train": training_data()}, served.register(folder) / PLACE)
    served.register(folder, number=1000)
    with workers.worker(folder) as found:
        yield found


def shell(client: Client, *words: str, code: int = 0, **variables: str) -> str:
    """Type a command in the project's folder; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_mlops", *words],
        cwd=client.project.root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def write_rows(client: Client, name: str, count: int) -> pd.DataFrame:
    """Write rows into the project."""
    numbers = np.arange(count)
    frame = pd.DataFrame({"id": numbers, "distance": numbers * 0.5, "hour": numbers % 24})
    frame.to_parquet(client.project.root / name)
    return frame


def test_serve_list_rollback_stop(client: Client) -> None:
    """The life of an endpoint from a shell."""
    told = shell(client, "models", "serve", "flights@v1")
    assert "flights v1" in told
    assert "mlops/endpoints/flights/" in told
    shell(client, "models", "serve", "flights")
    (record,) = json.loads(shell(client, "endpoints", "list", "--json"))
    assert (record["name"], record["version"], record["previous"]) == ("flights", 2, 1)
    assert record["status"] == "ready"
    assert "Back to v2" in shell(client, "endpoints", "rollback", "flights")
    ask(endpoint_address(client.project, "flights"), {"dataframe_records": rows()})
    listed = shell(client, "endpoints", "list")
    assert "1 endpoint" in listed
    assert " ms" in listed
    assert "no longer served" in shell(client, "endpoints", "stop", "flights")
    assert "No model is served." in shell(client, "endpoints", "list")
    assert "is not served" in shell(client, "endpoints", "stop", "flights", code=1)
    assert "There is no alias" in shell(client, "models", "serve", "flights@best", code=1)
    assert "is no model" in shell(client, "models", "serve", "@best", code=2)


def test_predict(client: Client) -> None:
    """A prediction is a run that is tracked, kept with its notebook, and retried like others."""
    frame = write_rows(client, "new.parquet", 5000)
    printed = shell(
        client, "models", "predict", "flights@v1", "--input", "new.parquet",
        "--output", "late.parquet", "--chunk", "1000", "--json",
    )  # fmt: skip
    record = json.loads(printed)
    run = record if "status" in record else record["run"]
    assert run["status"] == "succeeded"
    assert run["metrics"]["rows"] == 5000
    assert run["experiment"] == "predictions"
    assert run["output"].startswith("runs/predictions/predict-flights/")
    assert (client.project.root / run["output"]).exists()
    made = pd.read_parquet(client.project.root / "late.parquet")
    assert made["id"].tolist() == frame["id"].tolist()
    expected = frame["distance"] * 2 + frame["hour"]
    assert made["prediction"].tolist() == expected.tolist()


def test_predict_refuses(client: Client) -> None:
    """A wrong column ends with exit code 1 and one line that names it; nothing is written."""
    write_rows(client, "less.parquet", 10).drop(columns="hour").to_parquet(
        client.project.root / "less.parquet"
    )
    words = ("models", "predict", "flights", "--input", "less.parquet", "--output", "no.csv")
    printed = shell(client, *words, code=1)
    assert "Column 'hour': expected long, got no such column" in printed
    assert not (client.project.root / "no.csv").exists()
    words = ("models", "predict", "flights", "--input", "none.parquet", "--output", "no.csv")
    assert "There is no file" in shell(client, *words, code=2)


def test_check(client: Client) -> None:
    """A model predicts the same online as in a batch; one that does not is found out."""
    frame = write_rows(client, "sample.parquet", 350)
    frame.loc[3, "distance"] = np.nan
    frame.to_parquet(client.project.root / "sample.parquet")
    shell(client, "models", "check", "flights@v2", "--input", "sample.parquet")
    served.register(
        client.project.root,
        "odd",
        before="model_input = model_input.assign(distance=float(len(model_input)))",
    )
    printed = shell(client, "models", "check", "odd", "--input", "sample.parquet", code=1)
    assert "350 of 350 rows are predicted otherwise online than in a batch" in printed


def test_a_killed_prediction_goes_on(client: Client, tmp_path: Path) -> None:
    """After its worker and kernel were killed a prediction goes on behind the last piece."""
    root = client.project.root
    marker = tmp_path / "calls"
    served.register(
        root,
        "slow",
        before=f"open({str(marker)!r}, 'a').write(str(int(model_input['id'].iloc[0])) + chr(10)); "
        f"import os, time; [time.sleep(0.1) for _ in range(600) "
        f"if model_input['id'].iloc[0] == 3000 and not os.path.exists({str(tmp_path / 'go')!r})]",
        columns=(("id", "long"), *served.COLUMNS),
    )
    frame = write_rows(client, "many.parquet", 5000)
    words = ("models", "predict", "slow", "--input", "many.parquet", "--output", "many.csv")
    shell(client, *words, "--chunk", "1000", "--detach")
    for _ in connect(root).events(0, beat=0.2):
        if marker.exists() and "3000" in marker.read_text().split():
            break
    workers.kill(client)
    (tmp_path / "go").touch()
    following = connect(root)
    (sweep,) = [
        each
        for each in following.call(ops.LIST_SWEEPS, query=m.ListQuery())
        if each.notebook == "runs/predictions/predict-slow.ipynb"
    ]
    workers.wait_for(following, sweep.id)
    (run,) = workers.runs(following, sweep.id)
    assert (run.status, run.attempts) == ("succeeded", 2)
    calls = sorted(map(int, marker.read_text().split()))
    assert calls == [0, 1000, 2000, 3000, 3000, 4000]
    made = pd.read_csv(root / "many.csv")
    assert made["id"].tolist() == frame["id"].tolist()


def test_as_a_stage(client: Client) -> None:
    """As a command of dvc.yaml it is run by DVC itself and by our pipeline, and then up to date."""
    root = client.project.root
    write_rows(client, "stage.parquet", 100)
    command = f"{sys.executable} -m jupyter_mlops models predict flights@v1"
    stage = {
        "cmd": f"{command} --input stage.parquet --output staged.csv",
        "deps": ["stage.parquet"],
        "outs": ["staged.csv"],
    }
    (root / "dvc.yaml").write_text(json.dumps({"stages": {"predict": stage}}))
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "-q"], cwd=root, check=True)
    subprocess.run([*dvc, "repro", "-q"], cwd=root, check=True)
    assert len(pd.read_csv(root / "staged.csv")) == 100
    write_rows(client, "stage.parquet", 150)
    shell(client, "pipeline", "run")
    assert len(pd.read_csv(root / "staged.csv")) == 150
    status = subprocess.run([*dvc, "status"], cwd=root, check=True, capture_output=True, text=True)
    assert "up to date" in status.stdout


def check_found(client: Client) -> None:
    """See that the last comparison can be drawn."""
    found = client.call(serving_operations.GET_MONITORING, name="flights")
    assert (found.status, found.rows, found.allowed) == ("succeeded", 300, None)
    assert [each.feature for each in found.drifts] == ["distance", "hour"]
    quality = next(each for each in found.qualities if each.metric == "mae")
    assert (quality.served, quality.challenger) == (
        pytest.approx(0, abs=1e-9),
        pytest.approx(1000),
    )
    assert len(quality.days) == len(quality.values) == 1


def test_monitoring(client: Client) -> None:
    """What an endpoint keeps is compared with the training data, and with the truth."""
    root = client.project.root
    shell(
        client, "models", "serve", "flights@v1", "--keep", "distance", "--keep", "hour",
        "--challenger", "2",
    )  # fmt: skip
    address = endpoint_address(client.project, "flights")
    generator = np.random.default_rng(2)
    training_data().to_parquet(root / "train.parquet")
    asked = pd.DataFrame(
        {"distance": generator.normal(3, 1, 300), "hour": generator.integers(0, 24, 300)}
    )
    assert ask(address, {"dataframe_records": asked.to_dict("records")})[0] == 200
    samples = root / ".mlops" / "samples" / "flights"
    for _ in client.events(0, beat=0.3):
        if list(samples.glob("[0-9]*.parquet")):
            break
    kept = pd.concat(map(pd.read_parquet, samples.glob("[0-9]*.parquet")))
    assert kept["distance"].tolist() == asked["distance"].tolist()
    assert (kept["challenger"].astype(float) - kept["prediction"]).round(6).tolist() == [1000] * 300
    labels = asked.assign(truth=asked["distance"] * 2 + asked["hour"])[["distance", "truth"]]
    labels.to_parquet(root / "labels.parquet")
    words = ("models", "monitor", "flights@v1")
    file = ("--input", "train.parquet")
    known = ("--labels", "labels.parquet", "--on", "distance", "--label", "truth")
    run = json.loads(shell(client, *words, *file, *known, "--json"))
    metrics = run["metrics"]
    assert metrics["drift/distance"] > 0.7
    assert metrics["drift/hour"] < 0.15
    assert metrics["prediction/mae"] == pytest.approx(0, abs=1e-9)
    assert metrics["challenger/mae"] == pytest.approx(1000)
    assert metrics["daily/prediction/mae"] == pytest.approx(0, abs=1e-9)
    check_found(client)
    workers.write(client, "x = 1", name="retrain.ipynb")
    shell(
        client, "triggers", "add", "--run", "runs/predictions/monitor-flights.ipynb",
        "--on", "failed", "--", "run", "retrain.ipynb",
    )  # fmt: skip
    assert "Drift above 0.2: distance" in shell(client, *words, "--fail-above", "0.2", code=1)
    assert "no training data was logged" in shell(client, "models", "monitor", "flights@v2", code=2)
    for _ in client.events(0, beat=0.5):
        found = client.call(ops.LIST_SWEEPS, query=m.ListQuery())
        if any(each.notebook == "retrain.ipynb" for each in found):
            break
    shell(client, "endpoints", "stop", "flights")
    found = client.call(serving_operations.GET_MONITORING, name="flights")
    assert (found.status, found.allowed) == ("failed", 0.2)
    assert client.call(serving_operations.GET_MONITORING, name="other").run_id is None
