"""Asynchronous successive halving: Optuna's rule, on steps that are learned where none is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from optuna import Study
from optuna.pruners import SuccessiveHalvingPruner
from optuna.trial import Trial

from ..core.search import Ladder, Pruning, Standing


@dataclass(slots=True)
class _Seen:
    """What a running trial has reported."""

    #: The rung that it reaches next.
    rung: int = 0
    #: Its first and its last step above 0.
    steps: tuple[int, int] | None = None
    #: Its values by step, as long as the rungs are unknown.
    waiting: list[tuple[int, float]] = field(default_factory=list)


class Halving:
    """Compares the trials of a study at each rung. The study's pruner is set when that is known."""

    def __init__(self, study: Study, pruning: Pruning, *, maximize: bool) -> None:
        self._study = study
        self._pruning = pruning
        self._maximize = maximize
        self._seen: dict[int, tuple[Trial, _Seen]] = {}
        #: The values at each rung by trial.
        self._rungs: dict[int, dict[int, float]] = {}
        self._ladder: Ladder | None = None
        self._set_ladder(Ladder.of(pruning))

    def report(self, trial: Trial, step: int, value: float) -> Standing | None:
        """Take in a value; return where the trial stands if it should be stopped."""
        _, seen = self._seen.setdefault(trial.number, (trial, _Seen()))
        if step > 0:
            first, last = seen.steps or (step, step)
            seen.steps = min(first, step), max(last, step)
        if self._ladder is None:
            seen.waiting.append((step, value))
            return None
        return self._climb(self._ladder, trial, seen, step, value)

    def end(self, trial: Trial, *, succeeded: bool) -> None:
        """Forget a trial, before the study is told of its end."""
        _, seen = self._seen.get(trial.number, (trial, _Seen()))
        if succeeded and seen.steps and (self._ladder is None or self._ladder.end is None):
            self._learn(seen.steps)
        self._seen.pop(trial.number, None)

    def _learn(self, steps: tuple[int, int]) -> None:
        """Set the rungs by the steps of a trial, and let all climb to where they are by now."""
        self._set_ladder(Ladder.of(self._pruning, steps))
        for trial, seen in self._seen.values():
            for step, value in seen.waiting:
                if self._ladder is not None:
                    self._climb(self._ladder, trial, seen, step, value)
            seen.waiting.clear()

    def _set_ladder(self, ladder: Ladder | None) -> None:
        self._ladder = ladder
        if ladder is not None:
            self._study.pruner = SuccessiveHalvingPruner(
                min_resource=ladder.first, reduction_factor=ladder.factor
            )

    def _climb(
        self, ladder: Ladder, trial: Trial, seen: _Seen, step: int, value: float
    ) -> Standing | None:
        """Report a value once for each rung that it reaches, until it is found wanting."""
        while (rung_step := ladder.step(seen.rung)) is not None and step >= rung_step:
            values = self._rungs.setdefault(seen.rung, {})
            values[trial.number] = value
            seen.rung += 1
            trial.report(value, rung_step)
            if trial.should_prune():
                rank = 1 + sum(self._beats(each, value) for each in values.values())
                return Standing(step=step, value=value, rank=rank, of=len(values))
        return None

    def _beats(self, one: float, other: float) -> bool:
        """Whether a value is better than another; NaN is worse than all."""
        if other != other:  # noqa: PLR0124  # NaN
            return one == one  # noqa: PLR0124
        return one > other if self._maximize else one < other
