"""MLOps from JupyterLab: parameter sweeps, tracking and a model registry for notebooks."""

__version__ = "0.1.0"


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell Jupyter Server where its extension is."""
    from .server.extension import MlopsExtension

    return [{"module": "jupyter_mlops.server.extension", "app": MlopsExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where its prebuilt extension is."""
    return [{"src": "labextension", "dest": "jupyter-mlops"}]
