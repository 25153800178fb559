"""Loading a model as it was saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel


def load(folder: Path) -> PyFuncModel:
    """Load a model; one of Keras on the backend that it was made on, unless another is chosen."""
    import yaml
    from mlflow import pyfunc

    content = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
    backend = content["flavors"].get("keras", {}).get("keras_backend")
    if backend:
        os.environ.setdefault("KERAS_BACKEND", backend)
    found: PyFuncModel = pyfunc.load_model(str(folder))
    return found
