"""Saving a model's weights in the form of its framework, which needs no pickle where it has one."""

from __future__ import annotations

import importlib
import inspect
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from ..core.exceptions import InvalidInput
from .definitions import framework

#: MLflow's module for each framework.
_SAVERS = {
    "sklearn": "sklearn",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "torch": "pytorch",
    "keras": "keras",
    "tensorflow": "tensorflow",
}


def save(model: Any, folder: Path) -> str:
    """Save a model's weights; return what loads them: a flavor of MLflow, function or pickle.

    Raises `InvalidInput` if the model can be saved in no way.
    """
    if inspect.isfunction(model):
        return "function"
    found = framework(model)
    if found in _SAVERS:
        saver = importlib.import_module(f"mlflow.{_SAVERS[found]}")
        options = {"pip_requirements": requirements({found})}
        if found == "sklearn":
            _save_sklearn(saver, model, folder, options)
        else:
            given = {"lightgbm": "lgb_model", "xgboost": "xgb_model", "catboost": "cb_model"}
            name = given.get(found, "pytorch_model" if found == "torch" else "model")
            saver.save_model(**{name: model}, path=str(folder), **options)
        return _SAVERS[found]
    _pickle(model, folder)
    return "pickle"


def _save_sklearn(saver: Any, model: Any, folder: Path, options: dict[str, Any]) -> None:
    """Save without pickle; what skops does not know is trusted, as the user has just made it."""
    import shutil

    try:
        from skops.io import dumps, get_untrusted_types

        trusted = get_untrusted_types(data=dumps(model))
        options = options | {"serialization_format": "skops", "skops_trusted_types": trusted}
        saver.save_model(model, str(folder), **options)
    except Exception:  # noqa: BLE001 - skops raises errors of many kinds for what it cannot write
        shutil.rmtree(folder, ignore_errors=True)
        options = {name: each for name, each in options.items() if "skops" not in name}
        saver.save_model(model, str(folder), **options | {"serialization_format": "cloudpickle"})


def _pickle(model: Any, folder: Path) -> None:
    import cloudpickle

    folder.mkdir(parents=True)
    try:
        with (folder / "model.pkl").open("wb") as file:
            cloudpickle.dump(model, file)
    except Exception as error:
        raise InvalidInput(
            f"model: a {type(model).__name__} cannot be saved ({error}). "
            "Pass a model of a known framework, or a function.",
            field="model",
        ) from error


def requirements(modules: set[str]) -> list[str]:
    """Return the exact versions of the packages that provide modules, and of what MLflow needs."""
    providers = packages_distributions()
    names = {"mlflow", "cloudpickle"}
    for module in modules | {"numpy", "pandas", *({"skops"} if "sklearn" in modules else ())}:
        names.update(providers.get(module, ()))
    found = []
    for name in sorted(names, key=str.lower):
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return [each for each in found if not each.startswith("jupyter-mlops==")]
