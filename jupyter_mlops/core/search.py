"""Adaptive search: what a sampler may choose from, and which runs are not worth going on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from .axes import Axis, Listed, Log, Part, Range
from .parameters import refuse
from .values import Value, identity

#: Values without an order among which a sampler may choose; more of them teach it nothing.
MAX_CHOICES = 1_000
#: One in so many runs goes on at each look, unless it is said otherwise.
FACTOR = 3
#: Looks that a run has before its end, unless it is said when the first one is.
_LOOKS = 3


class Sampler(StrEnum):
    """Who chooses the points of a sweep, one after the other."""

    TPE = "tpe"  #: looks closer where earlier runs did well
    RANDOM = "random"  #: draws each from the whole space


class PruningRule(StrEnum):
    """What decides that a run is not worth going on."""

    ASHA = "asha"  #: asynchronous successive halving


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """How the points of a sweep are chosen while it runs."""

    sampler: Sampler
    #: What its draws start from.
    seed: int
    #: Runs that were asked for; a space of fewer points makes fewer.
    trials: int
    #: What there is to choose from for each parameter: values, a range, or a log scale.
    dimensions: dict[str, Part]

    def pack(self) -> dict[str, Any]:
        """Return it in a form that JSON can carry."""
        packed = {name: _pack(part) for name, part in self.dimensions.items()}
        own = {"sampler": self.sampler.value, "seed": self.seed, "trials": self.trials}
        return {**own, "dimensions": packed}

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> Search:
        """Undo `pack`."""
        parts = {name: _unpack(each) for name, each in packed["dimensions"].items()}
        own = {**packed, "sampler": Sampler(packed["sampler"]), "dimensions": parts}
        return cls(**own)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruning:
    """When the running runs of a sweep are compared by their live metric, and how many go on."""

    rule: PruningRule
    #: Step of the first look; None: it follows from the steps of the first run that succeeds.
    steps: int | None
    #: One in so many goes on at each look, and each look comes at so many times the step.
    factor: int

    def pack(self) -> dict[str, Any]:
        """Return it in a form that JSON can carry."""
        return {"rule": self.rule.value, "steps": self.steps, "factor": self.factor}

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> Pruning:
        """Undo `pack`."""
        return cls(**{**packed, "rule": PruningRule(packed["rule"])})


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps at which runs are compared: ``first``, and each time ``factor`` times as far."""

    first: int
    factor: int
    #: The step at which a run ends, where it is too late to stop it; None if that is not known.
    end: int | None

    @classmethod
    def of(cls, pruning: Pruning, seen: tuple[int, int] | None = None) -> Ladder | None:
        """Make the ladder, None if its first step cannot be known yet.

        ``seen`` are the first and the last step, above 0, of a run that succeeded.
        """
        if seen is None:
            return cls(pruning.steps, pruning.factor, None) if pruning.steps else None
        first, end = seen
        steps = pruning.steps or max(first, end // pruning.factor**_LOOKS)
        return cls(steps, pruning.factor, end)

    def step(self, rung: int) -> int | None:
        """Return the step of a rung, counted from 0; None behind the last one."""
        step = self.first * self.factor**rung
        return step if self.end is None or step < self.end else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where a run stands that is not worth going on."""

    step: int
    value: float
    #: Its place among those that have reached the same rung, counted from 1, and their number.
    rank: int
    of: int


def dimensions(axes: Iterable[Axis]) -> dict[str, Part]:
    """Return what a sampler may choose from. Raises `BadSpace` for too many values in no order."""
    found: dict[str, Part] = {}
    for axis in axes:
        part = axis.parts[0] if len(axis.parts) == 1 else Listed(tuple(axis.values()))
        if isinstance(part, Listed) and part.count > MAX_CHOICES:
            raise refuse(
                axis.name,
                f"a sampler chooses among at most {MAX_CHOICES:,} values in no order. "
                "Write a range like 1..5000 or log(1e-4,1e-1,5).",
            )
        found[axis.name] = part
    return found


def points_of(parts: Iterable[Part]) -> float:
    """Return how many points there are to choose from; infinity if there is no end of them."""
    return math.prod(_options(part) for part in parts)


def _options(part: Part) -> float:
    if not isinstance(part, Log):
        return part.count
    low, high = scale(part)
    return high - low + 1 if part.whole else math.inf


def scale(part: Log) -> tuple[float, float]:
    """Return the lowest and the highest number of a log scale."""
    low, high = sorted((part.first, part.last))
    return (round(low), round(high)) if part.whole else (float(low), float(high))


def place(part: Part, value: Value) -> float:
    """Return how a sampler knows a value: by its position, on a log scale by itself.

    Raises ValueError for a value that is not among those to choose from.
    """
    if isinstance(part, Listed):
        wanted = identity(value)
        for position, each in enumerate(part.values):
            if identity(each) == wanted:
                return position
    elif isinstance(value, (int, float)):
        if isinstance(part, Log):
            return value
        if isinstance(part, Range):
            return round((Fraction(value) - part.start) / part.step)
    raise ValueError(value)


def value_at(part: Part, place: float) -> Value:
    """Undo `place`."""
    return place if isinstance(part, Log) else part.at(int(place))


def _pack(part: Part) -> dict[str, Any]:
    match part:
        case Range(start, step, count, whole):
            return {"start": str(start), "step": str(step), "count": count, "whole": whole}
        case Log(first, last, count, whole):
            return {"first": str(first), "last": str(last), "count": count, "whole": whole}
        case _:
            return {"values": [part.at(index) for index in range(part.count)]}


def _unpack(packed: Mapping[str, Any]) -> Part:
    if "values" in packed:
        return Listed(tuple(packed["values"]))
    kind, low, high = (Range, "start", "step") if "start" in packed else (Log, "first", "last")
    bounds = Fraction(packed[low]), Fraction(packed[high])
    return kind(*bounds, packed["count"], packed["whole"])
