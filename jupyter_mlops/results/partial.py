"""Notebooks of runs that have not ended yet."""

from __future__ import annotations

import os
import shlex

from ..core.exceptions import InvalidInput
from ..reports import Report
from .base import Message
from .runs import RunResult, SweepResult


def written(result: RunResult | SweepResult) -> Message:
    """Write a run's notebook as far as it has come, and say where. Raises `InvalidInput`."""
    if isinstance(result, SweepResult):
        raise InvalidInput(f"--notebook takes one run, such as {result.id}-1.")
    path = os.path.relpath(result.write_notebook())
    state = "" if result.view.status.finished else ", as far as the run has come"
    hints = (("Open it", f"jupyter lab {shlex.quote(path)}"),)
    return Message(
        Report(headline=f"{path}{state}", hints=hints), {"id": result.id, "notebook": path}
    )
