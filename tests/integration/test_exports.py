"""Models are written for deployments elsewhere, in forms that the tools themselves take."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import serving_operations
from jupyter_mlops.app.client import Client
from jupyter_mlops.cli import main
from jupyter_mlops.core.cards import PartName
from jupyter_mlops.core.exceptions import Conflict, InvalidInput, MlopsError
from jupyter_mlops.core.exports import Target
from jupyter_mlops.registry.model_files import HASHES, check_files, present_hashes
from tests.support import served, workers
from tests.support.carded import card_of, project, register
from tests.support.mlflow_environments import make_environment
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

IMAGE = "ghcr.io/me/flights:1"
#: What each target is told.
TOLD: dict[Target, dict[str, str]] = {
    Target.DOCKER: {},
    Target.KUBERNETES: {"image": IMAGE},
    Target.SAGEMAKER: {
        "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/flights:1",
        "role": "arn:aws:iam::123456789012:role/mlops",
        "data": "s3://bucket/flights/model.tar.gz",
    },
    Target.AZUREML: {"machine": "Standard_F4s_v2"},
    Target.VERTEX: {"image": IMAGE, "machine": "n1-standard-4"},
}
#: What the model asks for; its MLflow is another one than ours.
REQUIREMENTS = "mlflow==3.14.0\nnumpy==2.1.0\nscipy>=1\n"
VALIDATORS = (
    "azure-ai-ml==1.35.2",
    "botocore==1.44.5",
    "dockerfile-parse==2.0.1",
    "google-cloud-aiplatform==2.7.0",
    "kubernetes-validate==1.37.0",
)
SCRIPT = Path(__file__).parents[1] / "support" / "validate_export.py"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project with a model, and its worker."""
    folder = workers.make_project(tmp_path_factory.mktemp("exports") / "project")
    (served.register(folder) / "requirements.txt").write_text(REQUIREMENTS, "utf-8")
    with workers.worker(folder) as found:
        yield found


def export(client: Client, target: Target, **given: Any) -> Path:
    """Write the model for a target; return the folder."""
    body = m.ExportRequest(target=target, **{**TOLD[target], **given})
    view = client.call(serving_operations.EXPORT_MODEL, body=body, timeout=300.0, name="flights")
    return Path(view.folder)


def test_the_image_has_the_model_as_it_was_registered(client: Client) -> None:
    """MLflow's Dockerfile copies its files unchanged, and installs the versions that made it."""
    folder = export(client, Target.DOCKER)
    assert folder == client.project.root / "exports" / "flights-v1" / "docker"
    registered = client.project.state / "artifacts" / "made" / "flights-1"
    check_files(folder / "model_dir" / "model", present_hashes(registered))
    lines = (folder / "Dockerfile").read_text("utf-8").splitlines()
    assert lines[1].startswith("FROM python:")
    assert lines[2:4] == [
        "COPY constraints.txt /opt/constraints.txt",
        "ENV PIP_CONSTRAINT=/opt/constraints.txt",
    ]
    pins = (folder / "constraints.txt").read_text("utf-8").splitlines()
    assert pins == ["mlflow==3.14.0", "numpy==2.1.0"]
    assert "RUN pip install mlflow==3.14.0" in lines


def test_the_image_has_the_packages_of_the_card(tmp_path: Path) -> None:
    """All that the run had is pinned, not only what the model names; what no index has is not."""
    with project(tmp_path) as client:
        version = register(client, "train.ipynb", "flights")
        parts = {each.name: each.facts for each in card_of(client, version).parts}
        pins = (export(client, Target.DOCKER) / "constraints.txt").read_text("utf-8").splitlines()
    facts = parts[PartName.DEPENDENCIES]
    assert f"pandas=={facts['packages']['pandas']}" in pins
    assert len(pins) > len(facts["requirements"])
    assert not {each.partition("==")[0] for each in pins} & set(facts["sources"])


def test_sagemaker_gets_the_model_packed(client: Client, tmp_path: Path) -> None:
    """The archive holds the model's files, which SageMaker lays where the image expects them."""
    folder = export(client, Target.SAGEMAKER)
    packed = folder / "model.tar.gz"
    subprocess.run(["tar", "-xzf", packed, "-C", tmp_path], check=True)
    registered = client.project.state / "artifacts" / "made" / "flights-1"
    check_files(tmp_path, present_hashes(registered))


def test_nothing_is_overwritten(client: Client, tmp_path: Path) -> None:
    """A folder with something in it stays as it is, and nothing half-written stays behind."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(Conflict, match="exists already"):
        export(client, Target.AZUREML, output=str(tmp_path / "taken"))
    assert [path.name for path in tmp_path.rglob("*")] == ["taken", "mine.txt"]
    (tmp_path / "empty").mkdir()
    assert export(client, Target.AZUREML, output=str(tmp_path / "empty")).name == "empty"


def test_what_is_missing_is_said(client: Client) -> None:
    """An image that a cluster has to pull needs a name; nothing is written without."""
    with pytest.raises(InvalidInput, match="kubernetes needs --image"):
        export(client, Target.KUBERNETES, image=None, output="nowhere")
    assert not (client.project.root / "nowhere").exists()


def test_an_altered_model_is_refused(client: Client) -> None:
    """Its files are checked before they are handed on."""
    folder = client.project.root
    place = served.register(folder, "altered", tags={HASHES: json.dumps({"MLmodel": "0" * 64})})
    assert place.exists()
    body = m.ExportRequest(target=Target.AZUREML)
    with pytest.raises(MlopsError, match="not those that were registered"):
        client.call(serving_operations.EXPORT_MODEL, body=body, name="altered")


def test_the_command_tells_what_to_type(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It deploys nothing, and says so."""
    monkeypatch.chdir(client.project.root)
    words = ["models", "export", "flights@v1", "--to", "kubernetes", "--image", IMAGE]
    main([*words, "--output", "k8s"])
    printed = "".join(capsys.readouterr())
    assert "Nothing was deployed." in printed
    assert f"docker push {IMAGE}" in printed
    assert "kubectl apply -f kubernetes.yaml" in printed
    main([*words, "--output", "again", "--json"])
    assert json.loads(capsys.readouterr().out)["label"] == "flights-v1"
    assert main(["models", "export", "flights"]) == 2


# -- by the tools' own definitions -----------------------------------------------------------------


@pytest.fixture(scope="module")
def validators(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the tools."""
    return make_environment(tmp_path_factory.mktemp("validators"), *VALIDATORS)


def problem(validators: Path, target: Target, folder: Path) -> str:
    """What a tool says is wrong; nothing if it takes it."""
    command = [str(validators), str(SCRIPT), target.value, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


#: A change in one file of each export that its tool must refuse.
SPOILT = {
    Target.DOCKER: ("Dockerfile", "COPY constraints.txt", "COPY nothing.txt"),
    Target.KUBERNETES: ("kubernetes.yaml", "containerPort: 8080", "containerPort: web"),
    Target.SAGEMAKER: ("create-model.json", '"Image"', '"Images"'),
    Target.AZUREML: ("deployment.yml", "instance_count: 1", "instance_count: some"),
    Target.VERTEX: ("upload-model.json", '"imageUri"', '"image"'),
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("target", list(Target))
def test_the_tools_take_it(
    client: Client, validators: Path, tmp_path: Path, target: Target
) -> None:
    """And they refuse it once it is spoilt."""
    folder = export(client, target, output=str(tmp_path / "made"))
    assert problem(validators, target, folder) == ""
    name, good, bad = SPOILT[target]
    text = (folder / name).read_text("utf-8")
    assert good in text
    (folder / name).write_text(text.replace(good, bad), "utf-8")
    assert problem(validators, target, folder) != ""
