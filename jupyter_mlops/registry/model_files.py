"""What a model's files say of it, read as data: nothing of the model is imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..core.exceptions import InvalidInput, ModelAltered
from .mlops_scoring.columns import Column, read_columns
from .mlops_scoring.integrity import Altered, check, hashes

#: Tag of a version: sha256 by path, as JSON.
HASHES = "mlops.sha256"
#: Key of MLmodel's metadata: features of the catalog, by the columns that hold them.
FEATURES = "mlops_features"
#: Bytes of MLmodel, and of an example, that are read.
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model asks for."""

    #: Version of Python that made it; None if it is not told.
    python: str | None
    columns: tuple[Column, ...]
    #: A request that MLflow kept with the model, as a client would send it.
    example: Any
    #: What its environment has to have, a line each.
    requirements: tuple[str, ...] = ()
    #: Columns that are features of the catalog, with the features' full names.
    features: Mapping[str, str] = field(default_factory=dict)


def read_facts(folder: Path) -> ModelFacts:
    """Read MLmodel. Raises `InvalidInput` if it is none of a Python function."""
    try:
        text = _text(folder / "MLmodel")
        found = yaml.safe_load(text)
        flavor = found["flavors"]["python_function"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise InvalidInput(
            "The model cannot be served: it has no python_function flavor. Log it with MLflow's "
            "own log_model, for example mlflow.sklearn.log_model."
        ) from error
    signature = found.get("signature") or {}
    inputs = json.loads(signature.get("inputs") or "[]")
    return ModelFacts(
        flavor.get("python_version"),
        read_columns(inputs),
        _example(folder),
        _requirements(folder),
        _features(found),
    )


def check_files(folder: Path, recorded: Mapping[str, str]) -> None:
    """Raise `ModelAltered` unless a model's files are those that were registered.

    This is asked before a model is loaded, wherever that happens.
    """
    try:
        check(folder, recorded)
    except Altered as error:
        raise ModelAltered(
            f"The model's files are not those that were registered: {error}. Register it again."
        ) from error


def recorded_hashes(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the hashes that were recorded with a version; empty if there are none."""
    try:
        found = json.loads(tags.get(HASHES, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def present_hashes(folder: Path) -> dict[str, str]:
    """Return the hashes of a model's files as they are."""
    return hashes(folder)


def _example(folder: Path) -> Any:
    try:
        return json.loads(_text(folder / "serving_input_example.json"))
    except (OSError, ValueError):
        return None


def _features(content: Mapping[str, Any]) -> dict[str, str]:
    found = (content.get("metadata") or {}).get(FEATURES)
    if not isinstance(found, dict):
        return {}
    return {str(column): str(name) for column, name in found.items()}


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise ValueError(f"{path.name} is too large.")
    return content.decode("utf-8")


def _requirements(folder: Path) -> tuple[str, ...]:
    try:
        lines = _text(folder / "requirements.txt").splitlines()
    except (OSError, ValueError):
        return ()
    plain = (line.partition(" #")[0].strip() for line in lines)
    return tuple(line for line in plain if line and not line.startswith("#"))
