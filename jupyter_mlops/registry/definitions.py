"""What a model is: class, hyperparameters, loss, layers, and the numbers of its parameters.

Also a script, ``python definitions.py FOLDER``: the Python of the run that made a model loads it
there and prints what it is, so that no process of ours ever unpickles one. Needs nothing of the
package that it lies in.
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

#: Longest text of a value, and most layers and hyperparameters that are told.
TEXT = 300
MOST = 500

#: Flavors of MLflow whose loader gives the model itself.
FLAVORS = ("sklearn", "xgboost", "lightgbm", "catboost", "pytorch", "keras", "tensorflow")


_TASKS = {"classifier": "classification", "regressor": "regression", "clusterer": "clustering"}


def describe(model: Any) -> dict[str, Any]:
    """Return what is known of a model, ready for JSON."""
    if inspect.isfunction(model):
        return _function(model)
    found: dict[str, Any] = {"class": _class(model), "framework": framework(model)}
    for each in (_torch, _keras, _sklearn, _lightgbm, _xgboost):
        try:
            more = each(model)
        except Exception as error:  # noqa: BLE001 - a framework may raise anything of its own
            more = {"problem": f"{type(error).__name__}: {error}"[:TEXT]}
        if more is not None:
            return found | more
    return found | {"hyperparameters": _attributes(model)}


def framework(model: Any) -> str:
    """Return the package that a model's class, or the first known one of its bases, comes from."""
    roots = [each.__module__.partition(".")[0] for each in type(model).__mro__]
    known = {"sklearn", "xgboost", "lightgbm", "catboost", "torch", "keras", "tensorflow"}
    return next((root for root in roots if root in known), roots[0])


def _class(model: Any) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"


def _function(model: Any) -> dict[str, Any]:
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):
        source = None
    return {
        "class": f"function {model.__qualname__}",
        "framework": "python",
        "signature": str(inspect.signature(model)),
        "source": source,
    }


def _torch(model: Any) -> dict[str, Any] | None:
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module):
        return None
    leaves = [(name, each) for name, each in model.named_modules() if not any(each.children())]
    layers = [
        {
            "name": name or "model",
            "class": type(each).__name__,
            "settings": each.extra_repr()[:TEXT],
            "parameters": sum(p.numel() for p in each.parameters(recurse=False)),
        }
        for name, each in leaves
    ]
    parameters = list(model.parameters())
    return {
        "layers": layers[:MOST],
        "parameter_count": sum(p.numel() for p in parameters),
        "trainable_count": sum(p.numel() for p in parameters if p.requires_grad),
        "hyperparameters": _attributes(model, but=("training",)),
    }


def _keras(model: Any) -> dict[str, Any] | None:
    if framework(model) not in ("keras", "tensorflow") or not hasattr(model, "layers"):
        return None
    layers = [
        {
            "name": each.name,
            "class": type(each).__name__,
            "settings": "",
            "parameters": int(each.count_params()) if each.built else 0,
        }
        for each in model.layers
    ]
    optimizer = getattr(model, "optimizer", None)
    return {
        "layers": layers[:MOST],
        "parameter_count": int(model.count_params()),
        "loss": _text(getattr(model, "loss", None)),
        "hyperparameters": _plain(optimizer.get_config()) if optimizer is not None else {},
    }


def _sklearn(model: Any) -> dict[str, Any] | None:
    if not hasattr(model, "get_params"):
        return None
    last = _last(model)
    found: dict[str, Any] = {"hyperparameters": _plain(model.get_params(deep=True))}
    if last is not model:
        found["steps"] = [f"{name}: {_class(each)}" for name, each in model.steps]
    losses = (getattr(last, name, None) for name in ("loss", "objective", "objective_"))
    loss = next((each for each in losses if each is not None), None)
    found["loss"] = _text(loss)
    kind = str(getattr(last, "_estimator_type", None) or _kind(last) or "") or None
    found["task"] = _TASKS.get(kind or "", kind)
    counts = [_size(getattr(last, name, None)) for name in ("coef_", "intercept_")]
    found["parameter_count"] = sum(counts) or None
    for name, key in (("n_iter_", "iterations"), ("n_features_in_", "features")):
        value = getattr(last, name, None)
        found[key] = int(value) if isinstance(value, int) else _text(value)
    trees = _trees(last)
    return found if trees is None else found | {"trees": trees}


def _trees(model: Any) -> int | None:
    """Return the number of trees of an xgboost or lightgbm model of scikit-learn's form."""
    if hasattr(model, "get_booster"):
        return len(model.get_booster().get_dump())
    booster = getattr(model, "booster_", None)
    return int(booster.num_trees()) if booster is not None else None


def _kind(model: Any) -> str | None:
    tags = getattr(model, "__sklearn_tags__", None)
    return tags().estimator_type if callable(tags) else None


def _last(model: Any) -> Any:
    steps = getattr(model, "steps", None)
    return steps[-1][1] if isinstance(steps, list) and steps else model


def _lightgbm(model: Any) -> dict[str, Any] | None:
    if framework(model) != "lightgbm":
        return None
    return {
        "hyperparameters": _plain(model.params),
        "loss": _text(model.params.get("objective")),
        "trees": model.num_trees(),
        "features": model.num_feature(),
    }


def _xgboost(model: Any) -> dict[str, Any] | None:
    if framework(model) != "xgboost":
        return None
    learner = json.loads(model.save_config())["learner"]
    booster = learner.get("gradient_booster", {})
    return {
        "hyperparameters": _plain(booster.get("tree_train_param") or booster),
        "loss": _text(learner.get("objective", {}).get("name")),
        "trees": len(model.get_dump()),
        "features": model.num_features(),
    }


def _attributes(model: Any, but: Iterable[str] = ()) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in getattr(model, "__dict__", {}).items()
        if not name.startswith("_")
        and name not in but
        and isinstance(value, bool | int | float | str)
    }
    return _plain(kept)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in list(values.items())[:MOST]}


def _value(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value[:TEXT] if isinstance(value, str) else value
    return _text(value)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value.__name__ if callable(value) and hasattr(value, "__name__") else str(value)
    text = " ".join(text.split())
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"


def _size(value: Any) -> int:
    size = getattr(value, "size", 0)
    return int(size) if isinstance(size, int) else 0


# -- as a script -----------------------------------------------------------------------------------


def inspect_folder(folder: Path) -> dict[str, Any]:
    """Load a logged model; return what it is, and what it predicts for its own example."""
    import mlflow
    import yaml

    flavors = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))["flavors"]
    found: dict[str, Any] = {}
    for flavor in (each for each in FLAVORS if each in flavors):
        loader = importlib.import_module(f"mlflow.{flavor}")
        found["definition"] = describe(loader.load_model(str(folder)))
        break
    if "python_function" in flavors:
        model = mlflow.pyfunc.load_model(str(folder))
        if "definition" not in found:
            found["definition"] = describe(_unwrapped(model))
        example = model.input_example
        if example is not None:
            found["predictions"] = predictions(model.predict(example))
    return found


def _unwrapped(model: Any) -> Any:
    for unwrap in ("get_raw_model", "unwrap_python_model"):
        try:
            return getattr(model, unwrap)()
        except Exception:  # noqa: BLE001, S112 - not every loader has one
            continue
    return model


def predictions(made: Any) -> list[Any]:
    """Return predictions, however a model writes them, ready for JSON: one item for each row."""
    if hasattr(made, "detach"):
        made = made.detach().cpu().numpy()
    if hasattr(made, "to_numpy"):
        made = made.to_numpy()
    listed = made.tolist() if hasattr(made, "tolist") else made
    rows = listed if isinstance(listed, list | tuple) else [listed]
    return [_number(each) for each in rows]


def _number(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_number(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _number(each) for key, each in value.items()}
    return _value(value.item() if hasattr(value, "item") else value)


def main(arguments: Iterable[str], show: Callable[[str], object]) -> None:
    """Print, as the last line, what the model in a folder is."""
    (folder,) = arguments
    show(f"\n{json.dumps(inspect_folder(Path(folder)))}\n")


if __name__ == "__main__":
    sys.path.pop(0)
    main(sys.argv[1:], sys.stdout.write)
