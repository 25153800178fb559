"""Where MLflow keeps the files of a run: its own, its models', and those of runs below it."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .. import mlflow_client
from ..core.artifacts import ArtifactStore
from ..mlflow_client import translated
from .files import LocalFiles, RemoteFiles

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


class KeptFiles:
    """Finds the stores of runs, with a client of its own: files are read beside the tracker."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: MlflowClient | None = None
        self._lock = Lock()

    def stores(self, tracked_id: str) -> dict[str, ArtifactStore]:
        """Return a run's stores by the folder that each stands for; empty is the run itself.

        A model that the run logged has the folder of its name, which the newest of that name
        gets, and so has a run that its code started. Raises `TrackingUnavailable`.
        """
        with self._lock:
            if self._client is None:
                self._client = mlflow_client.connect(self._uri)
            client = self._client
        with translated(self._uri):
            run = mlflow_client.get_run(client, tracked_id)
            if run is None:
                return {}
            found = self._models(client, run)
            for child in mlflow_client.children(client, run):
                name = _unused(found, child.info.run_name, child.info.run_id)
                found[name] = self._store(child.info.artifact_uri)
        return found | {"": self._store(run.info.artifact_uri)}

    def close(self) -> None:
        """Release connections."""
        if self._client is not None:
            mlflow_client.dispose(self._client)

    def _models(self, client: MlflowClient, run: Run) -> dict[str, ArtifactStore]:
        found: dict[str, ArtifactStore] = {}
        models = mlflow_client.models_of(client, run)
        for model in sorted(models, key=lambda each: each.creation_timestamp, reverse=True):
            name = _unused(found, model.name, model.model_id)
            found[name] = self._store(model.artifact_location)
        return found

    def _store(self, uri: str) -> ArtifactStore:
        folder = local_folder(uri)
        return RemoteFiles(uri, self._uri) if folder is None else LocalFiles(folder)


def local_folder(uri: str) -> Path | None:
    """Return the folder of this machine that an artifact URI means; None if it is elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "" and uri.startswith("/"):
        return Path(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    return None


def _unused(taken: dict[str, ArtifactStore], name: str | None, key: str) -> str:
    """Return a name for a folder that no other one has."""
    plain = re.sub(r"[^\w.+=, -]", "_", name or "").strip(" .") or key
    return plain if plain not in taken else f"{plain} {key}"
