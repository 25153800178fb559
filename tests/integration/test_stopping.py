"""Attempts that are stopped: by a time limit or by somebody, gently at first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from jupyter_mlops.core.executors import CellStarted, KernelStarted, Progress, Stopping
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.processes import is_alive
from tests.support.local import local_executor
from tests.support.tasks import DEAF, a_task, executed


@pytest.fixture
async def executor(tmp_path: Path) -> AsyncIterator[LocalExecutor]:
    """An executor whose processes are gone afterwards."""
    made = local_executor(tmp_path / "runner.log")
    yield made
    await made.close()
    assert not [p for p in psutil.Process().children() if "runner" in " ".join(p.cmdline())]


def _stages(seen: list[Progress]) -> list[str]:
    return [each.stage for each in seen if isinstance(each, Stopping)]


async def test_a_cells_time_limit_is_kept(executor: LocalExecutor, tmp_path: Path) -> None:
    """The attempt fails at that cell, and says which limit it was; an interrupt is enough."""
    wait = "import threading; threading.Event().wait()"
    outcome, seen = await executed(executor, a_task(tmp_path, "x = 1", wait, cell_timeout=2.0))
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.TIMEOUT)
    assert (outcome.error, outcome.failed_cell) == ("Cell 3 took longer than 2 s.", 3)
    assert _stages(seen) == ["interrupt"]


async def test_each_cell_has_the_whole_limit(executor: LocalExecutor, tmp_path: Path) -> None:
    """Cells that together take longer than one may are left alone."""
    nap = "import time; time.sleep(0.8)"
    task = a_task(tmp_path, "x = 1", nap, nap, nap, cell_timeout=2.0)
    outcome, seen = await executed(executor, task)
    assert outcome.status is Status.SUCCEEDED
    assert _stages(seen) == []


@pytest.mark.slow
async def test_a_deaf_kernel_is_terminated_then_killed(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """Each stage is told when it begins, the reason stays the limit, and no kernel is left."""
    task = a_task(tmp_path, "x = 1", DEAF, cell_timeout=1.0)
    outcome, seen = await executed(executor, task)
    assert (outcome.reason, outcome.failed_cell) == (Reason.TIMEOUT, 3)
    assert outcome.error == "Cell 3 took longer than 1 s."
    assert _stages(seen) == ["interrupt", "terminate", "kill"]
    assert outcome.duration < 20
    (kernel,) = (each.process for each in seen if isinstance(each, KernelStarted))
    assert is_alive(kernel) is False


@pytest.mark.slow
async def test_a_cancelled_deaf_kernel_ends_too(executor: LocalExecutor, tmp_path: Path) -> None:
    """Cancelling says at once that it interrupts, and ends what does not listen."""
    seen: list[Progress] = []
    begun = asyncio.Event()

    def report(progress: Progress) -> None:
        seen.append(progress)
        if progress == CellStarted(cell=3):
            begun.set()

    running = asyncio.create_task(executor.execute(a_task(tmp_path, "x = 1", DEAF), report))
    await begun.wait()
    await asyncio.sleep(1)  # until the cell has stopped its ears
    await executor.cancel("s-1.1")
    outcome = await running
    assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
    assert _stages(seen) == ["interrupt", "terminate", "kill"]


async def test_a_kernel_that_still_starts_is_stopped_at_once(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """Nobody waits for a kernel only to end it; no cell is executed."""
    seen: list[Progress] = []
    begun = asyncio.Event()

    def report(progress: Progress) -> None:
        seen.append(progress)
        begun.set()

    running = asyncio.create_task(executor.execute(a_task(tmp_path, "x = 1", DEAF), report))
    await begun.wait()
    assert isinstance(seen[0], KernelStarted)
    await executor.cancel("s-1.1")
    outcome = await running
    assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
    assert CellStarted(cell=3) not in seen
    assert is_alive(seen[0].process) is False


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"cell_timeout": 1.5}, "Cell 3 took longer than 1.5 s."),
        ({"timeout": 6.0}, "It took longer than 6 s."),
    ],
)
async def test_catching_the_interrupt_does_not_help(
    executor: LocalExecutor, tmp_path: Path, changes: dict[str, float], line: str
) -> None:
    """An attempt that exceeded its limit has failed, even if its last cell ends well."""
    catch = "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('caught')"
    outcome, _ = await executed(executor, a_task(tmp_path, "x = 1", catch, **changes))
    assert (outcome.reason, outcome.error, outcome.failed_cell) == (Reason.TIMEOUT, line, 3)


async def test_a_kernel_whose_environment_is_gone_is_named(
    executor: LocalExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run says which program is missing, and which kernels there are; others go on."""
    folder = tmp_path / "kernels" / "old"
    folder.mkdir(parents=True)
    argv = [str(tmp_path / "env" / "bin" / "python"), "-m", "ipykernel_launcher", "-f"]
    spec = {"argv": [*argv, "{connection_file}"], "display_name": "old", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), "utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert "old" in KernelSpecManager().find_kernel_specs()
    outcome, _ = await executed(executor, a_task(tmp_path, "x = 1", kernel="old"))
    assert outcome.reason is Reason.KERNEL_MISSING
    assert outcome.error is not None
    assert (
        f"The kernel old cannot be started: No such file or directory: {argv[0]}" in outcome.error
    )
    assert "Installed kernels: old, python3." in outcome.error
    outcome, _ = await executed(executor, a_task(tmp_path, "x = 1"))
    assert outcome.status is Status.SUCCEEDED
