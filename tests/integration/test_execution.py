"""The local executor on real kernels: outcomes, progress, output notebooks, cancelling."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from jupyter_mlops.core.executors import (
    CellFinished,
    CellStarted,
    KernelStarted,
    MetricsLogged,
    Outcome,
    OutputTail,
    Progress,
    Task,
)
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.execution import results
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.processes import end, identify, is_alive
from tests.support.local import local_executor
from tests.support.notebooks import write_notebook


@pytest.fixture
async def executor(tmp_path: Path) -> AsyncIterator[LocalExecutor]:
    """An executor whose processes are gone afterwards."""
    made = local_executor(tmp_path / "runner.log")
    yield made
    await made.close()
    assert not [p for p in psutil.Process().children() if "runner" in " ".join(p.cmdline())]


def _a_task(folder: Path, *cells: str, **changes: Any) -> Task:
    snapshot = folder / "train.ipynb"
    write_notebook(snapshot, *cells)
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


async def _execute(executor: LocalExecutor, task: Task) -> tuple[Outcome, list[Progress]]:
    seen: list[Progress] = []
    return await executor.execute(task, seen.append), seen


def _outputs(path: Path) -> list[str]:
    """The text that each code cell printed."""
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    return ["".join(o.get("text", "") for o in cell.outputs) for cell in code]


async def test_a_notebook_is_executed_with_its_parameters(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """Types survive, the folder is the notebook's, progress comes cell by cell."""
    folder = tmp_path / "a {b}"
    folder.mkdir()
    task = _a_task(folder, "x = 1", "import os; print(repr(x), os.getcwd())")
    outcome, seen = await _execute(executor, task)
    assert outcome.status is Status.SUCCEEDED
    assert _outputs(task.output)[2] == f"2 {folder}\n"
    kinds = [type(each) for each in seen]
    cells = [CellStarted, CellFinished]
    assert [kind for kind in kinds if kind is not OutputTail] == [KernelStarted, *cells * 3]
    assert isinstance(seen[0], KernelStarted)
    assert seen[0].cells == 3
    seconds = tuple(each.seconds for each in seen if isinstance(each, CellFinished))
    assert all(
        a == pytest.approx(b, abs=0.1) for a, b in zip(seconds, outcome.cell_times, strict=True)
    )
    assert is_alive(seen[0].process) is False
    left = results.read(task.result)
    assert left is not None
    assert left.outcome == outcome


async def test_papermill_metadata_is_kept(executor: LocalExecutor, tmp_path: Path) -> None:
    """Tools that read papermill's output read ours, and it is strict JSON although NaN occurs."""
    task = _a_task(tmp_path, "x = 1", "print(x)", parameters={"x": float("nan")})
    await _execute(executor, task)
    text = task.output.read_text("utf-8")
    assert "NaN" not in text
    metadata = json.loads(text)["metadata"]["papermill"]
    assert metadata["parameters"] == {"x": {"$float": "nan"}}
    assert metadata["input_path"] == "train.ipynb"
    assert metadata["exception"] is None
    assert _outputs(task.output)[2] == "nan\n"


async def test_a_secret_does_not_reach_the_file(executor: LocalExecutor, tmp_path: Path) -> None:
    """The kernel gets the value, the output notebook a mask."""
    task = _a_task(
        tmp_path,
        "api_key = ''",
        "print(len(api_key))",
        parameters={"api_key": "hunter2hunter2"},
        secrets=frozenset({"api_key"}),
    )
    await _execute(executor, task)
    assert _outputs(task.output)[2] == "14\n"
    assert "hunter2" not in task.output.read_text("utf-8")


async def test_a_failing_cell_ends_the_run(executor: LocalExecutor, tmp_path: Path) -> None:
    """The outcome names cell and exception; the cells behind it are not marked as executed."""
    task = _a_task(tmp_path, "x = 1", "raise ValueError('bad lr\\nmore')", "print('never')")
    outcome, _ = await _execute(executor, task)
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.ERROR)
    assert (outcome.error, outcome.failed_cell) == ("ValueError: bad lr", 3)
    nb = nbformat.read(task.output, as_version=4)
    states = [c.metadata.papermill["status"] for c in nb.cells if "papermill" in c.metadata]
    assert states[-2:] == ["failed", "pending"]


async def test_a_dead_kernel_is_told_from_an_error(executor: LocalExecutor, tmp_path: Path) -> None:
    """The cell that killed it is named, the next attempt has a fresh kernel."""
    task = _a_task(tmp_path, "x = 1", "import os; os._exit(1)", "print('never')")
    outcome, _ = await _execute(executor, task)
    assert (outcome.reason, outcome.failed_cell) == (Reason.KERNEL_DIED, 3)
    outcome, _ = await _execute(executor, _a_task(tmp_path, "x = 1", "print(x)"))
    assert outcome.status is Status.SUCCEEDED


async def test_metrics_leave_the_notebook_as_messages(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """Points are reported and taken out of the output, which keeps the last values."""
    display = (
        "from IPython.display import publish_display_data\n"
        "points = [{'key': 'auc', 'value': 0.5, 'step': 1, 'time': 2.0},\n"
        "          {'key': 'auc', 'value': {'$float': 'inf'}, 'step': 2, 'time': 3.0}, 'junk']\n"
        "publish_display_data({'application/vnd.jupyter-mlops.metrics.v1+json':\n"
        "    {'points': points, 'last': {'auc': {'value': 0.5, 'step': 2}}}})"
    )
    task = _a_task(tmp_path, "x = 1", display)
    _, seen = await _execute(executor, task)
    points = [p for each in seen if isinstance(each, MetricsLogged) for p in each.points]
    assert [(p.key, p.value, p.step, p.time) for p in points] == [
        ("auc", 0.5, 1, 2.0),
        ("auc", float("inf"), 2, 3.0),
    ]
    (output,) = nbformat.read(task.output, as_version=4).cells[-1].outputs
    (payload,) = output.data.values()
    assert payload == {"last": {"auc": {"value": 0.5, "step": 2}}}


async def test_a_time_limit_is_kept(executor: LocalExecutor, tmp_path: Path) -> None:
    """The kernel is interrupted, and the outcome says why."""
    task = _a_task(tmp_path, "x = 1", "import threading; threading.Event().wait()", timeout=3.0)
    outcome, _ = await _execute(executor, task)
    assert (outcome.reason, outcome.error) == (Reason.TIMEOUT, "It took longer than 3 s.")


async def test_cancel_interrupts_and_takes_children_along(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """A cancelled attempt leaves no process, even one in a session of its own."""
    task = _a_task(
        tmp_path,
        "x = 1",
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'],\n"
        "    start_new_session=True)\n"
        "pathlib.Path('child').write_text(str(child.pid))",
        "child.wait()",
    )
    third = asyncio.Event()

    def report(progress: Progress) -> None:
        if progress == CellStarted(cell=4):
            third.set()

    running = asyncio.create_task(executor.execute(task, report))
    await third.wait()
    child = identify(int((tmp_path / "child").read_text()))
    await executor.cancel("s-1.1")
    outcome = await running
    assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
    assert is_alive(child) is False


async def test_cancel_before_there_is_a_runner(executor: LocalExecutor, tmp_path: Path) -> None:
    """An attempt that is cancelled while its runner still starts executes no cell."""
    task = _a_task(tmp_path, "x = 1", "import threading; threading.Event().wait()")
    running = asyncio.create_task(executor.execute(task, lambda _: None))
    await asyncio.sleep(0)
    await executor.cancel("s-1.1")
    outcome = await running
    assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)


async def test_a_killed_runner_means_lost(executor: LocalExecutor, tmp_path: Path) -> None:
    """If the process that executes goes away, the attempt is lost and its kernel is ended."""
    kernels: list[KernelStarted] = []
    task = _a_task(tmp_path, "x = 1", "import threading; threading.Event().wait()")

    def report(progress: Progress) -> None:
        if isinstance(progress, KernelStarted):
            kernels.append(progress)
            psutil.Process(progress.process.pid).parent().kill()

    outcome = await executor.execute(task, report)
    assert outcome.reason is Reason.LOST
    assert is_alive(kernels[0].process) is False


async def test_a_missing_kernel_is_named(executor: LocalExecutor, tmp_path: Path) -> None:
    """A kernel that was removed after submission fails that run only."""
    outcome, _ = await _execute(executor, _a_task(tmp_path, "x = 1", kernel="gone"))
    assert outcome.reason is Reason.KERNEL_MISSING
    assert outcome.error == "The kernel gone is no longer installed (installed: python3)."


async def test_a_full_disk_fails_the_run_in_one_line(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """Nothing half-written is left behind."""
    task = _a_task(tmp_path, "x = 1", output=Path("/dev/full/out.ipynb"))
    outcome, _ = await _execute(executor, task)
    assert (outcome.reason, outcome.has_output) == (Reason.DISK_FULL, False)
    assert outcome.error is not None
    assert "\n" not in outcome.error


def test_a_reused_pid_is_another_process() -> None:
    """A process is known by boot, pid and start, so that a stranger is never ended."""
    me = identify(os.getpid())
    assert is_alive(me) is True
    import dataclasses

    stranger = dataclasses.replace(me, started=me.started - 100)
    assert is_alive(stranger) is False
    end([stranger, dataclasses.replace(me, boot_id="other")])
    assert is_alive(dataclasses.replace(me, host="elsewhere")) is None
