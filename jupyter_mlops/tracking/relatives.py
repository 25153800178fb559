"""What belongs to an attempt's run in MLflow: earlier attempts, and what its code started.

All raise MLflow's exceptions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..mlflow_client import ATTEMPT, PARENT, RUN, children, models_of, output_steps, quoted
from . import lookup
from .recording import STRAY, SUPERSEDED

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def supersede(client: MlflowClient, experiment_id: str, run_id: str) -> None:
    """Hide the attempts of a run but the last, unless a model version was made from them.

    The last one need not be recorded last: an earlier worker may have left others behind.
    """
    found = lookup.tagged(client, experiment_id, {RUN: run_id})
    attempts = [each for each in found if ATTEMPT in each.data.tags]
    for earlier in sorted(attempts, key=_number)[:-1]:
        for each in (*children(client, earlier), earlier):
            client.set_tag(each.info.run_id, SUPERSEDED, "true")
            made = client.search_model_versions(f"run_id = {quoted(each.info.run_id)}")
            if not made:
                client.delete_run(each.info.run_id)


def _number(attempt: Run) -> int:
    return int(attempt.data.tags[ATTEMPT].rpartition(".")[2])


def adopt_strays(client: MlflowClient, experiment_id: str, tracked_id: str, attempt: str) -> None:
    """Make runs children of their attempt's that its code started before that was recorded."""
    for stray in lookup.tagged(client, experiment_id, {STRAY: attempt}):
        if PARENT not in stray.data.tags:
            client.set_tag(stray.info.run_id, PARENT, tracked_id)


def end_children(client: MlflowClient, run: Run, status: str) -> None:
    """End the runs that the notebook's code has left open."""
    for child in children(client, run):
        if child.info.status == "RUNNING":
            client.set_terminated(child.info.run_id, status)


def adopt_models(client: MlflowClient, run: Run) -> None:
    """Make models that the notebook logged outside any run outputs of its attempt."""
    from mlflow.entities import LoggedModelOutput

    known = output_steps(run)
    orphans = [
        LoggedModelOutput(each.model_id, step=0)
        for each in models_of(client, run)
        if not each.source_run_id and each.model_id not in known
    ]
    if orphans:
        client.log_outputs(run.info.run_id, orphans)
