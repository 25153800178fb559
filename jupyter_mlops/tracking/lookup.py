"""Finding runs in MLflow by the tags that we gave them. All raise MLflow's exceptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..mlflow_client import ATTEMPT, DETACHED, MISSING, PARENT, SWEEP, pages, quoted

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

#: Runs per request.
_PAGE = 1000


def get(client: MlflowClient, run_id: str) -> Run | None:
    """Return a run, in the trash or not; None if there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        raise


def tagged(client: MlflowClient, experiment_id: str, tags: Mapping[str, str]) -> Iterator[Run]:
    """Yield an experiment's active runs that have all these tags."""
    wanted = " and ".join(f"tags.`{name}` = {quoted(text)}" for name, text in tags.items())
    return _search(client, [experiment_id], wanted)


def deleted_runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    """Yield the runs of an experiment that are in the trash."""
    from mlflow.entities import ViewType

    return _search(client, [experiment_id], "", view=ViewType.DELETED_ONLY)


def children(client: MlflowClient, run: Run) -> list[Run]:
    """Return the active runs that an attempt's own code started."""
    wanted = f"tags.`{PARENT}` = {quoted(run.info.run_id)}"
    experiments = [run.info.experiment_id]
    if DETACHED in run.data.tags:
        found = pages(lambda token: client.search_experiments(page_token=token))
        experiments = [each.experiment_id for each in found]
    return [each for each in _search(client, experiments, wanted) if ATTEMPT not in each.data.tags]


def _search(
    client: MlflowClient, experiments: Sequence[str], wanted: str, *, view: int | None = None
) -> Iterator[Run]:
    from mlflow.entities import ViewType

    return pages(
        lambda token: client.search_runs(
            list(experiments),
            filter_string=wanted,
            run_view_type=ViewType.ACTIVE_ONLY if view is None else view,
            max_results=_PAGE,
            page_token=token,
        )
    )


class Families:
    """Runs together with those that their code started, read a whole sweep at a time."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client
        self._known: dict[str, Run] = {}
        self._children: dict[str, list[str]] = defaultdict(list)

    def members(self, run_id: str) -> list[str]:
        """Return the ids of a run and its descendants; nothing if there is no such run."""
        if run_id not in self._known:
            run = get(self._client, run_id)
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
