"""Models as notebooks log them, once they are registered and served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import serving_operations
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.runtime import endpoint_address
from jupyter_mlops.core.endpoints import EndpointStatus
from jupyter_mlops.core.exceptions import NotAllowedPath
from jupyter_mlops.tracking import default_uri
from tests.support import served, workers
from tests.support.carded import card_of, project, register, run
from tests.support.served import ask
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

#: A model without signature, and what happens to its files.
UNSIGNED = """
import mlflow, pathlib

class Summer(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input.sum(axis=1).to_numpy()

info = mlflow.pyfunc.log_model(name="m", python_model=Summer(), pip_requirements=["mlflow"])
place = mlflow.get_logged_model(info.model_id).artifact_location
place = pathlib.Path(place.removeprefix("file://"))
"""
#: As a newer Python than ours would have written it.
OTHER_PYTHON = """
import sys
text = (place / "MLmodel").read_text()
ours = ".".join(map(str, sys.version_info[:3]))
assert ours in text
(place / "MLmodel").write_text(text.replace(ours, "3.99.1"))
(place / "python_model.pkl").write_bytes(bytes([0x80, 99, 0x2e]))
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project whose notebooks log models."""
    with project(tmp_path_factory.mktemp("served")) as started:
        yield started


def score(client: Client, name: str, body: Any) -> tuple[int, Any]:
    """Ask a model that is served."""
    return ask(endpoint_address(client.project, name), body)


def test_raw_requests(client: Client) -> None:
    """An endpoint takes requests as they come: the logged featurize runs within it."""
    version = register(client, "train.ipynb", "flights")
    view = served.serve(client, "flights")
    assert (view.status, view.error) == (EndpointStatus.READY, None)
    detail = client.call(serving_operations.GET_ENDPOINT, name="flights")
    assert [each.name for each in detail.columns] == ["half", "distance"]
    record = client.project.root / "models" / "flights" / f"v{version.version}"
    sample = json.loads((record / "sample.json").read_text("utf-8"))
    status, answer = score(client, "flights", {"dataframe_split": sample["requests"]})
    assert (status, answer["predictions"]) == (200, pytest.approx(sample["predictions"]))
    status, answer = score(client, "flights", detail.example)
    assert (status, len(answer["predictions"])) == (200, len(sample["predictions"]))
    features = {"dataframe_records": [{"hour": 1, "distance": 2}]}
    status, answer = score(client, "flights", features)
    assert (status, answer["column"]) == (400, "half")
    assert answer["message"] == (
        "Column 'half': expected double, got no such column (there are: 'hour', 'distance')."
    )


def test_without_signature(client: Client) -> None:
    """It is registered and served; its card says what to do, and no columns are told for a form."""
    workers.write(client, "rate: float = 1.0", UNSIGNED, name="unsigned.ipynb")
    version = register(client, "unsigned.ipynb", "unsigned")
    functions = next(each for each in card_of(client, version).parts if each.name == "functions")
    assert functions.status == "missing"
    assert functions.line is not None
    assert "example=…" in functions.line
    assert functions.facts["signature"] == {}
    assert served.serve(client, "unsigned").status is EndpointStatus.READY
    detail = client.call(serving_operations.GET_ENDPOINT, name="unsigned")
    assert (detail.columns, detail.example) == ([], None)
    table = {"dataframe_records": [{"a": 1, "b": 2.5}]}
    assert score(client, "unsigned", table) == (200, {"predictions": [3.5]})
    status, answer = score(client, "unsigned", {"nothing": 1})
    assert status == 400
    assert answer["message"]


def test_logged_by_another_python(client: Client) -> None:
    """It is registered whole, and told of what will happen; what cannot be loaded says why."""
    name = "other.ipynb"
    workers.write(client, "rate: float = 1.0", UNSIGNED, OTHER_PYTHON, name=name)
    version = register(client, name, "other")
    assert any("It was made with Python 3.99.1" in each for each in version.notices)
    definition = card_of(client, version).parts[0]
    assert definition.status == "missing"
    assert "unsupported pickle protocol: 99" in definition.facts["problem"]
    view = served.serve(client, "other")
    assert view.status is EndpointStatus.FAILED
    assert view.error is not None
    assert "unsupported pickle protocol: 99" in view.error
    assert "It was made with Python 3.99.1" in view.error
    assert "serve it with --env uv" in view.error


def test_files_outside_of_the_run(client: Client) -> None:
    """A run that names files elsewhere as its model is refused, and nothing stays registered."""
    found = run(client, "none.ipynb")
    tracker = MlflowClient(default_uri(client.project.state))
    for path in ("../../../../..", "model/../..", "/etc", "."):
        history = json.dumps([{"artifact_path": path}])
        tracker.set_tag(found.mlflow_run_id or "", "mlflow.log-model.history", history)
        body = m.RegisterRequest(run=found.id)
        with pytest.raises(NotAllowedPath, match="is no path of an artifact"):
            client.call(ops.REGISTER_MODEL, body=body, name="outside", timeout=None)
    assert not client.call(ops.LIST_MODELS, query=m.ModelsQuery(name="outside"))
    assert not Path(client.project.root / "models" / "outside").exists()
