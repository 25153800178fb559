"""A sweep as a study of Optuna that lives in memory."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import Trial, TrialState

from ..core.axes import Listed, Log, Part
from ..core.exceptions import SearchFailed
from ..core.search import Pruning, Sampler, Search, Standing, place, points_of, scale, value_at
from ..core.values import Value
from .halving import Halving

#: How often the sampler is asked again if it comes back to a point that was tried.
_PATIENCE = 10

Point = dict[str, float]


class OptunaSearcher:
    """Asks and tells a study whose trials are the runs of a sweep."""

    def __init__(self, search: Search | None, pruning: Pruning | None, *, maximize: bool) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._search = search
        self._parts = search.dimensions if search is not None else {}
        self._distributions = {name: _distribution(part) for name, part in self._parts.items()}
        self._study = optuna.create_study(
            direction="maximize" if maximize else "minimize", sampler=RandomSampler(seed=0)
        )
        self._halving = Halving(self._study, pruning, maximize=maximize) if pruning else None
        self._running: dict[int, Trial] = {}
        #: The points that were tried, by run.
        self._tried: dict[int, tuple[float, ...]] = {}

    def ask(self, index: int) -> dict[str, Value]:
        """Choose the parameters of a run, different from those of the others."""
        if self._search is None:
            raise SearchFailed("The sweep has no sampler.")
        self._forget(index)
        # Seeded anew for each run, so that another searcher goes on as this one would.
        generator = random.Random(f"{self._search.seed}/{index}")  # noqa: S311  # not secret
        with _refusals():
            self._study.sampler = _sampler(self._search.sampler, generator.getrandbits(32))
            trial = self._new_point() or self._begin(self._untried(generator))
        self._keep(index, trial)
        return {name: value_at(self._parts[name], at) for name, at in trial.params.items()}

    def add(self, index: int, parameters: Mapping[str, Value]) -> None:
        """Take note of a run whose parameters were chosen before."""
        self._forget(index)
        with _refusals():
            point = {name: place(part, parameters[name]) for name, part in self._parts.items()}
            trial = self._begin(point)
        self._keep(index, trial)

    def report(self, index: int, step: int, value: float) -> Standing | None:
        """Compare a value with those of the other runs, where it is time to."""
        trial = self._running.get(index)
        if trial is None or self._halving is None:
            return None
        with _refusals():
            return self._halving.report(trial, step, value)

    def tell(self, index: int, value: float | None, *, pruned: bool = False) -> None:
        """Tell how a run ended."""
        trial = self._running.pop(index, None)
        if trial is None:
            return
        succeeded = value is not None and not pruned and not math.isnan(value)
        with _refusals():
            if self._halving is not None:
                self._halving.end(trial, succeeded=succeeded)
            if succeeded:
                self._study.tell(trial, value)
            else:
                self._study.tell(trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)

    def _new_point(self) -> Trial | None:
        """Ask for a point; None if the sampler insists on one that was tried already."""
        for _ in range(_PATIENCE):
            trial = self._study.ask(self._distributions)
            if self._key(trial.params) not in self._tried.values():
                return trial
            self._study.tell(trial, state=TrialState.FAIL)
        return None

    def _untried(self, generator: random.Random) -> Point:
        """Draw a point that was not tried; there are more points than runs."""
        tried = set(self._tried.values())
        if points_of(self._parts.values()) > 2 * len(tried):
            while self._key(point := self._draw(generator)) in tried:
                pass
            return point
        whole = (_places(part) for part in self._parts.values())
        left = [point for point in itertools.product(*whole) if point not in tried]
        return dict(zip(self._parts, generator.choice(left), strict=True))

    def _draw(self, generator: random.Random) -> Point:
        point: Point = {}
        for name, part in self._parts.items():
            if isinstance(part, Log) and not part.whole:
                low, high = scale(part)
                drawn = math.exp(generator.uniform(math.log(low), math.log(high)))
                point[name] = min(max(drawn, low), high)
            else:
                places = _places(part)
                point[name] = generator.randrange(places.start, places.stop)
        return point

    def _begin(self, point: Point) -> Trial:
        """Begin a trial at a point."""
        self._study.enqueue_trial(point)
        return self._study.ask(self._distributions)

    def _keep(self, index: int, trial: Trial) -> None:
        self._running[index] = trial
        self._tried[index] = self._key(trial.params)

    def _forget(self, index: int) -> None:
        """Forget what was chosen for a run that did not begin after all."""
        self.tell(index, None)
        self._tried.pop(index, None)

    def _key(self, point: Mapping[str, float]) -> tuple[float, ...]:
        return tuple(point[name] for name in self._parts)


def _distribution(part: Part) -> BaseDistribution:
    if isinstance(part, Listed):
        # By their positions: Optuna takes 1, 1.0 and True for the same, and no lists.
        return CategoricalDistribution(range(part.count))
    if not isinstance(part, Log):
        return IntDistribution(0, part.count - 1)
    low, high = scale(part)
    if part.whole:
        return IntDistribution(int(low), int(high), log=True)
    return FloatDistribution(low, high, log=True)


def _places(part: Part) -> range:
    """Return all that may be chosen, as the sampler knows it."""
    if not isinstance(part, Log):
        return range(part.count)
    low, high = scale(part)
    return range(int(low), int(high) + 1)


def _sampler(kind: Sampler, seed: int) -> BaseSampler:
    return TPESampler(seed=seed) if kind is Sampler.TPE else RandomSampler(seed=seed)


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise `SearchFailed` for what Optuna refuses."""
    try:
        yield
    except (optuna.exceptions.OptunaError, ValueError) as error:
        reason = str(error).split("\n", 1)[0]
        raise SearchFailed(f"{SearchFailed.__doc__} Optuna says: {reason}") from error
