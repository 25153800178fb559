"""Which MLflow the environment of a kernel has, found without importing it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ... import mlflow_client

#: Seconds that another Python may take to say where its packages are.
_PATIENCE = 30.0
_ASK = "import json, sys; print(json.dumps(sys.path[1:]))"


@dataclass(frozen=True, slots=True)
class Installed:
    """An MLflow in some environment."""

    version: str
    #: Whether it can open databases; ``mlflow-skinny`` alone cannot.
    whole: bool


def needs_front(uri: str, found: Installed | None) -> bool:
    """Whether code with that MLflow cannot use a tracking URI as we do."""
    if found is None or not mlflow_client.is_database(uri):
        return False
    return not found.whole or found.version != importlib.metadata.version("mlflow")


def installed(python: str) -> Installed | None:
    """Return the MLflow of the environment of a Python, or None if there is none."""
    if Path(python) == Path(sys.executable):
        return Installed(importlib.metadata.version("mlflow"), whole=True)
    folders = _folders(python)
    return _in(folders, tuple(_changed(each) for each in folders))


@lru_cache(maxsize=64)
def _folders(python: str) -> tuple[str, ...]:
    """Return where a Python looks for packages."""
    try:
        asked = subprocess.run(  # noqa: S603 - the kernel's own interpreter, an argv list
            (python, "-c", _ASK),
            env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
        return tuple(each for each in json.loads(asked.stdout) if each)
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _changed(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _in(folders: tuple[str, ...], _changed: tuple[int, ...]) -> Installed | None:
    """Look into folders; those that have changed are looked into again."""
    for name in ("mlflow", "mlflow-skinny"):
        for found in importlib.metadata.distributions(name=name, path=list(folders)):
            return Installed(found.version, whole=name == "mlflow")
    return None
