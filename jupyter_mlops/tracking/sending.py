"""Sending facts of a run to MLflow in as few requests as its limits allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..core.runs import MetricPoint
from ..mlflow_client import METRIC
from . import recording

if TYPE_CHECKING:
    from mlflow import MlflowClient


def send(
    client: MlflowClient,
    run_id: str,
    *,
    tags: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    points: Sequence[MetricPoint] = (),
) -> None:
    """Add tags, parameters and metric values to a run. Raises MLflow's exceptions.

    What fits into one request goes at once, since each costs MLflow a transaction.
    """
    from mlflow.entities import Metric, Param, RunTag

    keys = {point.key: recording.key_for(point.key) for point in points}
    renamed = recording.renaming_tags(METRIC, keys)
    batches: dict[str, tuple[int, list[Any]]] = {
        "tags": (
            recording.PARAMETERS_PER_BATCH,
            [RunTag(*item) for item in {**(tags or {}), **renamed}.items()],
        ),
        "params": (
            recording.PARAMETERS_PER_BATCH,
            [Param(*item) for item in (parameters or {}).items()],
        ),
        "metrics": (
            recording.METRICS_PER_BATCH - 2 * recording.PARAMETERS_PER_BATCH,
            [
                Metric(keys[each.key], each.value, max(0, int(each.time * 1000)), each.step)
                for each in points
            ],
        ),
    }
    used = {name: items for name, (_, items) in batches.items() if items}
    fits = all(len(used[name]) <= batches[name][0] for name in used)
    if used and fits and _size(used) <= recording.BYTES_PER_BATCH:
        client.log_batch(run_id, synchronous=True, **used)
        return
    for name, items in used.items():
        for some in recording.batches(items, most=batches[name][0]):
            client.log_batch(run_id, synchronous=True, **{name: some})


def _size(used: Mapping[str, Sequence[object]]) -> int:
    return sum(recording.size_of(each) for items in used.values() for each in items)
