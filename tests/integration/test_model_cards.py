"""Models that notebooks log, and the cards of their versions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
from mlflow import MlflowClient

import jupyter_mlops.registry
from jupyter_mlops.app import messages as m
from jupyter_mlops.app import model_operations
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.core.exceptions import (
    Conflict,
    InvalidInput,
    ModelAltered,
    NoModelLogged,
    NotFound,
    TrackingUnavailable,
)
from jupyter_mlops.registry import open_registry
from jupyter_mlops.registry.model_files import HASHES
from jupyter_mlops.registry.reference import REFERENCE
from jupyter_mlops.tracking import default_uri
from tests.support import workers
from tests.support.carded import DATA, PLAIN, card_of, project, register, run
from tests.support.repositories import call
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

SCHEMA = Path(jupyter_mlops.registry.__file__).with_name("model_card.v1.json")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project with three notebooks; two log a model."""
    with project(tmp_path_factory.mktemp("cards")) as started:
        yield started


@pytest.fixture(scope="module")
def full(client: Client) -> m.ModelVersionView:
    """A version whose model `log_model` logged."""
    return register(client, "train.ipynb", "flights", alias="champion")


@pytest.fixture(scope="module")
def plain(client: Client) -> m.ModelVersionView:
    """A version whose model plain MLflow logged."""
    return register(client, "plain.ipynb", "plain", tags={"stakeholders": "ops"})


def test_complete(client: Client, full: m.ModelVersionView) -> None:
    """With log_model all eight parts are present, each with its facts."""
    card = card_of(client, full)
    assert [(each.name, each.line) for each in card.parts if each.line] == []
    assert (card.complete, full.complete, full.notices) == (8, 8, [])
    facts = {each.name.value: each.facts for each in card.parts}
    assert facts["definition"]["class"].endswith("LogisticRegression")
    assert facts["definition"]["hyperparameters"]["C"] == 1.0
    assert "model.predict_proba" in facts["functions"]["predict"]["source"]
    assert facts["functions"]["modules"] == ["helper"]
    assert facts["functions"]["pickled"] == ["offset"]
    assert facts["dependencies"]["packages"]["scikit-learn"]
    (file,) = facts["data"]["files"]
    assert (file["path"], file["kept_by"]) == ("data/flights.csv", "dvc")
    assert facts["data"]["splits"]["train"]["rows"] == 80
    assert facts["generation"]["notebook"] == "train.ipynb"
    assert facts["generation"]["git"]["commit"]
    assert facts["generation"]["parameters"] == {}
    assert facts["artifacts"]["curves"] == ["accuracy"]
    assert facts["tags"] == {"owner": "ada", "task": "delays", "stakeholders": "ops, crew"}


def test_takes_raw_requests(client: Client, full: m.ModelVersionView, tmp_path: Path) -> None:
    """The logged model takes raw requests anywhere: no project, no notebook, not our package."""
    folder = client.project.root / "models" / "flights" / f"v{full.version}"
    sample = json.loads((folder / "sample.json").read_text("utf-8"))
    script = (
        "import json, sys, mlflow, pandas as pd\n"
        "sys.modules['jupyter_mlops'] = None\n"
        f"model = mlflow.pyfunc.load_model({str(folder / 'model')!r})\n"
        "requests = pd.DataFrame({'half': [0.0, 11.0], 'distance': [7, 161]})\n"
        "print(json.dumps(list(model.predict(requests))))\n"
    )
    done = subprocess.run(
        (sys.executable, "-I", "-c", script), cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    low, high = json.loads(done.stdout.decode().splitlines()[-1])
    assert low < 0.5 < high
    assert len(sample["predictions"]) == 20
    # What requests are compared with later on.
    assert len(pd.read_parquet(folder / "model" / REFERENCE)) > 20


def test_kept_with_the_version(client: Client, full: m.ModelVersionView) -> None:
    """MLflow has the card as an artifact, tags say how complete it is, the schema fits."""
    tracker = MlflowClient(default_uri(client.project.state))
    version = tracker.get_model_version("flights", str(full.version))
    assert version.tags["mlops.complete"] == "8"
    assert version.tags["mlops.part.data"] == "present"
    assert version.tags["owner"] == "ada"
    names = tracker.list_artifacts(full.mlflow_run_id or "", f"model_cards/flights/v{full.version}")
    kept = {Path(each.path).name for each in names}
    assert {"model_card.json", "model_card.md", "notebook.ipynb", "packages.json"} <= kept
    record = client.project.root / "models" / "flights" / f"v{full.version}"
    card = json.loads((record / "model_card.json").read_text("utf-8"))
    jsonschema.validate(card, json.loads(SCHEMA.read_text("utf-8")))


def test_record_for_git(client: Client, full: m.ModelVersionView) -> None:
    """The project has a record that git tracks, with the weights in DVC."""
    folder = client.project.root
    record = f"models/flights/v{full.version}"
    listed = call("git", "status", "--porcelain", "--untracked-files=all", folder=folder)
    new = {line[3:] for line in listed.splitlines() if line.startswith("?? models/flights")}
    assert {f"{record}/model.dvc", f"{record}/model_card.json", f"{record}/.gitignore"} <= new
    assert not any("/model/" in each for each in new)
    assert "up to date" in call("dvc", "status", f"{record}/model.dvc", folder=folder)


def test_plain_mlflow(client: Client, plain: m.ModelVersionView) -> None:
    """A model that plain MLflow logged is described too, and the rest says how to complete it."""
    card = card_of(client, plain)
    parts = {each.name.value: each for each in card.parts}
    assert parts["definition"].facts["class"].endswith("LogisticRegression")
    assert {name: each.status.value for name, each in parts.items()} == {
        "definition": "present",
        "parameters": "present",
        "functions": "missing",
        "dependencies": "present",
        "data": "partial",
        "generation": "present",
        "artifacts": "present",
        "tags": "present",
    }
    assert "mlops.log_model" in (parts["functions"].line or "")
    assert parts["tags"].facts["task"] == "classification"
    sample = client.project.root / "models" / "plain" / "v1" / "sample.json"
    assert len(json.loads(sample.read_text("utf-8"))["predictions"]) == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"owner": "ada"}, {"flights"}),
        ({"owner": "bob"}, set()),
        ({"task": "delays"}, {"flights"}),
        ({"stakeholder": "crew"}, {"flights"}),
        ({"stakeholder": "ops"}, {"flights", "plain"}),
        ({"tag": "task=classification"}, {"plain"}),
        ({"where": "accuracy > 0.5"}, {"flights", "plain"}),
        ({"where": "accuracy > 1.5"}, set()),
        ({"feature": "half"}, {"flights"}),
        ({"data": "data/flights.csv"}, {"flights", "plain"}),
    ],
)
def test_found_by(
    client: Client,
    full: m.ModelVersionView,
    plain: m.ModelVersionView,
    query: dict[str, str],
    expected: set[str],
) -> None:
    """Versions are found by owner, task, stakeholder, tag, metric, feature and data."""
    found = client.call(ops.LIST_MODELS, query=m.ModelsQuery(**query))
    assert {each.name for each in found} == expected


def test_bad_comparison(client: Client, full: m.ModelVersionView) -> None:
    """What is no comparison is refused with an example of one."""
    with pytest.raises(InvalidInput, match=r"auc > 0\.7"):
        client.call(ops.LIST_MODELS, query=m.ModelsQuery(where="import os"))


def test_aliases_and_notes(client: Client, full: m.ModelVersionView) -> None:
    """Who pointed an alias at a version, when and why is on its card, and so are notes."""
    body = m.AliasRequest(version=full.version, why="best in November", by="ada")
    client.call(ops.SET_ALIAS, body=body, name="flights", alias="challenger")
    note = m.AnnotateRequest(tags={"reviewed": "yes"}, notes="Fit for summer.")
    client.call(
        model_operations.ANNOTATE_MODEL, body=note, name="flights", version=str(full.version)
    )
    card = card_of(client, full)
    told = [(each.alias, each.by, each.why) for each in card.aliases]
    assert told[0][0] == "champion"
    assert told[-1] == ("challenger", "ada", "best in November")
    assert card.version.description == "Fit for summer."
    assert card.version.tags["reviewed"] == "yes"


def test_tags_complete_a_card(client: Client) -> None:
    """What is tagged later is on the card, in the list and in the record for git."""
    before = register(client, "plain.ipynb", "later")
    assert card_of(client, before).parts[-1].status == "partial"
    body = m.AnnotateRequest(tags={"stakeholders": "ops"})
    name, version = "later", str(before.version)
    after = client.call(model_operations.ANNOTATE_MODEL, body=body, name=name, version=version)
    assert after.complete == (before.complete or 0) + 1
    assert card_of(client, before).parts[-1].line is None
    record = client.project.root / "models" / name / f"v{version}" / "model_card.json"
    assert json.loads(record.read_text("utf-8"))["parts"]["tags"]["facts"]["stakeholders"] == "ops"


def test_compare(client: Client, full: m.ModelVersionView) -> None:
    """Two versions are compared fact by fact."""
    body = m.RegisterRequest(run=run(client, "train.ipynb", space={"rate": "0.01"}).id)
    second = client.call(ops.REGISTER_MODEL, body=body, name="flights", timeout=None)
    query = m.VersionsQuery(versions=f"{full.version},{second.version}")
    found = client.call(model_operations.COMPARE_MODELS, query=query, name="flights").differences
    first = {each.name: each for each in found if each.differs}
    assert (first["parameters.rate"].first, first["parameters.rate"].second) == (None, 0.01)
    assert (first["hyperparameters.C"].first, first["hyperparameters.C"].second) == (1.0, 0.01)
    assert found[0].differs
    assert not found[-1].differs


def test_lineage(client: Client, full: m.ModelVersionView) -> None:
    """From data to versions and back."""
    query = m.LineageQuery(node="data:data/flights.csv")
    forward = client.call(model_operations.LINEAGE, query=query)
    assert f"version:flights/{full.version}" in {each.id for each in forward.nodes}
    query = m.LineageQuery(node=f"version:flights/{full.version}")
    backward = client.call(model_operations.LINEAGE, query=query)
    assert ("data:data/flights.csv", "feature:half") in backward.edges
    assert ("feature:half", f"run:{full.run_id}") in backward.edges
    assert "version:plain/1" not in {each.id for each in backward.nodes}


def test_no_model(client: Client) -> None:
    """A run without a model is refused, and nothing is half registered."""
    with pytest.raises(NoModelLogged):
        register(client, "none.ipynb", "nothing")
    assert not client.call(ops.LIST_MODELS, query=m.ModelsQuery(name="nothing"))
    assert not (client.project.root / "models" / "nothing").exists()


@pytest.mark.parametrize(
    ("name", "request_", "message"),
    [
        ("a/b", {}, "must not contain '/'"),
        ("..", {}, "must not begin with a dot"),
        ("half", {"alias": "latest"}, "means a version already"),
        ("half", {"tags": {"a?b": "1"}}, "no name of a tag"),
        ("half", {"tags": {"mlops.sha256": "{}"}}, "not yours to set"),
        ("half", {"tags": {"long": "x" * 5001}}, "5,000 at most"),
    ],
)
def test_refused(
    client: Client, plain: m.ModelVersionView, name: str, request_: dict[str, Any], message: str
) -> None:
    """What MLflow, a folder or a tag could not take is refused before anything is registered."""
    body = m.RegisterRequest(run=plain.run_id, **request_)
    with pytest.raises(InvalidInput, match=message):
        client.call(ops.REGISTER_MODEL, body=body, name=name, timeout=None)
    assert not client.call(ops.LIST_MODELS, query=m.ModelsQuery(name=name))


def test_failed_run(client: Client) -> None:
    """A run that failed after it had logged a model is refused, with what it takes."""
    workers.write(client, "rate: float = 1.0", DATA, PLAIN, "1 / 0", name="failed.ipynb")
    sweep = workers.wait_for(client, workers.submit(client, "failed.ipynb").id)
    failed = workers.runs(client, sweep.id)[0]
    with pytest.raises(Conflict, match=f"{failed.id} is failed. Only a succeeded run"):
        client.call(ops.REGISTER_MODEL, body=m.RegisterRequest(run=failed.id), name="failed")
    with pytest.raises(NotFound):
        client.call(ops.REGISTER_MODEL, body=m.RegisterRequest(run="zzzzzzzz-1"), name="failed")
    assert not client.call(ops.LIST_MODELS, query=m.ModelsQuery(name="failed"))


def test_nothing_half_registered(client: Client, plain: m.ModelVersionView) -> None:
    """Where the card cannot be kept, neither a version nor a model nor a record stays."""
    uri = default_uri(client.project.state)
    tracker = MlflowClient(uri, uri)
    run = tracker.get_run(plain.mlflow_run_id or "")
    place = Path((run.info.artifact_uri or "").removeprefix("file://")) / "model_cards" / "half"
    place.write_text("in the way", "utf-8")
    body = m.RegisterRequest(run=plain.run_id, alias="champion")
    with pytest.raises(TrackingUnavailable, match="could not be kept"):
        client.call(ops.REGISTER_MODEL, body=body, name="half", timeout=None)
    assert "half" not in {each.name for each in tracker.search_registered_models()}
    (output,) = run.outputs.model_outputs
    assert "half" not in tracker.get_logged_model(output.model_id).tags["mlflow.modelVersions"]
    assert not (client.project.root / "models" / "half").exists()
    place.unlink()


def test_altered(client: Client, tmp_path: Path) -> None:
    """Every file's hash is recorded; a version whose files were altered is refused."""
    version = register(client, "train.ipynb", "altered")
    uri = default_uri(client.project.state)
    tracker, registry = MlflowClient(uri), open_registry(uri)
    found = tracker.get_model_version("altered", "1")
    card = card_of(client, version)
    listed = next(each.facts["files"] for each in card.parts if each.name == "parameters")
    recorded = json.loads(found.tags[HASHES])
    assert {each["path"]: each["sha256"] for each in listed} == recorded
    (tmp_path / "a").mkdir()
    assert (registry.fetch("altered", 1, tmp_path / "a") / "MLmodel").is_file()
    model = tracker.get_logged_model((found.source or "").removeprefix("models:/"))
    place = Path(model.artifact_location.removeprefix("file://"))
    with (place / "artifacts" / "functions" / "mlops_functions.py").open("a") as file:
        file.write("import os\n")
    (tmp_path / "b").mkdir()
    with pytest.raises(ModelAltered, match=r"mlops_functions\.py was changed"):
        registry.fetch("altered", 1, tmp_path / "b")


def test_nothing_compiled(client: Client, full: m.ModelVersionView, tmp_path: Path) -> None:
    """What somebody compiled beside a model's code, which no hash vouches for, is not fetched."""
    uri = default_uri(client.project.state)
    tracker = MlflowClient(uri)
    model_id = (tracker.get_model_version("flights", "1").source or "").removeprefix("models:/")
    place = Path(tracker.get_logged_model(model_id).artifact_location.removeprefix("file://"))
    (place / "code" / "__pycache__").mkdir(exist_ok=True)
    (place / "code" / "__pycache__" / "helper.cpython-311.pyc").write_bytes(b"evil")
    found = open_registry(uri).fetch("flights", 1, tmp_path)
    assert (found / "code" / "helper.py").is_file()
    assert not list(found.rglob("__pycache__"))


def test_unpickled_elsewhere(client: Client) -> None:
    """A model that runs code when it is unpickled does so in a process of its own."""
    pids = client.project.root / "pids.txt"
    cell = f"""
import os, mlflow
class Model(mlflow.pyfunc.PythonModel):
    def __setstate__(self, state):
        with open({str(pids)!r}, "a") as file:
            file.write(f"{{os.getpid()}}\\n")
    def __getstate__(self):
        return {{"a": 1}}
    def predict(self, context, model_input, params=None):
        return model_input
mlflow.pyfunc.log_model(name="m", python_model=Model(), pip_requirements=["mlflow"])
"""
    workers.write(client, "rate: float = 1.0", cell, name="pickled.ipynb")
    version = register(client, "pickled.ipynb", "pickled")
    definition = card_of(client, version).parts[0]
    assert definition.facts.get("class") == "__main__.Model", definition.facts
    own = client.call(ops.HEALTH).pid
    assert pids.read_text("utf-8").split()
    assert str(own) not in pids.read_text("utf-8").split()


def test_fresh_clone(client: Client, full: m.ModelVersionView, tmp_path: Path) -> None:
    """A clone without .mlops and runs knows the versions and their cards."""
    folder = client.project.root
    call("git", "add", "--all", ".", folder=folder)
    call("git", "commit", "--quiet", "--message", "Register", folder=folder)
    clone = tmp_path / "elsewhere"
    call("git", "clone", "--quiet", str(folder), str(clone), folder=tmp_path)
    assert not (clone / ".mlops").exists()
    with workers.worker(clone):
        here = connect(clone)
        found = here.call(ops.LIST_MODELS, query=m.ModelsQuery(name="flights"))
        assert full.version in [each.version for each in found]
        assert card_of(here, full).complete == 8


def test_unknown_version(client: Client) -> None:
    """What is no number of a version is refused."""
    with pytest.raises(InvalidInput, match="no version"):
        client.call(model_operations.MODEL_CARD, name="flights", version="latest")
