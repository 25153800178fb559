"""Loading a model as it was saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel


def load(folder: Path) -> PyFuncModel:
    """Load a model; one of Keras on the backend that it was made on, unless another is chosen."""
    for name, text in variables(folder).items():
        os.environ.setdefault(name, text)
    from mlflow import pyfunc

    found: PyFuncModel = pyfunc.load_model(str(folder))
    return found


def variables(folder: Path) -> dict[str, str]:
    """Return the environment variables with which a model is loaded as it was saved."""
    import yaml

    try:
        content = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
        backend = content["flavors"]["keras"]["keras_backend"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return {}  # of another framework; what is wrong with the file is told by who loads it
    return {"KERAS_BACKEND": str(backend)} if backend else {}
