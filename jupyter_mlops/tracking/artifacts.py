"""The files of a run: what it put out, and texts that are longer than MLflow keeps."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import mlflow_client
from ..core.exceptions import TrackingUnavailable
from ..mlflow_client import PARAMETER, translated
from . import recording
from .glance import Facts, Glance

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

#: Why an artifact is missing.
ARTIFACT_ERROR = "mlops.artifact_error"
#: Folder of the artifacts that hold parameters which MLflow cuts.
PARAMETERS_FOLDER = "parameters"


class ArtifactKeeper:
    """The part of a tracker that keeps files."""

    uri: str
    _glance: Glance | None
    _write: Callable[[str, Callable[[], None]], bool]
    _send: Callable[..., None]
    _facts: Callable[[str], Facts]

    @cached_property
    def _client(self) -> MlflowClient:
        return mlflow_client.connect(self.uri)

    def _keep_whole(self, tracked_id: str, parameters: Mapping[str, Any]) -> list[str]:
        """Keep parameters as files that MLflow cuts; say what else it would not take as it is."""
        _, cut = recording.parameter_texts(parameters)
        notes = self._keep_texts(tracked_id, PARAMETERS_FOLDER, cut)
        if not notes:
            notes = recording.cut_notes(cut, PARAMETERS_FOLDER, recording.PARAMETER_LIMIT)
        return notes + recording.renaming_notes(recording.renaming_tags(PARAMETER, parameters))

    def _keep_texts(self, tracked_id: str, folder: str, texts: Mapping[str, str]) -> list[str]:
        """Keep texts as a run's artifacts ``<folder>/<name>.txt``."""
        if not texts:
            return []
        try:
            with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as made:
                for name, text in texts.items():
                    path = Path(made) / folder / recording.file_for(name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, "utf-8")
                return self._keep(tracked_id, Path(made) / folder)
        except OSError as error:
            return [f"What MLflow cuts could not be kept whole: {error}"]

    def _keep(self, tracked_id: str, path: Path) -> list[str]:
        """Copy a file or folder into the run's artifacts; return why it could not be."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        try:
            with translated(self.uri):
                if path.is_dir():
                    self._client.log_artifacts(tracked_id, str(path), path.name)
                elif self._glance is not None:
                    where = get_artifact_repository(self._facts(tracked_id).artifacts)
                    where.log_artifact(path)  # type: ignore[no-untyped-call]
                else:
                    self._client.log_artifact(tracked_id, str(path))
        except TrackingUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - each kind of storage raises errors of its own
            problem = f"{path.name} could not be kept: {error}"
            log.warning("Run %s: %s", tracked_id, problem)
            self._write(
                tracked_id,
                lambda: self._send(tracked_id, tags=recording.limited({ARTIFACT_ERROR: problem})),
            )
            return [problem]
        return []
