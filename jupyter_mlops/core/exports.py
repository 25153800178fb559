"""Deploying models elsewhere: what is written, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .exceptions import InvalidInput

#: Name of an image.
IMAGE = re.compile(
    r"[a-z0-9][\w.-]*(:\d+)?(/[a-z0-9._-]+)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_DATA = re.compile(r"(https|s3)://([^/]+)/?(.*)\.tar\.gz")
_PIN = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*==\s*([\w.!+-]+)\s*(;.*)?")


class Target(StrEnum):
    """Where a model is to be deployed."""

    DOCKER = "docker"  #: an image
    KUBERNETES = "kubernetes"  #: an image, a Deployment and a Service
    SAGEMAKER = "sagemaker"  #: an image, and what Amazon SageMaker is asked for
    AZUREML = "azureml"  #: an online endpoint and deployment of Azure Machine Learning
    VERTEX = "vertex"  #: an image, and what Google Vertex AI is asked for

    @property
    def needs_image(self) -> bool:
        """Whether it pulls an image, which therefore needs a name."""
        return self in (Target.KUBERNETES, Target.SAGEMAKER, Target.VERTEX)

    @property
    def builds_image(self) -> bool:
        """Whether a Dockerfile is written."""
        return self is not Target.AZUREML


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What is to be deployed, and how."""

    model: str
    version: int
    target: Target
    #: Name of the image; None where none is pulled.
    image: str | None = None
    #: Type of the machine; None means the target's smallest that is usual.
    machine: str | None = None
    #: SageMaker's execution role, and where the packed model will lie.
    role: str | None = None
    data: str | None = None

    @property
    def label(self) -> str:
        """A name that every target takes: at most 32 letters, digits and dashes."""
        words = re.sub(r"[^a-z0-9]+", "-", self.model.lower()).strip("-")
        start = words if words[:1].isalpha() else f"model-{words}"
        tail = f"-v{self.version}"
        return f"{start[: 32 - len(tail)].rstrip('-')}{tail}"


def check(deployment: Deployment) -> None:
    """Raise `InvalidInput` if something is missing or not what the target takes."""
    target = deployment.target
    wanted = {
        "image": (target.needs_image, deployment.image, IMAGE, "REGISTRY/NAME:TAG"),
        "role": (target is Target.SAGEMAKER, deployment.role, _ROLE, "arn:aws:iam::…:role/NAME"),
        "data": (target is Target.SAGEMAKER, deployment.data, _DATA, "s3://BUCKET/model.tar.gz"),
    }
    for name, (is_needed, value, form, example) in wanted.items():
        if value is None and is_needed:
            raise InvalidInput(f"{target} needs --{name} {example}.", field=name)
        if value is not None and not form.fullmatch(value):
            raise InvalidInput(f"{value!r} is no {name}. Write it like {example}.", field=name)


def constraints(packages: Mapping[str, str], requirements: Iterable[str]) -> dict[str, str]:
    """Return exact versions by name: the model's own requirements win over its environment.

    The index has no local versions, such as ``2.1.0+cpu``: they count as their public ones.
    """
    found = {_plain(name): version for name, version in packages.items()}
    for line in requirements:
        if pin := _PIN.fullmatch(line.strip()):
            found[_plain(pin[1])] = pin[2]
    return {name: found[name].partition("+")[0] for name in sorted(found)}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
