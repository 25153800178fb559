"""Runs in MLflow: the tracker, its local store, and the facts a run is recorded with."""

from __future__ import annotations

from pathlib import Path

from .. import mlflow_client
from . import local_store
from .environment import REPLACED_VARIABLES, environment_while_away
from .files import OneFile
from .kept import KeptFiles
from .local_store import artifacts_path, default_uri
from .mlflow_tracker import MlflowTracker

__all__ = [
    "REPLACED_VARIABLES",
    "KeptFiles",
    "MlflowTracker",
    "OneFile",
    "artifacts_path",
    "default_uri",
    "environment_while_away",
    "open_tracker",
]


def open_tracker(uri: str | None, state_dir: Path, *, wal: bool = True) -> MlflowTracker:
    """Return a tracker for a tracking URI, or for the project's own store if there is none.

    The own store is made, or brought up to date if the project was moved. ``wal`` must be off if
    it lies on a network file system. Raises `TrackingUnavailable`.
    """
    own = default_uri(state_dir)
    if uri is None or uri == own:
        local_store.prepare(state_dir, wal=wal)
        database = local_store.database_path(state_dir)
        return MlflowTracker(own, artifacts=artifacts_path(state_dir), database=database)
    uri = mlflow_client.absolute(uri)
    is_database = mlflow_client.is_database(uri)
    artifacts = artifacts_path(state_dir) if is_database else None
    return MlflowTracker(uri, artifacts=artifacts)
