"""Runs side by side: what differs among them, and curves of a bearable length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .values import Value, identity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One name and its value in each run, by the run's id; a run that lacks it is left out."""

    name: str
    differs: bool
    values: dict[str, Value]


def side_by_side(runs: Mapping[str, Mapping[str, Value]], first: str | None = None) -> list[Row]:
    """Set the values of runs side by side: what differs first, then in the order of their names.

    That some runs lack a value is a difference too. ``first`` is a name that stands before others.
    """
    rows = [
        _row(name, runs) for name in dict.fromkeys(each for run in runs.values() for each in run)
    ]
    return sorted(rows, key=lambda row: (not row.differs, row.name != first))


def _row(name: str, runs: Mapping[str, Mapping[str, Value]]) -> Row:
    values = {run: given[name] for run, given in runs.items() if name in given}
    different = len({identity(value) for value in values.values()}) > 1
    return Row(name, different or len(values) < len(runs), values)


def flattened(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Value]:
    """Return the plain values of nested facts by their path, such as ``git.commit``."""
    found: dict[str, Value] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found |= flattened(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, (bool, int, float, str)):
            found[f"{prefix}{name}"] = value
    return found


def thinned(points: Sequence[T], most: int) -> list[T]:
    """Return at most so many points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]


def common_steps(curves: Iterable[Sequence[int]], most: int) -> list[int]:
    """Return at most so many of the steps of several curves, evenly chosen."""
    return thinned(sorted({step for steps in curves for step in steps}), most)
