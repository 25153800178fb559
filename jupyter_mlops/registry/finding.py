"""Where the files of a run's model are, and what else the run kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import mlflow_client
from ..core.artifacts import checked_path
from ..core.exceptions import NoModelLogged

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities import Run as MlflowRun

#: Folder, among the artifacts of a run, of the cards of versions that were made from it.
CARDS = "model_cards"
#: On a run of MLflow 2: the models that it logged.
_LOGGED_BEFORE_3 = "mlflow.log-model.history"
#: Files of a run that are told.
_MOST_ARTIFACTS = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's files are, and which run and logged model they belong to."""

    uri: str
    run_id: str
    model_id: str | None


def find_model(client: MlflowClient, run: MlflowRun) -> Source:
    """Return the model that a run logged last: itself, outside any run, or in another run.

    Raises `NoModelLogged`, and `NotAllowedPath` if its files would lie outside of the run's.
    """
    models = mlflow_client.models_of(client, run)
    if models:
        run_id = run.info.run_id
        steps = mlflow_client.output_steps(run)

        def rank(model: LoggedModel) -> tuple[int, int, int]:
            owner = {run_id: 2, None: 1, "": 1}.get(model.source_run_id, 0)
            return owner, steps.get(model.model_id, 0), model.creation_timestamp

        model = max(models, key=rank)
        return Source(f"models:/{model.model_id}", model.source_run_id or run_id, model.model_id)
    for each in (run, *mlflow_client.children(client, run)):
        source = _model_artifact(each)
        if source is not None:
            return source
    raise NoModelLogged


def _model_artifact(run: MlflowRun) -> Source | None:
    """Return the model that a client of MLflow 2 logged, whose files are artifacts of the run."""
    logged = json.loads(run.data.tags.get(_LOGGED_BEFORE_3, "[]"))
    if not logged:
        return None
    path = checked_path(str(logged[-1]["artifact_path"]))
    return Source(f"{run.info.artifact_uri}/{path}", run.info.run_id, None)


@contextmanager
def default_store(uri: str) -> Iterator[None]:
    """Let MLflow's SQL registry, which knows no other way, find a logged model in this store."""
    name = "MLFLOW_TRACKING_URI"
    before = os.environ.get(name)
    os.environ[name] = uri
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def artifacts(client: MlflowClient, run_id: str) -> list[str]:
    """Return the files that a run kept, folder by folder, but for cards and no more than enough."""
    found: list[str] = []
    folders: list[str | None] = [None]
    while folders and len(found) < _MOST_ARTIFACTS:
        for each in client.list_artifacts(run_id, folders.pop()):
            if each.path.split("/")[0] == CARDS:
                continue
            (folders if each.is_dir else found).append(each.path)
    return sorted(found)


def datasets(run: MlflowRun) -> list[dict[str, Any]]:
    """Return MLflow's datasets of a run."""
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return [
        {
            "name": each.dataset.name,
            "digest": each.dataset.digest,
            "source_type": each.dataset.source_type,
            "context": next((t.value for t in each.tags if t.key == "mlflow.data.context"), None),
        }
        for each in inputs
    ]
