"""MLOps from JupyterLab: parameter sweeps, tracking and a model registry for notebooks."""

__version__ = "0.1.0"
