"""Trackers to which finished runs are also sent, beside MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .runs import MetricPoint


@dataclass(frozen=True, kw_only=True, slots=True)
class MirroredRun:
    """A run that has ended, with all that a tracker may want to know. Secrets are masked."""

    #: The same each time that a run is sent; letters, digits, ``-`` and ``.``.
    id: str
    #: The run's id in the project, such as ``k3m9x2ab-4``, and that of its sweep.
    run_id: str
    sweep_id: str
    #: ``sweep``, ``run`` or ``session``.
    kind: str
    #: A readable name, such as ``02_train k3m9x2ab-4``.
    name: str
    #: Name of the project's folder.
    project: str
    experiment: str
    #: Path of the notebook, relative to the project; empty for a session without one.
    notebook: str
    parameters: dict[str, Any]
    #: ``succeeded``, ``failed`` or ``cancelled``, with the reason and what went wrong.
    status: str
    reason: str | None
    error: str | None
    #: Seconds since the epoch, and seconds that it took.
    started_at: float
    duration: float | None
    #: All metric values, those of each metric in the order in which they were logged.
    points: tuple[MetricPoint, ...]
    #: Where it comes from: ``git.commit``, ``git.branch``, ``host`` and the like.
    facts: dict[str, str]
    #: Files to keep, such as the executed notebook.
    files: tuple[Path, ...] = ()


class Mirror(Protocol):
    """A tracker, in a process of its own.

    It is made with the folder that it may write to, which is the same each time. Whatever it
    raises is shown as its problem, and the run is sent again later.
    """

    def send(self, run: MirroredRun) -> None:
        """Send a run. One that was sent before is replaced, or stays as it is."""
        ...

    def close(self) -> None:
        """Finish what goes on in the background."""
        ...
