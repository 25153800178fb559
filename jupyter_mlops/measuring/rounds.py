"""Measuring workloads: each prepared, tried once, then timed in several rounds."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from ..core.machines import Measure, Skipped

#: Rounds of each workload, of which the median counts.
ROUNDS = 5


class CannotMeasure(Exception):
    """Why a workload cannot be measured here, in one line."""


@dataclass(frozen=True, slots=True)
class Round:
    """A workload that is ready."""

    #: Does it once.
    work: Callable[[], object]
    #: How much is done at that, in the unit of the workload.
    amount: float
    #: Done before each round, and not timed.
    before: Callable[[], object] | None = None
    #: Returns the share that was used since it was called last, where it is not the cores'.
    utilisation: Callable[[], float | None] | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that machines are compared by."""

    name: str
    #: What its throughput is told in, and the seconds to which that refers.
    unit: str
    #: Prepares it, in a folder on the project's disk and for so many cores, and tidies up after.
    #: Raises `CannotMeasure`.
    prepare: Callable[[Path, int], AbstractContextManager[Round]]
    per: float = 1.0


def measure_all(
    folder: Path, cores: int, *, scale: float = 1.0, told: Callable[[str], None]
) -> Iterator[Measure | Skipped]:
    """Measure all workloads, one after the other.

    ``folder`` is where their files go for the time being, ``cores`` how many may be used, and
    ``scale`` makes what is done smaller. ``told`` hears of each before it begins.
    """
    from .workloads import workloads

    with tempfile.TemporaryDirectory(prefix=".mlops-bench-", dir=folder) as place:
        for workload in workloads(scale):
            told(workload.name)
            yield _measure(workload, Path(place), cores)


def _measure(workload: Workload, place: Path, cores: int) -> Measure | Skipped:
    try:
        with workload.prepare(place, cores) as ready:
            seconds, used = _rounds(ready, cores)
    except (CannotMeasure, OSError, MemoryError) as error:
        return Skipped(name=workload.name, line=str(error) or "There is too little memory.")
    return Measure(
        name=workload.name,
        value=ready.amount * workload.per / seconds,
        unit=workload.unit,
        seconds=seconds,
        utilisation=used,
    )


def _rounds(ready: Round, cores: int) -> tuple[float, float | None]:
    """Return the median seconds of a round, and the median share that was used."""
    times, shares = [], []
    for number in range(1 + ROUNDS):
        if ready.before is not None:
            ready.before()
        begun, busy = time.perf_counter(), _busy()
        ready.work()
        taken = time.perf_counter() - begun
        share = ready.utilisation() if ready.utilisation else (_busy() - busy) / (taken * cores)
        if number > 0:  # the first warms up
            times.append(taken)
            shares.append(share)
    known = [each for each in shares if each is not None]
    return statistics.median(times), min(1.0, statistics.median(known)) if known else None


def _busy() -> float:
    """Return the CPU seconds of this process and of the children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
