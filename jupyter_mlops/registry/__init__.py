"""Registered models in MLflow."""

from __future__ import annotations

from .mlflow_registry import MlflowRegistry

__all__ = ["MlflowRegistry", "open_registry"]


def open_registry(tracker_uri: str) -> MlflowRegistry:
    """Return the registry of a tracking URI.

    The project's own store must have been opened by `jupyter_mlops.tracking.open_tracker` before.
    """
    return MlflowRegistry(tracker_uri)
