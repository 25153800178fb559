"""Faults of what the scheduler relies on: every run has an outcome, and the queue goes on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from jupyter_mlops.app import tasks
from jupyter_mlops.core.executors import Outcome, Task
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.store import RunFilter
from tests.support.bench import bench


async def test_a_fault_of_the_executor_ends_that_run_only(tmp_path: Path) -> None:
    """The run fails and says what happened; its cores are free for the others."""

    def decide(task: Task) -> Outcome:
        if task.parameters["x"] == 0:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return Outcome(status=Status.SUCCEEDED)

    async with bench(tmp_path, cores=1, decide=decide) as b:
        sweep = b.submit(3)
        assert await b.done(sweep) == {Status.SUCCEEDED: 2, Status.FAILED: 1}
        (failed,) = b.store.history.runs(RunFilter(sweep_id=sweep.id, status=Status.FAILED))
        assert failed.reason is Reason.INTERNAL
        assert failed.error == "BlockingIOError: [Errno 11] Resource temporarily unavailable"


async def test_a_file_that_cannot_be_read_ends_that_run_only(tmp_path: Path) -> None:
    """A broken .env fails the run instead of keeping it for ever."""
    async with bench(tmp_path, cores=1) as b:
        (tmp_path / ".env").write_bytes(b"NAME=\xff\n")
        assert await b.done(b.submit(1)) == {Status.FAILED: 1}
        (tmp_path / ".env").unlink()
        assert await b.done(b.submit(1)) == {Status.SUCCEEDED: 1}


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "No space left on device (/p/runs). Free some space."),
        (errno.EROFS, "Read-only file system (/p/runs). Mend the permissions of its folder."),
    ],
)
def test_an_unwritable_output_says_what_to_do(number: int, line: str) -> None:
    """Space or permissions, and which folder."""
    error = OSError(number, os.strerror(number), "/p/runs")
    assert tasks.why_unwritable(error) == f"The output cannot be written: {line}"
