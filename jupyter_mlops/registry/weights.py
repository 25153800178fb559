"""Saving a model's weights in the form of its framework, which needs no pickle where it has one."""

from __future__ import annotations

import importlib
import inspect
import io
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import ModuleType
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
        options: dict[str, Any] = {"pip_requirements": requirements({found})}
        if found == "sklearn":
            _save_sklearn(saver, model, folder, options)
        else:
            given = {"lightgbm": "lgb_model", "xgboost": "xgb_model", "catboost": "cb_model"}
            name = given.get(found, "pytorch_model" if found == "torch" else "model")
            taken = inspect.signature(saver.save_model).parameters
            if found == "torch" and "serialization_format" in taken:
                # A graph, which MLflow saves unasked, has the branches of one example only.
                options |= {"serialization_format": "pickle"}
            saver.save_model(**{name: model}, path=str(folder), **options)
        return _SAVERS[found]
    _pickle(model, folder)
    return "pickle"


def variables(model: Any) -> dict[str, str]:
    """Return the environment variables that a model's framework needs to load it as it was."""
    keras = sys.modules.get("keras")
    if keras is None or framework(model) != "keras":
        return {}
    return {"KERAS_BACKEND": str(keras.backend.backend())}


def modules(model: Any) -> set[str]:
    """Return the modules, without what is in them, that loading a model will import."""
    import cloudpickle

    if inspect.isfunction(model):
        return set()
    found = {framework(model), *variables(model).values()}

    class Finder(cloudpickle.CloudPickler):  # type: ignore[misc]
        """Notes where everything comes from that a pickle of the model would name."""

        def reducer_override(self, obj: Any) -> Any:
            home = obj.__name__ if isinstance(obj, ModuleType) else _module_of(obj)
            found.add(home.partition(".")[0])
            return super().reducer_override(obj)

    with suppress(Exception):  # what cannot be pickled is saved otherwise, or refused then
        Finder(_Nowhere()).dump(model)
    return found - {"__main__", ""}


class _Nowhere(io.RawIOBase):
    """Takes whatever is written to it."""

    def write(self, content: Any) -> int:
        return len(content)


def _module_of(value: Any) -> str:
    found = getattr(value, "__module__", None)
    return found if isinstance(found, str) else ""


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
