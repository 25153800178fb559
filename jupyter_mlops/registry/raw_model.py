"""A model that takes raw requests: featurize, the weights, predict.

MLflow keeps this file with the model and executes it when the model is loaded. It needs MLflow and
what the model itself needs, and nothing of jupyter-mlops.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel


class RawModel(PythonModel):
    """Runs the logged featurize before, and the logged predict after the weights."""

    def load_context(self, context: Any) -> None:
        """Load the weights and the functions."""
        functions = Path(context.artifacts["functions"])
        plan = json.loads((functions / "plan.json").read_text("utf-8"))
        found = _import(functions / "mlops_functions.py")
        self._featurize: Callable[[Any], Any] | None = getattr(found, "featurize", None)
        self._predict: Callable[[Any, Any], Any] | None = getattr(found, "predict", None)
        if plan["loader"] == "function":
            self._model = found.model
        else:
            self._model = _load(plan["loader"], Path(context.artifacts["weights"]))

    def get_raw_model(self) -> Any:
        """Return the model without its functions."""
        return self._model

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Predict for raw requests."""
        features = model_input if self._featurize is None else self._featurize(model_input)
        if self._predict is not None:
            return self._predict(self._model, features)
        predict = getattr(self._model, "predict", self._model)
        return predict(features)


def _import(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing from the model.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _load(loader: str, folder: Path) -> Any:
    if loader == "pickle":
        with (folder / "model.pkl").open("rb") as file:
            return pickle.load(file)  # noqa: S301 - the user's own, and its hash was checked
    return importlib.import_module(f"mlflow.{loader}").load_model(str(folder))


mlflow.models.set_model(RawModel())
