"""What the scheduler knows of an attempt under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.resources import Hold
from ..core.runs import Attempt, Sweep
from ..store import Step


@dataclass(slots=True)
class Active:
    """An attempt under way."""

    attempt: Attempt
    sweep: Sweep
    #: What it holds; no cores while it waits for runs of its own, None when it has ended.
    hold: Hold | None
    #: What is not written yet of its progress, when it has ended.
    step: Step | None = None
    #: Whether its outcome is in the store.
    recorded: bool = False
    #: Number of connections by which it waits.
    waits: int = 0
    #: Why it is being stopped before its end, in one line; None if it is not.
    pruned: str | None = None
    #: The variables of its kernel.
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
