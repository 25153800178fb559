"""Finding runs in MLflow by the tags that we gave them. All raise MLflow's exceptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..mlflow_client import ATTEMPT, DETACHED, PARENT, SWEEP, children, get_run, quoted, search_runs
from .recording import SUPERSEDED

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def tagged(
    client: MlflowClient, experiment_id: str, tags: Mapping[str, str], view: str = "ACTIVE_ONLY"
) -> Iterator[Run]:
    """Yield an experiment's runs that have all these tags."""
    wanted = " and ".join(f"tags.`{name}` = {quoted(text)}" for name, text in tags.items())
    return search_runs(client, [experiment_id], wanted, view)


def recorded(client: MlflowClient, experiment_id: str, attempt_id: str) -> Run | None:
    """Return the run of an attempt, even if we have hidden it since another attempt followed."""
    for run in tagged(client, experiment_id, {ATTEMPT: attempt_id}, "ALL"):
        if run.info.lifecycle_stage == "active" or SUPERSEDED in run.data.tags:
            return run
    return None


def deleted_runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    """Yield the runs of an experiment that are in the trash."""
    return search_runs(client, [experiment_id], "", "DELETED_ONLY")


class Families:
    """Runs together with those that their code started, read a whole sweep at a time."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client
        self._known: dict[str, Run] = {}
        self._children: dict[str, list[str]] = defaultdict(list)

    def members(self, run_id: str) -> list[str]:
        """Return the ids of a run and its descendants; nothing if there is no such run."""
        if run_id not in self._known:
            run = get_run(self._client, run_id)
            if run is None:
                return []
            self._read_sweep(run)
        found = [run_id]
        for each in found:
            found += self._children[each]
        return found

    def _read_sweep(self, run: Run) -> None:
        runs = {run.info.run_id: run}
        sweep = run.data.tags.get(SWEEP)
        if sweep is not None:
            listed = tagged(self._client, run.info.experiment_id, {SWEEP: sweep})
            runs |= {each.info.run_id: each for each in listed}
        for each in list(runs.values()):
            if DETACHED in each.data.tags:
                runs |= {child.info.run_id: child for child in children(self._client, each)}
        for run_id, each in runs.items():
            parent = each.data.tags.get(PARENT)
            if run_id not in self._known and parent is not None and ATTEMPT not in each.data.tags:
                self._children[parent].append(run_id)
        self._known |= runs
