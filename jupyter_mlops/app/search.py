"""Adaptive search: a sampler chooses the points of a sweep, a pruner stops runs that lag behind.

What they know comes from the store alone, so that the next worker goes on where one was killed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ..core import formats
from ..core.exceptions import InvalidInput, MlopsError, SearchFailed, SearchMissing
from ..core.executors import Outcome
from ..core.ports import Searcher
from ..core.runs import MetricPoint, Reason, Run, Status, Sweep
from ..core.search import FACTOR, Pruning, Sampler, Search, Standing, dimensions
from ..core.spaces import Space
from ..search import check_installed
from ..store import Store, of_sweep
from . import messages as m

log = logging.getLogger(__name__)

#: Sweeps whose searchers are kept; those of others are made again when they are needed.
_KEPT = 16


@dataclass(slots=True)
class _Study:
    """A searcher, and what it was told."""

    searcher: Searcher
    #: The runs whose end it knows: index to attempts by then.
    told: dict[int, int] = field(default_factory=dict)
    #: The runs that it knows.
    known: set[int] = field(default_factory=set)
    #: Running ones that lagged behind when the searcher was made.
    lagging: dict[int, Standing] = field(default_factory=dict)
    #: Whether a run has ended since we looked.
    stale: bool = False


def check_request(request: m.SpaceRequest) -> None:
    """Raise `InvalidInput` for what does not go together with a sampler."""
    if request.sampler is None:
        if request.trials is not None:
            raise InvalidInput("trials: choose a sampler, tpe or random.", field="sampler")
        return
    if request.trials is None:
        raise InvalidInput("sampler: say with trials how many runs to make.", field="trials")
    if request.mode != "grid" or request.points is not None or request.file_text is not None:
        raise InvalidInput(
            "sampler: it chooses the points itself. Leave out zip, random and lists of points.",
            field="sampler",
        )


def make_search(request: m.SubmitRequest, space: Space) -> Search | None:
    """Return how the points of a space are chosen. Raises `InvalidInput`, `SearchMissing`."""
    if request.sampler is None or request.trials is None:
        return None
    if request.sampler is Sampler.TPE and request.metric is None:
        raise InvalidInput("tpe: name the metric that it goes by.", field="metric")
    check_installed()
    return Search(
        sampler=request.sampler,
        seed=request.seed or 0,
        trials=request.trials,
        dimensions=dimensions(space.axes),
    )


def make_pruning(request: m.SubmitRequest) -> Pruning | None:
    """Return which runs are stopped early. Raises `InvalidInput`, `SearchMissing`."""
    if request.prune is None:
        if request.prune_steps is not None or request.prune_factor is not None:
            raise InvalidInput("prune: choose a rule, asha.", field="prune")
        return None
    if request.metric is None:
        raise InvalidInput("prune: name the metric that it goes by.", field="metric")
    check_installed()
    factor = FACTOR if request.prune_factor is None else request.prune_factor
    return Pruning(rule=request.prune, steps=request.prune_steps, factor=factor)


class Searches:
    """The searchers of a project's sweeps, in a thread of their own."""

    def __init__(self, store: Store, open_searcher: Callable[[Sweep], Searcher]) -> None:
        self._store = store
        self._open_searcher = open_searcher
        self._studies: OrderedDict[str, _Study] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")

    async def choose(self, sweep: Sweep, run: Run) -> Run | None:
        """Choose the parameters of a run, unless it has them: from its first attempt on.

        None if the sampler cannot: then the sweep's queued runs have failed, and say so.
        """
        if sweep.search is None or run.attempts:
            return run
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._ask, sweep, run)
        except (SearchMissing, SearchFailed) as error:
            log.warning("Sweep %s: %s", sweep.id, error.message)
            await asyncio.to_thread(self._store.queue.give_up, of_sweep(sweep.id), error.message)
            return None

    async def judge(self, sweep: Sweep, run: Run, points: Sequence[MetricPoint]) -> str | None:
        """Take in metrics of a running run; say in one line why it should be stopped, if so."""
        mine = [point for point in points if point.key == sweep.metric]
        if sweep.pruning is None or not mine:
            return None
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._judge, sweep, run, mine)
        except MlopsError as error:
            log.warning("Run %s goes on unjudged: %s", run.id, error.message)
            return None

    def ended(self, sweep: Sweep) -> None:
        """Take note that a run of the sweep has ended."""
        if (study := self._studies.get(sweep.id)) is not None:
            study.stale = True

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # -- in the thread -----------------------------------------------------------------------------

    def _ask(self, sweep: Sweep, run: Run) -> Run:
        study = self._study(sweep, look=True)
        study.known.add(run.index)
        return replace(run, parameters=study.searcher.ask(run.index))

    def _judge(self, sweep: Sweep, run: Run, points: Sequence[MetricPoint]) -> str | None:
        study = self._study(sweep, look=False)
        if run.index not in study.known:
            study.known.add(run.index)
            study.searcher.add(run.index, run.parameters)
        standing = study.lagging.pop(run.index, None) or _report(study, run, points)
        if standing is None:
            return None
        value = formats.number(standing.value)
        return (
            f"Pruned at step {standing.step}: {sweep.metric} {value} "
            f"ranked {standing.rank} of {standing.of}."
        )

    def _study(self, sweep: Sweep, *, look: bool) -> _Study:
        """Return what is known of a sweep; ``look`` asks the store what has ended meanwhile."""
        study = self._studies.get(sweep.id)
        if study is not None and (look or study.stale):
            study.stale = False
            ended = self._store.trials.ended(sweep.id)
            # What was told of a run that is tried again, or was deleted, cannot be unlearned.
            known = study.told.items() <= ended.items()
            study = self._told(sweep, study, ended) if known else None
        if study is None:
            study = self._studies[sweep.id] = self._rebuilt(sweep)
            while len(self._studies) > _KEPT:
                self._studies.popitem(last=False)
        self._studies.move_to_end(sweep.id)
        return study

    def _told(self, sweep: Sweep, study: _Study, ended: dict[int, int]) -> _Study:
        new = ended.keys() - study.told.keys()
        for run in self._store.trials.runs(sweep.id, new) if new else ():
            _tell(sweep, study, run)
        return study

    def _rebuilt(self, sweep: Sweep) -> _Study:
        """Tell a new searcher all that is known, in the order in which it came to be."""
        study = _Study(self._open_searcher(sweep))
        begun = self._store.trials.runs(sweep.id)
        series: dict[int, list[MetricPoint]] = {}
        if sweep.pruning is not None and sweep.metric is not None:
            series = self._store.trials.series(sweep.id, sweep.metric)
        for run in sorted(begun, key=lambda each: each.index):
            study.known.add(run.index)
            study.searcher.add(run.index, run.parameters)
        for run in begun:
            if run.status is Status.QUEUED:
                continue
            standing = _report(study, run, series.get(run.index, ()))
            if run.status.finished:
                _tell(sweep, study, run)
            elif standing is not None:
                study.lagging[run.index] = standing
        return study


def _report(study: _Study, run: Run, points: Iterable[MetricPoint]) -> Standing | None:
    for point in points:
        standing = study.searcher.report(run.index, point.step, point.value)
        if standing is not None:
            return standing
    return None


def _tell(sweep: Sweep, study: _Study, run: Run) -> None:
    succeeded = run.status is Status.SUCCEEDED and sweep.metric is not None
    value = run.metrics.get(sweep.metric or "") if succeeded else None
    study.searcher.tell(run.index, value, pruned=run.reason is Reason.PRUNED)
    study.told[run.index] = run.attempts


def as_pruned(outcome: Outcome, line: str | None) -> Outcome:
    """Return how an attempt ended that was stopped for the reason in ``line``, if it was."""
    if line is None or outcome.status is not Status.CANCELLED:
        return outcome
    return replace(outcome, reason=Reason.PRUNED, error=line)
