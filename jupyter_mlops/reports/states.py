"""How far a run is and how long it takes, in a few words, the same in lists and lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from ..app import messages as m
from ..core import formats
from ..core.runs import Environment, Status

#: Marks a run whose packages are not those that the project's lock names.
DIFFERS = "≠ lock"

#: Kinds of differences that are told.
_LINES = 3
_STOPPING = {"interrupt": "interrupting", "terminate": "terminating", "kill": "killing"}


def state(run: m.RunView, now: datetime | None = None) -> str:
    """Write where a run stands: ``◐ cell 3/7 · terminating``, ``○ retry in 12 s``."""
    shown = formats.state(run.status, cell=run.cell, cells=run.cells, reason=run.reason)
    if run.stopping is not None and run.status is Status.RUNNING:
        return f"{shown} · {_STOPPING[run.stopping]}"
    if run.not_before is not None and run.status is Status.QUEUED:
        seconds = (run.not_before - (now or datetime.now(UTC))).total_seconds()
        if seconds >= 1:
            return f"{formats.MARKS[Status.QUEUED]} retry in {_whole(seconds)}"
        return f"{formats.MARKS[Status.QUEUED]} queued"
    return shown


def marked(run: m.RunView) -> str:
    """Write where a run stands, and whether its packages are not those of the project's lock."""
    return f"{state(run)} · {DIFFERS}" if run.environment is Environment.DIFFERS else state(run)


def others(runs: Iterable[m.RunView]) -> tuple[str, ...]:
    """Say how many of the runs had other packages than the lock, and which."""
    found = Counter(run.differences for run in runs if run.environment is Environment.DIFFERS)
    return tuple(
        f"{DIFFERS}: the packages of {formats.counted(number, 'run')} differ from {line}."
        for line, number in found.most_common(_LINES)
    )


def took(run: m.RunView) -> str:
    """Write what a run took, or what it takes so far."""
    return formats.duration(run.elapsed if run.status is Status.RUNNING else run.duration)


def left(run: m.RunView) -> str:
    """Write what a run is expected to take still."""
    return formats.remaining(run.remaining)


def _whole(seconds: float) -> str:
    return formats.duration(seconds) if seconds >= 100 else f"{round(seconds)} s"
