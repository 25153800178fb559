"""An image of a project, which runs its work elsewhere in the environment of its lock."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..core import images
from ..core.exceptions import Conflict, InvalidInput
from ..core.images import ProjectImage
from ..core.runs import new_id
from ..occasions import cron
from ..tracking.locks import Lock, lock_of
from .projects import Project, confined
from .requirements import OURS, python_version
from .scaffold_templates import fill

#: Where the project lies in an image, as the template says, and its user's number.
_PLACE = "/project"
_USER = 1000
#: What installs locks that pip cannot.
_UV = "uv==0.13.8"
#: A line of requirements that only this machine can install, and one that names a file beside it.
_LOCAL = re.compile(r"(?:-e|--editable)\b|.*@ *file:|file:|/|~")
_BESIDE = re.compile(r"\./([^/]+)/")


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenImage:
    """What was written for an image."""

    folder: str
    files: tuple[str, ...]
    image: str
    command: tuple[str, ...]
    lock: str
    #: Whether the state is kept when a job has ended.
    keeps_state: bool


def write_image(project: Project, image: ProjectImage, output: str, *, force: bool) -> WrittenImage:
    """Write a Dockerfile, and manifests for a job, into a folder of the project, at once.

    Raises `InvalidInput`, and `Conflict` if there is something else and ``force`` is not given.
    """
    images.check(image)
    if image.schedule is not None:
        cron.parse(*image.schedule)
    root = project.root
    if image.command[:1] == ("pipeline",) and not (root / "dvc.yaml").is_file():
        raise InvalidInput("There is no dvc.yaml. Say what the image runs: -- run NOTEBOOK")
    lock = lock_of(root, project.settings.lock)
    if lock is None:
        raise InvalidInput(
            "There is no lock, so that the image would have other packages. Make one: "
            "jupyter mlops init, or uv pip compile"
        )
    folder = confined(root, output)
    if folder == root:
        raise InvalidInput("output: name a folder of the project, such as deploy.", field="output")
    place = folder.relative_to(root).as_posix()
    files = _files(project, image, lock, place)
    _write(folder, files, force=force)
    return WrittenImage(
        folder=str(folder),
        files=tuple(files),
        image=image.image,
        command=image.command,
        lock=lock.path.name,
        keeps_state=image.claim is not None,
    )


def _files(project: Project, image: ProjectImage, lock: Lock, place: str) -> dict[str, str]:
    copied, install, path = _installed(project.root, lock)
    values = {
        "COMMAND": shlex.join(image.command),
        "ARGUMENTS": json.dumps(image.command),
        "LOCK": lock.path.name,
        "FOLDER": place,
        "IMAGE": image.image,
        "PYTHON": python_version(),
        "COPIED": "\n".join(f"COPY --chown=mlops:mlops {each}" for each in copied),
        "INSTALL": install,
        "PATH": path,
    }
    name = "job.yaml" if image.schedule is None else "cronjob.yaml"
    manifest = _manifest(image, images.label(project.root.name), project.settings.state_dir)
    return {
        "Dockerfile": fill("image/Dockerfile", values),
        "Dockerfile.dockerignore": fill("image/dockerignore", {}),
        "run.sh": fill("image/run.sh", {}),
        name: yaml.safe_dump(manifest, sort_keys=False),
    }


# -- the environment -------------------------------------------------------------------------------


def _installed(root: Path, lock: Lock) -> tuple[list[str], str, str]:
    """Return what is copied for installing, how it is installed, and what comes before PATH."""
    name = lock.path.name
    with_uv = f"python -m pip install --no-cache-dir {_UV}"
    if name == "uv.lock":
        _check_ours(lock, "")
        sync = "uv sync --frozen --no-dev --no-install-project --no-cache"
        path = f"PATH={_PLACE}/.venv/bin:$PATH "
        return ["pyproject.toml uv.lock ./"], f"{with_uv} && {sync}", path
    if lock.path.suffix == ".toml":
        _check_ours(lock, lock.path.read_text("utf-8"))
        return [f"{name} ./"], f"{with_uv} && uv pip sync --system --no-cache {name}", ""
    text = lock.path.read_text("utf-8")
    _check_ours(lock, text)
    folders = sorted(set(_folders(lock, text)))
    missing = next((each for each in folders if not (root / each).is_dir()), None)
    if missing is not None:
        raise InvalidInput(f"{name} names files in {missing}/, which is not there.")
    copied = [f"{name} ./", *(f"{each} ./{each}" for each in folders)]
    return copied, f"python -m pip install --no-cache-dir --requirement {name}", ""


def _folders(lock: Lock, text: str) -> Iterator[str]:
    """Yield the folders of the project in which requirements name files."""
    for line in map(str.strip, text.splitlines()):
        if beside := _BESIDE.match(line):
            yield beside[1]
        elif _LOCAL.match(line):
            raise InvalidInput(
                f"{lock.path.name} has {line!r}, which only this machine can install. "
                "Put a wheel below the project, or a URL, in its place."
            )


def _check_ours(lock: Lock, text: str) -> None:
    if OURS not in lock.versions and not re.search(OURS.replace("-", "[-_]"), text):
        raise InvalidInput(f"{lock.path.name} has no {OURS}, which runs the work there. Add it.")


# -- the cluster -----------------------------------------------------------------------------------


def _manifest(image: ProjectImage, name: str, state: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name}
    job = {
        "backoffLimit": 0,  # what fails is tried again within
        "template": {"metadata": {"labels": labels}, "spec": _pod(image, state)},
    }
    metadata = {"name": name, "labels": labels}
    if image.schedule is None:
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job}
    line, zone = image.schedule
    spec = {
        "schedule": line,
        "timeZone": zone,
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": job},
    }
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}


def _pod(image: ProjectImage, state: str) -> dict[str, Any]:
    asked = image.resources
    most = {} if asked.memory is None else {"memory": str(asked.memory)}
    if asked.gpus:
        most["nvidia.com/gpu"] = str(asked.gpus)
    container: dict[str, Any] = {
        "name": "mlops",
        "image": image.image,
        "args": list(image.command),
        "resources": {"requests": {"cpu": str(asked.cpus), **most}, "limits": most},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    if image.secret is not None:
        container["envFrom"] = [{"secretRef": {"name": image.secret}}]
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "runAsUser": _USER, "fsGroup": _USER},
        "containers": [container],
    }
    if image.claim is not None:
        container["volumeMounts"] = [{"name": "state", "mountPath": f"{_PLACE}/{state}"}]
        claim = {"claimName": image.claim}
        pod["volumes"] = [{"name": "state", "persistentVolumeClaim": claim}]
    return pod


# -- files -----------------------------------------------------------------------------------------


def _write(folder: Path, files: dict[str, str], *, force: bool) -> None:
    """Write all files, or none."""
    for name, text in files.items():
        path = folder / name
        if not force and path.exists() and path.read_bytes() != text.encode():
            raise Conflict(
                f"{path} is there and differs. Replace it with --force, or name another folder "
                "with --output."
            )
    aside = folder.with_name(f".{folder.name}.{new_id()}")
    try:
        aside.mkdir(parents=True)
        for name, text in files.items():
            (aside / name).write_text(text, "utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        for name in files:
            (aside / name).replace(folder / name)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
