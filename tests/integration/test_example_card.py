"""The example's model has a complete card, and a fresh clone on another path builds it again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import model_operations
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.feature_operations import CHECK_FEATURES, COMPUTE_FEATURES
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.repositories import make_repository
from jupyter_mlops.app.reproducing import reproduce
from jupyter_mlops.app.runtime import endpoint_address
from jupyter_mlops.core.verdicts import Outcome
from tests.support import served, workers
from tests.support.repositories import call, environment
from tests.support.served import ask
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

EXAMPLE = Path(__file__).parents[2] / "example_notebooks"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The example as `jupyter mlops demo` makes it, with a DVC remote, prepared on the sample."""
    root = tmp_path_factory.mktemp("example")
    folder = root / "late flights"
    ignored = shutil.ignore_patterns("*.pyc", ".dvc", "runs", "dvc.lock", "week", "__pycache__")
    shutil.copytree(EXAMPLE, folder, ignore=ignored)
    for left in (folder / "data").glob("*.parquet"):
        left.unlink()
    with pytest.MonkeyPatch.context() as patch:
        for name, text in environment(folder).items():
            if name.startswith("DVC_"):
                patch.setenv(name, text)
        make_repository(folder)
        call("dvc", "remote", "add", "--default", "store", str(root / "remote"), folder=folder)
        call("git", "commit", "--all", "--quiet", "--message", "Remote", folder=folder)
        with workers.worker(folder) as started:
            run(started, "01_prepare.ipynb", source="sample")
            yield started


def run(client: Client, notebook: str, **values: object) -> m.RunView:
    """Run a notebook to its end."""
    request = {name: [value] for name, value in values.items()}
    sweep = workers.wait_for(client, workers.submit(client, notebook, values=request).id)
    (found,) = workers.runs(client, sweep.id)
    assert found.error is None
    return found


def test_features_online(client: Client) -> None:
    """The example's features are the same online and offline, and its endpoint fetches them."""
    body = m.ComputeRequest(online=True)
    done = workers.wait_for(client, client.call(COMPUTE_FEATURES, body=body).id)
    checked = client.call(CHECK_FEATURES, body=m.CompareFeaturesRequest(rows=200))
    for sweep in (done.id, workers.wait_for(client, checked.id).id):
        (found,) = workers.runs(client, sweep)
        assert found.error is None
    assert found.metrics["different"] == 0
    # Nine of three airports, one of 35 pairs, three of planes.
    assert found.metrics["rows"] == 9 * 3 + 35 + 3 * 200
    body = m.RegisterRequest(run=run(client, "02_train.ipynb", max_iter=20).id)
    client.call(ops.REGISTER_MODEL, body=body, name="served", timeout=None)
    assert served.serve(client, "served").error is None
    flight = {
        "carrier": "UA",
        "origin": "EWR",
        "dest": "IAH",
        "tailnum": "N14228",
        "scheduled": "2013-12-01T12:15:00Z",
        "arrival_minute": 819,
        "departures_in_hour": 20,
        "distance": 1400,
    }
    address = endpoint_address(client.project, "served")
    risks = []
    for planes in ({}, {"plane_age": 14.0, "seats": 149}, {"plane_age": 60.0, "seats": 20}):
        status, answer = ask(address, {"dataframe_records": [flight | planes]})
        assert status == 200, answer
        risks += answer["predictions"]
    assert risks[0] == risks[1]
    assert 0 < risks[0] < 1


def test_complete_and_built_again(client: Client, tmp_path: Path) -> None:
    """Eight of eight parts are present; the clone makes the same metrics and predictions."""
    trained = run(client, "02_train.ipynb", max_iter=20)
    body = m.RegisterRequest(run=trained.id)
    version = client.call(ops.REGISTER_MODEL, body=body, name="late-flights", timeout=None)
    card = client.call(model_operations.MODEL_CARD, name="late-flights", version="1")
    assert [(each.name, each.line) for each in card.parts if each.line] == []
    assert (version.complete, version.notices) == (8, [])
    facts = {each.name.value: each.facts for each in card.parts}
    assert facts["artifacts"]["plots"] == ["validation.png"]
    assert [each["path"] for each in facts["data"]["files"]] == [
        "data/features.parquet",
        "data/flights.parquet",
        "data/planes.parquet",
        "data/weather.parquet",
    ]
    features = {each["feature"] for each in facts["data"]["features"]}
    assert len(features) == 13
    assert {"flights.carrier_delay_yesterday", "planes.plane_age", "weather.temp"} < features
    assert facts["functions"]["modules"] == ["flights_features"]

    folder = client.project.root
    call("git", "add", "models", folder=folder)
    call("git", "commit", "--quiet", "--message", "Register", folder=folder)
    call("dvc", "push", "--quiet", *map(str, folder.glob("models/*/*/*.dvc")), folder=folder)
    clone = tmp_path / "clone"
    call("git", "clone", "--quiet", str(folder), str(clone), folder=tmp_path)
    verdict = reproduce(
        find_project(clone), "late-flights", 1, here=True, tolerance=1e-6, note=lambda _: None
    )
    workers.stop(clone)
    assert verdict.outcome is Outcome.SAME, verdict
    assert {each.name for each in verdict.metrics} == {"auc", "log_loss", "average_precision"}
    assert verdict.predictions == 20
