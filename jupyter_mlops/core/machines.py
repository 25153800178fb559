"""What a machine achieves at common workloads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """What a machine achieved at one workload: the median of several rounds."""

    #: What was done, such as ``matrix product``.
    name: str
    #: How much of it a second, or a minute, as the unit says: more is better.
    value: float
    #: Such as ``GFLOP/s``.
    unit: str
    #: Seconds that a round took.
    seconds: float
    #: Share of the granted cores' time, or of the GPU's, that was used; None if that is not known.
    utilisation: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """A workload that could not be measured, and why not, in one line."""

    name: str
    line: str
