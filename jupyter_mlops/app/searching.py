"""Use cases of searching runs, as the worker carries them out."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from ..core.run_query import FACTS, Condition, SortKey, fields_of, parse_condition, parse_order
from ..core.runs import Run, Sweep
from ..core.values import looks_secret
from ..store import RunSearch, Store
from . import messages as m
from . import views
from .estimates import Estimates
from .live import Live
from .recorder import Recorder

#: Newest runs whose parameters and metrics are known by name.
_ASKED = 1_000


class SearchUseCases:
    """What can be asked of all runs together."""

    def __init__(self, store: Store, recorder: Recorder, live: Live) -> None:
        self._store = store
        self._recorder = recorder
        self._estimates = Estimates(store, live)

    async def search_runs(self, query: m.SearchQuery) -> m.RunPage:
        """Find a page of runs."""
        waiting = await self._recorder.waiting()
        return await asyncio.to_thread(self._search, query, waiting)

    def _search(self, query: m.SearchQuery, waiting: Collection[str]) -> m.RunPage:
        condition = parse_condition(query.where) if query.where is not None else None
        order = parse_order(query.sort) if query.sort is not None else ()
        if query.sweep is not None:
            self._store.history.sweep(query.sweep)
        search = RunSearch(
            condition=condition,
            order=order,
            sweep_id=query.sweep,
            status=query.status,
            limit=query.limit,
            offset=query.offset,
        )
        found = self._store.searching.runs(search)
        # What is missing comes last: if the first run lacks it, all of them do.
        unknown = not found.total or any(map(partial(_lacks, found.runs[:1]), order))
        return m.RunPage(
            runs=show(self._store, self._estimates, found.runs, waiting),
            total=found.total,
            offset=query.offset,
            notes=list(self._notes(condition, order)) if unknown else [],
        )

    def _notes(self, condition: Condition | None, order: Sequence[SortKey]) -> Iterator[str]:
        """Say which of the names that were asked for no recent run has."""
        named = fields_of(condition, order)
        asked = [each for each in named if each.group in ("params", "metrics")]
        parameters, metrics = self._store.searching.names(_ASKED) if asked else ([], [])
        for each in asked:
            known = parameters if each.group == "params" else metrics
            if known and each.name not in known:
                what = "parameter" if each.group == "params" else "metric"
                close = difflib.get_close_matches(each.name, known, n=1)
                meant = f" Did you mean {close[0]}?" if close else ""
                yield f"No recent run has a {what} {each.name}.{meant}"

    async def run_fields(self) -> m.FieldsView:
        """Tell what can be searched and sorted by."""
        parameters, metrics = await asyncio.to_thread(self._store.searching.names, _ASKED)
        public = [name for name in parameters if not looks_secret(name)]
        return m.FieldsView(facts=list(FACTS), parameters=public, metrics=metrics)


def _lacks(runs: Sequence[Run], key: SortKey) -> bool:
    """Whether one of the runs has no value to sort by."""
    if key.field.group in ("fact", "tags"):
        return False
    params = key.field.group == "params"
    return any(key.field.name not in (run.parameters if params else run.metrics) for run in runs)


def show(
    store: Store, estimates: Estimates, runs: Sequence[Run], waiting: Collection[str]
) -> list[m.RunView]:
    """Show runs, each with what it needs of its sweep; the tracker lacks some that wait."""
    sweeps: dict[str, Sweep] = store.searching.sweeps({run.sweep_id for run in runs})
    shown = []
    for run in runs:
        sweep = sweeps.get(run.sweep_id)
        if sweep is not None:  # it may have just been deleted
            times = estimates.of_run(run, sweep.kind)
            shown.append(views.run(run, sweep, times, unsynced=run.id in waiting))
    return shown
