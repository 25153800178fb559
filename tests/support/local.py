"""Local executors without a scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.slots import Slots
from jupyter_mlops.execution.warm.pool import Templates
from tests.support.records import a_machine


def local_executor(
    log: Path, templates: Templates | None = None, variables: Mapping[str, str] | None = None
) -> LocalExecutor:
    """Return an executor that is told what to execute, whatever it has to give."""
    return LocalExecutor(log, Slots(log.parent, "p", machine=a_machine()), templates, variables)
