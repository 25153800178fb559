"""Use cases of monitoring: the requests of an endpoint against the training data and the truth."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ..core.exceptions import InvalidInput
from ..core.runs import MetricPoint, Run
from ..registry.drift import DRIFT
from ..registry.mlops_scoring.samples import CHALLENGER, PREDICTION
from ..registry.quality import CARD, DAILY, EPOCH
from ..registry.reference import REFERENCE
from ..registry.sources import Source
from ..store import Store
from . import messages as m
from .endpoint_state import samples_of
from .model_copies import ModelCopy
from .model_runs import ModelRuns, Work
from .projects import Project

_MONITOR = """
from pathlib import Path

import jupyter_mlops as mlops
from jupyter_mlops.metrics import log_values
from jupyter_mlops.registry import drift, quality
from jupyter_mlops.registry.sources import Source

kept = drift.read_samples(Path(samples))
drifts = drift.compare(kept, drift.read_rows(Source(Path(input), table)))
log_values({drift.metric_name(each.feature): each.distance for each in drifts})
for each in drifts:
    print(f"{each.feature}: distance {each.distance:.3f}, p {each.p_value:.2g}")
if labels:
    for each in quality.judge(kept, drift.read_rows(Source(Path(labels))), on=on, label=label):
        log_values(each.values, step=each.step)
        print(each.day or "all days", each.of, f"{each.rows:,} rows", each.metrics)
        if each.day is None:
            log_values(quality.expected(card, each.metrics))
mlops.log(rows=len(kept))
drift.check(drifts, allowed)
"""
_MONITORING = Work(
    "monitor",
    _MONITOR,
    {
        "model": "",
        "version": 1,
        "samples": "",
        "input": "",
        "table": None,
        "labels": None,
        "on": [],
        "label": None,
        "card": {},
        "allowed": None,
    },
    remembers=True,
)


class MonitoringUseCases:
    """What can be asked of the requests that endpoints keep."""

    def __init__(self, project: Project, store: Store, runs: ModelRuns) -> None:
        self._project = project
        self._store = store
        self._runs = runs

    async def monitor_model(self, name: str, body: m.MonitoringRequest) -> m.SweepView:
        """Queue a comparison of an endpoint's requests with the training data and the truth."""
        if bool(body.labels) != bool(body.on and body.label):
            raise InvalidInput(
                "labels: say with --labels FILE --on COLUMN --label COLUMN what is true of what.",
                field="labels",
            )
        labels = self._runs.path(body.labels, "labels") if body.labels else None
        version, copy = await self._runs.find(name, body)
        source = self._reference(body, copy)
        await asyncio.to_thread(lambda: source.files)
        given = {
            "samples": str(samples_of(self._project, name)),
            "input": str(source.path),
            "table": body.table,
            "labels": str(labels) if labels else None,
            "on": body.on,
            "label": body.label,
            "card": version.metrics,
            "allowed": body.allowed,
        }
        return await self._runs.submit(_MONITORING, version, copy, body, given)

    def _reference(self, body: m.MonitoringRequest, copy: ModelCopy) -> Source:
        """Return the training data. Raises `InvalidInput`."""
        if body.input is not None:
            return Source(self._runs.path(body.input, "input"), body.table)
        if REFERENCE not in copy.hashes:
            raise InvalidInput(
                "input: no training data was logged with the model. Name its file with --input, or "
                'log the model with data={"train": …}.',
                field="input",
            )
        return Source(copy.folder / REFERENCE)

    async def get_monitoring(self, name: str) -> m.MonitoringView:
        """Tell what the last comparison has found."""
        return await asyncio.to_thread(self._last, name)

    def _last(self, name: str) -> m.MonitoringView:
        run = self._store.history.latest(_MONITORING.notebook(name))
        if run is None:
            return m.MonitoringView(
                run_id=None,
                status=None,
                finished_at=None,
                error=None,
                rows=0,
                allowed=None,
                drifts=[],
                qualities=[],
            )
        attempts = self._store.history.attempts(run.id)
        points = self._store.history.series(attempts[-1].id) if attempts else []
        return _view(run, points)


def _view(run: Run, points: Iterable[MetricPoint]) -> m.MonitoringView:
    series: defaultdict[str, list[MetricPoint]] = defaultdict(list)
    for point in points:
        series[point.key].append(point)
    last = {key: each[-1].value for key, each in series.items()}
    drifts = [
        m.DriftView(feature=key.removeprefix(DRIFT), distance=value)
        for key, value in last.items()
        if key.startswith(DRIFT)
    ]
    names = [key.removeprefix(f"{PREDICTION}/") for key in last if key.startswith(f"{PREDICTION}/")]
    return m.MonitoringView(
        run_id=run.id,
        status=run.status,
        finished_at=run.finished_at,
        error=run.error,
        rows=int(last.get("rows", 0)),
        allowed=_number(run.parameters.get("allowed")),
        drifts=sorted(drifts, key=lambda each: -each.distance),
        qualities=[_quality(each, last, series) for each in names],
    )


def _quality(
    metric: str, last: Mapping[str, float], series: Mapping[str, Sequence[MetricPoint]]
) -> m.QualityView:
    days = series.get(f"{DAILY}{PREDICTION}/{metric}", ())
    return m.QualityView(
        metric=metric,
        served=last.get(f"{PREDICTION}/{metric}"),
        challenger=last.get(f"{CHALLENGER}/{metric}"),
        card=last.get(f"{CARD}{metric}"),
        days=[_day(each.step) for each in days],
        values=[each.value for each in days],
    )


def _day(step: int) -> str:
    found: date = EPOCH + timedelta(days=step)
    return found.isoformat()


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
