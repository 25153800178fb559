"""What a Dask worker does for an attempt that is not executed: its outcome, at once."""

from __future__ import annotations

from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import Status
from jupyter_mlops.execution import wire
from jupyter_mlops.execution.executors.dask.files import Made

DONE = wire.pack(wire.Done(Outcome(status=Status.SUCCEEDED, has_output=False)))


async def execute(*_: object) -> tuple[bytes, list[Made]]:
    """Stand in for `jupyter_mlops.execution.executors.dask.calls.execute`."""
    return DONE, []
