"""Tasks for executors, and what comes of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_mlops.core.executors import Outcome, Progress, Task
from jupyter_mlops.execution.executors.local import LocalExecutor
from tests.support.notebooks import write_notebook

#: A cell that interrupts and polite requests to end do not reach.
DEAF = (
    "import signal, time\n"
    "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
    "while True: time.sleep(0.1)"
)


def a_task(folder: Path, *cells: str, **changes: Any) -> Task:
    """Write a notebook and make a task of it, with what a test does not care about filled in."""
    snapshot = write_notebook(folder / "train.ipynb", *cells)
    values: dict[str, Any] = {
        "attempt_id": "s-1.1",
        "source": "train.ipynb",
        "snapshot": snapshot,
        "output": folder / "out.ipynb",
        "result": folder / "result.json",
        "log": folder / "kernel.log",
        "cwd": folder,
        "parameters": {"x": 2},
        "kernel": "python3",
        "language": "python",
        "secrets": frozenset(),
        "environment": dict(os.environ),
        "cpus": 1,
        "memory": None,
        "gpus": 0,
        "timeout": None,
        **changes,
    }
    return Task(**values)


async def executed(executor: LocalExecutor, task: Task) -> tuple[Outcome, list[Progress]]:
    """Execute a task; return its outcome and all the progress."""
    seen: list[Progress] = []
    return await executor.execute(task, seen.append), seen
