"""MLOps from JupyterLab: parameter sweeps, tracking and a model registry for notebooks.

``import jupyter_mlops as mlops`` gives the Python API, ``%load_ext jupyter_mlops`` the magic
``%mlops``. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import features
    from .api import (
        card,
        compare,
        explain,
        get,
        models,
        register,
        run,
        runs,
        space,
        sweep,
    )
    from .catalog.define import feature
    from .core.exceptions import InvalidInput, MlopsError, NotFound, RunFailed
    from .inputs import data
    from .metrics import log
    from .registry.packing import log_model
    from .results import (
        ModelCard,
        ModelList,
        ModelVersion,
        RunList,
        RunResult,
        SharingResult,
        SweepResult,
    )
    from .sessions import Session, track

__version__ = "0.1.0"

__all__ = [
    "InvalidInput",
    "MlopsError",
    "ModelCard",
    "ModelList",
    "ModelVersion",
    "NotFound",
    "RunFailed",
    "RunList",
    "RunResult",
    "Session",
    "SharingResult",
    "SweepResult",
    "card",
    "compare",
    "data",
    "explain",
    "feature",
    "features",
    "get",
    "load_ipython_extension",
    "log",
    "log_model",
    "models",
    "register",
    "run",
    "runs",
    "space",
    "sweep",
    "track",
    "unload_ipython_extension",
]

#: Where those names are that are not in `api`.
_ELSEWHERE = {
    "InvalidInput": ".core.exceptions",
    "MlopsError": ".core.exceptions",
    "ModelCard": ".results",
    "ModelList": ".results",
    "ModelVersion": ".results",
    "NotFound": ".core.exceptions",
    "RunFailed": ".core.exceptions",
    "RunList": ".results",
    "RunResult": ".results",
    "Session": ".sessions",
    "SharingResult": ".results",
    "SweepResult": ".results",
    "data": ".inputs",
    "feature": ".catalog.define",
    "log": ".metrics",
    "log_model": ".registry.packing",
    "track": ".sessions",
}


def __getattr__(name: str) -> Any:
    """Import the part of the API that is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "features":
        return import_module(".features", __name__)
    value = getattr(import_module(_ELSEWHERE.get(name, ".api"), __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name the API before it is imported."""
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: Any) -> None:
    """Give IPython the magic ``%mlops``: ``%load_ext jupyter_mlops``."""
    from .magics import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magic back."""
    from .magics import unload

    unload(ipython)


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell Jupyter Server where its extension is."""
    module = "jupyter_mlops.server.extension"
    return [{"module": module, "app": import_module(module).MlopsExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where its prebuilt extension is."""
    return [{"src": "labextension", "dest": "jupyter-mlops"}]
