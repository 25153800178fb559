"""A model that takes raw requests: featurize, the weights, predict.

MLflow keeps this file with the model and executes it when the model is loaded. It needs MLflow and
what the model itself needs, and nothing of jupyter-mlops.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel


class RawModel(PythonModel):
    """Runs the logged featurize before, and the logged predict after the weights."""

    def load_context(self, context: Any) -> None:
        """Load the weights and the functions."""
        functions = Path(context.artifacts["functions"])
        plan = json.loads((functions / "plan.json").read_text("utf-8"))
        found = _import(functions / "mlops_functions.py")
        # A model that is a function may itself be called so.
        given = {name: getattr(found, name) for name in plan["given"]}
        self._featurize: Callable[[Any], Any] | None = given.get("featurize")
        self._predict: Callable[[Any, Any], Any] | None = given.get("predict")
        for name, text in plan["variables"].items():
            os.environ.setdefault(name, text)
        self._loader = plan["loader"]
        if self._loader == "function":
            self._model = found.model
        else:
            self._model = _load(self._loader, Path(context.artifacts["weights"]))

    def get_raw_model(self) -> Any:
        """Return the model without its functions."""
        return self._model

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Predict for raw requests."""
        features = model_input if self._featurize is None else self._featurize(model_input)
        if self._predict is not None:
            return _plain(self._predict(self._model, features))
        return _plain(_ask(self._loader, self._model, features))


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
    options = {}
    if loader == "pytorch" and not importlib.import_module("torch").cuda.is_available():
        options = {"map_location": "cpu"}
    return importlib.import_module(f"mlflow.{loader}").load_model(str(folder), **options)


def _ask(loader: str, model: Any, features: Any) -> Any:
    """Ask a model for predictions, some of which take no table."""
    if loader == "pytorch":
        return _ask_torch(model, features)
    if loader == "xgboost" and isinstance(features, pd.DataFrame | np.ndarray):
        import xgboost

        if isinstance(model, xgboost.Booster):
            features = xgboost.DMatrix(features)
    return getattr(model, "predict", model)(features)


def _ask_torch(model: Any, features: Any) -> Any:
    torch = importlib.import_module("torch")
    if isinstance(features, pd.DataFrame):
        features = features.to_numpy(np.float32)
    if isinstance(features, np.ndarray):
        like = next(model.parameters(), torch.empty(0))
        kind = like.dtype if np.issubdtype(features.dtype, np.floating) else None
        features = torch.as_tensor(features, dtype=kind, device=like.device)
    with torch.no_grad():
        return model(features)


def _plain(answers: Any) -> Any:
    """Return answers as MLflow takes them: a framework's own arrays as numpy's."""
    if hasattr(answers, "detach"):
        return answers.detach().cpu().numpy()
    is_other = hasattr(answers, "__array__") and not isinstance(answers, pd.DataFrame | pd.Series)
    return np.asarray(answers) if is_other else answers


mlflow.models.set_model(RawModel())
