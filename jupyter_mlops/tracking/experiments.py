"""MLflow's experiments by name: made when they are first needed, with a place for artifacts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.runs import new_id
from . import lookup

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Experiments:
    """Finds experiments, and makes or restores them. Its methods raise MLflow's exceptions.

    ``artifacts`` is the folder for new experiments' artifacts; None leaves it to the server.
    """

    def __init__(self, client: MlflowClient, artifacts: Path | None) -> None:
        self._client = client
        self._artifacts = artifacts
        self._ids: dict[str, str] = {}

    def id_of(self, name: str) -> str:
        """Return an active experiment's id."""
        if name not in self._ids:
            self._ids[name] = self._find(name) or self._create(name)
        return self._ids[name]

    def forget(self, name: str) -> None:
        """Look the experiment up again the next time: somebody may have deleted it."""
        self._ids.pop(name, None)

    def _find(self, name: str) -> str | None:
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            return None
        if experiment.lifecycle_stage == "deleted":
            self._restore(experiment.experiment_id)
        return str(experiment.experiment_id)

    def _create(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.create_experiment(name, self._location(name)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return self._find(name) or self._create(name)

    def _location(self, name: str) -> str | None:
        if self._artifacts is None:
            return None
        readable = re.sub(r"[^\w.-]+", "-", name).strip(".-")[:40]
        return (self._artifacts / f"{readable}-{new_id()}").as_uri()

    def _restore(self, experiment_id: str) -> None:
        """Take an experiment out of the trash, and leave there what was deleted with it."""
        from mlflow.exceptions import MlflowException

        deleted = [run.info.run_id for run in lookup.deleted_runs(self._client, experiment_id)]
        try:
            self._client.restore_experiment(experiment_id)
        except MlflowException:
            if self._client.get_experiment(experiment_id).lifecycle_stage == "deleted":
                raise
        for run_id in deleted:
            self._client.delete_run(run_id)
