"""Use cases of comparing runs, as the worker carries them out."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..core.comparing import Row, flattened, side_by_side, thinned
from ..core.exceptions import InvalidInput, MlopsError, NotFound
from ..core.ports import Tracker
from ..core.run_query import Field, SortKey
from ..core.runs import Attempt, MetricPoint, Run, Sweep
from ..core.values import Value, encode
from ..store import RunSearch, Store
from . import messages as m
from . import views
from .cell_diffs import compare_notebooks
from .estimates import Estimates
from .gallery import gallery
from .live import Live
from .projects import Project
from .recorder import Recorder
from .searching import show
from .tasks import output_path

#: Runs that are set side by side; of a larger sweep the best ones.
MAX_COMPARED = 200
#: Runs of a gallery that are shown where no limit is named.
_SHOWN = 24
#: Facts of the context that are told better elsewhere, or are not facts of a run.
_ELSEWHERE = ("mlflow", "shared")


class ComparisonUseCases:
    """What can be asked of several runs together."""

    def __init__(self, project: Project, store: Store, recorder: Recorder, live: Live) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        self._estimates = Estimates(store, live)

    async def compare_runs(self, body: m.CompareRequest) -> m.CompareView:
        """Set runs side by side."""
        waiting = await self._recorder.waiting()
        return await asyncio.to_thread(self._compare, body.ids, waiting)

    def _compare(self, ids: Sequence[str], waiting: Collection[str]) -> m.CompareView:
        runs, total = self._chosen(ids)
        shown = show(self._store, self._estimates, runs, waiting)
        sweeps = self._store.searching.sweeps({run.sweep_id for run in runs})
        attempts = self._store.searching.last_attempts([run.id for run in runs])
        facts = {run.id: _facts(run, sweeps[run.sweep_id], attempts.get(run.id)) for run in runs}
        metric = sweeps[runs[0].sweep_id].metric
        return m.CompareView(
            runs=shown,
            total=total,
            parameters=_rows({each.id: each.parameters for each in shown}),
            metrics=_rows({each.id: each.metrics for each in shown}, metric),
            facts=_rows(facts),
        )

    async def compare_curves(self, body: m.CurvesRequest) -> m.CurvesView:
        """Tell a metric of several runs by step."""
        runs, _ = await asyncio.to_thread(self._chosen, body.ids)
        found = await asyncio.to_thread(self._own_curves, runs, body.key)
        missing = [run for run in runs if run.id not in found and body.key in run.metrics]
        notes = []
        try:
            found |= await self._recorder.call(
                lambda tracker, _: _tracked(tracker, missing, body.key)
            )
        except MlopsError as error:
            notes.append(error.message)
        series = [
            line
            for run in runs
            for line in views.series(run.id, thinned(found.get(run.id, []), body.points))
        ]
        return m.CurvesView(key=body.key, series=series, notes=notes)

    def _own_curves(self, runs: Iterable[Run], key: str) -> dict[str, list[MetricPoint]]:
        """Return the curves that we know of; plain client code logs past us."""
        attempts = self._store.searching.last_attempts([run.id for run in runs])
        found = {run: self._store.history.series(each.id, key) for run, each in attempts.items()}
        return {run: points for run, points in found.items() if points}

    async def compare_cells(self, body: m.CellsRequest) -> m.CellsView:
        """Compare two output notebooks cell by cell."""
        left, right = [await asyncio.to_thread(self._run, each) for each in (body.left, body.right)]
        paths = [output_path(self._project, run) for run in (left, right)]
        for run, path in zip((left, right), paths, strict=True):
            if not run.notebook or not path.exists():
                raise NotFound(f"{run.id} has no output notebook. Choose a run that has one.")
        cells = await compare_notebooks(*paths)
        return m.CellsView(left=left.id, right=right.id, cells=cells)

    async def sweep_gallery(self, sweep_id: str, query: m.GalleryQuery) -> m.GalleryView:
        """Show the images of one cell across the runs of a sweep."""
        if query.cell is not None and query.tag is not None:
            raise InvalidInput("Name a cell by its number or by its tag, not both.", field="cell")
        waiting = await self._recorder.waiting()
        return await asyncio.to_thread(self._gallery, sweep_id, query, waiting)

    def _gallery(
        self, sweep_id: str, query: m.GalleryQuery, waiting: Collection[str]
    ) -> m.GalleryView:
        sweep = self._store.history.sweep(sweep_id)
        search = RunSearch(
            sweep_id=sweep_id,
            order=_ranking(sweep),
            limit=min(query.limit or _SHOWN, MAX_COMPARED),
            offset=query.offset,
        )
        found = self._store.searching.runs(search)
        shown = show(self._store, self._estimates, found.runs, waiting)
        paths = [output_path(self._project, run) for run in found.runs]
        cell, items, cells = gallery(list(zip(shown, paths, strict=True)), query.cell, query.tag)
        return m.GalleryView(
            sweep_id=sweep_id, cell=cell, items=items, total=found.total, cells=cells
        )

    # -- which runs --------------------------------------------------------------------------------

    def _run(self, run_id: str) -> Run:
        return self._store.history.run(run_id)

    def _chosen(self, ids: Sequence[str]) -> tuple[list[Run], int]:
        """Return the runs of ids, each once, and how many were meant. Raises `NotFound`."""
        found: dict[str, Run] = {}
        total = 0
        for each in dict.fromkeys(ids):
            if "-" in each:
                runs, number = [self._run(each)], 1
            else:
                search = RunSearch(
                    sweep_id=each,
                    order=_ranking(self._store.history.sweep(each)),
                    limit=MAX_COMPARED,
                )
                page = self._store.searching.runs(search)
                runs, number = page.runs, page.total
            total += number - sum(run.id in found for run in runs)
            found |= {run.id: run for run in runs}
        return list(found.values())[:MAX_COMPARED], total


def _ranking(sweep: Sweep) -> tuple[SortKey, ...]:
    """Return the order in which the best runs of a sweep come first, if it says which are.

    Those that succeeded are before others, which the words of the states happen to be in reverse.
    """
    if sweep.metric is None:
        return ()
    succeeded_first = SortKey(Field("fact", "status"), descending=True)
    return (succeeded_first, SortKey(Field("metrics", sweep.metric), sweep.maximize))


def _tracked(tracker: Tracker, runs: Iterable[Run], key: str) -> dict[str, list[MetricPoint]]:
    return {run.id: tracker.series(run.mlflow_run_id, key) for run in runs if run.mlflow_run_id}


def _rows(runs: Mapping[str, Mapping[str, Value]], first: str | None = None) -> list[m.CompareRow]:
    return [_row(row) for row in side_by_side(runs, first)]


def _row(row: Row) -> m.CompareRow:
    return m.CompareRow(**asdict(row))


def _facts(run: Run, sweep: Sweep, attempt: Attempt | None) -> dict[str, Value]:
    """Return what else is known of a run and may explain a difference."""
    facts: dict[str, Any] = {
        "status": run.status.value,
        "reason": run.reason and run.reason.value,
        "error": run.error,
        "duration": run.duration,
        "notebook": run.notebook,
        "notebook_hash": sweep.notebook_hash,
        "experiment": run.experiment,
        "kernel": sweep.kernel,
        "cpus": sweep.cpus,
        "attempts": run.attempts,
        "environment": run.environment and run.environment.value,
        "differences": run.differences,
    }
    if attempt is not None:
        facts |= {
            "executor": attempt.executor,
            "kernel_start": attempt.start,
            "peak_memory": attempt.peak_memory,
            "cpu_time": attempt.cpu_time,
        }
        facts["notebook_hash"] = attempt.notebook_hash or sweep.notebook_hash
    context = {name: each for name, each in sweep.context.items() if name not in _ELSEWHERE}
    found = facts | flattened(context)
    return {name: encode(each) for name, each in found.items() if each is not None}
