"""Writing what it takes to deploy a model elsewhere. Nothing is sent anywhere."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..core.exceptions import InvalidInput
from ..core.exports import Deployment, Target
from .manifests import azureml, kubernetes, sagemaker, vertex

#: Folders and files that are written.
MODEL = "model"
CONSTRAINTS = "constraints.txt"
ARCHIVE = "model.tar.gz"

Files = dict[str, str]
_MANIFESTS: Mapping[Target, Callable[[Deployment], Files]] = {
    Target.KUBERNETES: kubernetes,
    Target.SAGEMAKER: sagemaker,
    Target.AZUREML: azureml,
    Target.VERTEX: vertex,
}


def write(deployment: Deployment, model: Path, pins: Mapping[str, str], folder: Path) -> None:
    """Write everything into an empty folder. Raises `InvalidInput` if MLflow refuses the model."""
    if deployment.target.builds_image:
        _write_image(model, pins, folder)
    else:
        shutil.copytree(model, folder / MODEL)
    if deployment.target is Target.SAGEMAKER:
        with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
            for path in sorted(model.iterdir()):
                archive.add(path, path.name)
    manifests = _MANIFESTS.get(deployment.target)
    for name, text in (manifests(deployment) if manifests is not None else {}).items():
        (folder / name).write_text(text, "utf-8")


def _write_image(model: Path, pins: Mapping[str, str], folder: Path) -> None:
    """Write MLflow's Dockerfile, with the model, and the versions that it is to install."""
    from mlflow.exceptions import MlflowException
    from mlflow.models.flavor_backend_registry import get_flavor_backend
    from mlflow.version import VERSION

    try:
        backend = get_flavor_backend(str(model), env_manager=None)  # type: ignore[no-untyped-call]
        backend.generate_dockerfile(str(model), str(folder))
    except MlflowException as error:
        line = str(error.message).partition("\n")[0]
        raise InvalidInput(f"MLflow writes no Dockerfile for this model: {line}") from error
    lines = [f"{name}=={version}\n" for name, version in pins.items()]
    (folder / CONSTRAINTS).write_text("".join(lines), "utf-8")
    path = folder / "Dockerfile"
    start, base, rest = path.read_text("utf-8").partition("\nFROM ")
    image, _, rest = rest.partition("\n")
    known = f"COPY {CONSTRAINTS} /opt/{CONSTRAINTS}\nENV PIP_CONSTRAINT=/opt/{CONSTRAINTS}\n"
    # The model asks for the MLflow that made it, which may be another one than ours.
    install = "pip install mlflow=="
    rest = rest.replace(f"{install}{VERSION}", f"{install}{pins.get('mlflow', VERSION)}")
    path.write_text(f"{start}{base}{image}\n{known}{rest}", "utf-8")
