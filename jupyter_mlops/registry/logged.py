"""What a logged model's files say of it, read as data: nothing of the model is imported here."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import definitions
from .mlops_scoring.integrity import hashes
from .mlops_scoring.loading import variables
from .packing import FACTS

#: Seconds that a model may take to be loaded and described.
TIMEOUT = 300.0
#: Bytes of MLmodel and of a list of requirements that are read.
_MOST = 1_000_000
#: What MLflow adds to a model when it is fetched as a version.
_ADDED = ("registered_model_meta",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Logged:
    """A logged model's files, and what they say."""

    folder: Path
    #: sha256 and size of each file, by its path.
    files: dict[str, tuple[str, int]]
    flavors: dict[str, Any]
    #: Columns of a request, by MLflow's signature.
    columns: list[str]
    #: What it takes and answers, by MLflow's signature; empty if it has none.
    signature: dict[str, list[str]]
    #: What `log_model` wrote down; empty if the model was logged otherwise.
    facts: dict[str, Any]
    requirements: list[str]

    @property
    def hashes(self) -> dict[str, str]:
        """sha256 by path."""
        return {path: sha256 for path, (sha256, _) in self.files.items()}


def read(folder: Path) -> Logged:
    """Read the files of a model. Raises OSError."""
    found = {name: each for name, each in hashes(folder).items() if name not in _ADDED}
    content = _yaml(folder / "MLmodel")
    flavors = content.get("flavors")
    return Logged(
        folder=folder,
        files={name: (sha256, (folder / name).stat().st_size) for name, sha256 in found.items()},
        flavors=flavors if isinstance(flavors, dict) else {},
        columns=_columns(content.get("signature")),
        signature=_signature(content.get("signature")),
        facts=_json(folder / FACTS),
        requirements=_text(folder / "requirements.txt").splitlines(),
    )


def describe(logged: Logged, python: str) -> dict[str, Any]:
    """Have a Python load a model and say what it is; ``problem`` tells why it could not.

    It is a process of its own: what a model's files make Python do happens there.
    """
    names = ("HOME", "KERAS_HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}
    environment |= variables(logged.folder)
    try:
        done = subprocess.run(  # noqa: S603 - the run's own Python, and our script
            (python, definitions.__file__, str(logged.folder)),
            env=environment,
            cwd=logged.folder.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"problem": f"It could not be loaded: {error}"[:500]}
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        return {"problem": f"It could not be loaded: {lines[-1]}"[:500]}
    found: dict[str, Any] = json.loads(done.stdout.decode().strip().splitlines()[-1])
    return found


def sample(logged: Logged, described: dict[str, Any]) -> dict[str, Any]:
    """Return the requests that were kept with a model, as MLflow wrote them, and predictions."""
    known = (logged.facts.get("sample") or {}).get("predictions")
    predictions = known if known is not None else described.get("predictions")
    requests = _json(logged.folder / "input_example.json")
    if predictions is None or not requests:
        return {}
    return {"requests": requests, "predictions": predictions}


def _columns(signature: Any) -> list[str]:
    return [str(each["name"]) for each in _specs(signature, "inputs") if each.get("name")]


def _signature(signature: Any) -> dict[str, list[str]]:
    sides = {side: _specs(signature, side) for side in ("inputs", "outputs")}
    return {side: [_told(each) for each in specs] for side, specs in sides.items() if specs}


def _specs(signature: Any, side: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(signature[side])
    except (TypeError, KeyError, ValueError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _told(spec: dict[str, Any]) -> str:
    """Return a column or a tensor of a signature as text."""
    tensor = spec.get("tensor-spec")
    kind = f"{tensor['dtype']} {tuple(tensor['shape'])}" if tensor else str(spec.get("type"))
    return f"{spec['name']}: {kind}" if spec.get("name") else kind


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError:
        return {}
    return content if isinstance(content, dict) else {}


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode(errors="replace")
    except OSError:
        return ""
