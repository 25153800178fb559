"""What machines achieve."""

from __future__ import annotations

from .base import Moment, View


class MeasureView(View):
    """What a machine achieved at one workload."""

    name: str
    value: float
    #: Of the value, such as GFLOP/s: more is better.
    unit: str
    #: Seconds that a round took, and the share of the cores, or of the GPU, that it used.
    seconds: float
    utilisation: float | None


class SkippedView(View):
    """A workload that could not be measured, and why not."""

    name: str
    line: str


class MachineView(View):
    """A machine, and what it achieved when it was measured last."""

    host: str
    system: str
    processor: str | None
    cores: int
    memory: int | None
    python: str
    measured_at: Moment
    measures: list[MeasureView]
    skipped: list[SkippedView]
