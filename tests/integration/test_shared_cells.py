"""Shared cells are executed once, before the fork, and all runs have what they made."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from jupyter_mlops.core.executors import KernelStarted, MetricsLogged, Task
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.warm import Source
from jupyter_mlops.execution.warm.pool import Templates
from jupyter_mlops.execution.warm.recipes import Need
from tests.support.local import local_executor
from tests.support.tasks import a_task, executed

Open = Callable[..., contextlib.AbstractAsyncContextManager[LocalExecutor]]


@pytest.fixture
def opened(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Opens an executor with templates."""

    @contextlib.asynccontextmanager
    async def open_executor() -> AsyncIterator[LocalExecutor]:
        folder = tmp_path_factory.mktemp("t")
        made = local_executor(
            tmp_path / "runner.log", Templates(folder / "w", folder / "log", idle=1)
        )
        yield made
        await made.close()

    return open_executor


def cells_of(task: Task) -> list[Any]:
    """The code cells of the output notebook, without the injected one."""
    nb = nbformat.read(task.output, as_version=4)
    nbformat.validate(nb)
    return [
        cell
        for cell in nb.cells
        if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", [])
    ]


def text(cell: Any) -> str:
    """What a cell printed."""
    return "".join(output.get("text", "") for output in cell.outputs)


async def start_of(executor: LocalExecutor, task: Task) -> str:
    """Execute a task, which must succeed; return how its kernel was started."""
    outcome, seen = await executed(executor, task)
    assert outcome.status is Status.SUCCEEDED, outcome
    (start,) = (each.start for each in seen if isinstance(each, KernelStarted))
    return start


async def test_once_for_all_runs(opened: Open, tmp_path: Path) -> None:
    """The cell runs once; every run has its names and its outputs, and changes only its own."""
    cells = (
        "x = 1",
        (
            "with open('count', 'a') as file: print('loaded', file=file)\n"
            "data = list(range(5)); print('loading')\n"
            "def total(): return sum(data)\n"
            "class Row: pass\n"
            "data"
        ),
        (
            "data.append(x); import pickle\n"
            "print(total(), pickle.loads(pickle.dumps(Row())).__class__.__name__, In[1][:4])"
        ),
    )
    async with opened() as executor:
        for index, x in enumerate((10, 20), start=1):
            task = a_task(
                tmp_path,
                *cells,
                attempt_id=f"s-{index}.1",
                parameters={"x": x},
                shared=(1,),
                output=tmp_path / f"{index}.ipynb",
            )
            assert await start_of(executor, task) == "warm"
            _, shared, last = cells_of(task)
            assert text(shared) == "loading\n"
            assert shared.outputs[-1]["data"]["text/plain"] == "[0, 1, 2, 3, 4]"
            assert shared.metadata["mlops"] == {"shared": 1}
            assert shared.metadata["papermill"]["status"] == "completed"
            assert text(last) == f"{10 + x} Row with\n"
            assert [cell.execution_count for cell in cells_of(task)] == [2, 1, 4]
    assert (tmp_path / "count").read_text() == "loaded\n"


async def test_another_sweep_runs_them_again(opened: Open, tmp_path: Path) -> None:
    """What the cells read may have changed between two sweeps."""
    cells = ("x = 1", "print('ran', file=open('count', 'a'))")
    async with opened() as executor:
        for sweep in ("s", "t"):
            task = a_task(tmp_path, *cells, attempt_id=f"{sweep}-1.1", shared=(1,))
            assert await start_of(executor, task) == "warm"
    assert (tmp_path / "count").read_text() == "ran\n" * 2


async def test_plots_and_metrics(opened: Open, tmp_path: Path) -> None:
    """Plots appear in shared cells and after them, and what was logged counts for each run."""
    task = a_task(
        tmp_path,
        "x = 1",
        "import matplotlib.pyplot as plt, jupyter_mlops as mlops\n"
        "mlops.log(rows=5); plt.plot([1, 2]); plt.show()",
        "plt.plot([2, 1]);",
        shared=(1,),
    )
    async with opened() as executor:
        outcome, seen = await executed(executor, task)
    assert outcome.status is Status.SUCCEEDED
    _, shared, later = cells_of(task)
    for cell in (shared, later):
        assert any("image/png" in output.get("data", {}) for output in cell.outputs), cell
    points = [point for each in seen if isinstance(each, MetricsLogged) for point in each.points]
    assert [(point.key, point.value) for point in points] == [("rows", 5.0)]


async def test_logging_goes_on(opened: Open, tmp_path: Path) -> None:
    """A log handler that a shared cell has made writes into the cells that follow."""
    task = a_task(
        tmp_path,
        "x = 1",
        "import logging; logging.basicConfig(force=True); logging.warning('first')",
        "logging.warning('second')",
        shared=(1,),
    )
    async with opened() as executor:
        await start_of(executor, task)
    _, shared, later = cells_of(task)
    assert (text(shared), text(later)) == ("WARNING:root:first\n", "WARNING:root:second\n")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "ZeroDivisionError in a shared cell"),
        ("import random; r = random.Random()", "Random() has no seed"),
        (
            "import threading; t = threading.Thread(target=threading.Event().wait); t.start()",
            "threads run",
        ),
        ("import zmq; context = zmq.Context()", "a ZeroMQ context is open"),
    ],
)
async def test_what_cannot_be_shared(opened: Open, tmp_path: Path, code: str, reason: str) -> None:
    """Each run then executes the cell itself, and says why."""
    task = a_task(tmp_path, "x = 1", f"try:\n    y = 1\nfinally:\n    pass\n{code}", shared=(1,))
    async with opened() as executor:
        outcome, seen = await executed(executor, task)
    (start,) = (each.start for each in seen if isinstance(each, KernelStarted))
    assert start.startswith("warm (nothing is shared: ")
    assert reason in start
    assert "mlops" not in cells_of(task)[1].metadata
    assert outcome.reason is (Reason.ERROR if "1 / 0" in code else None)


class Killed(Templates):
    """Templates that are killed as soon as they have been found."""

    @contextlib.asynccontextmanager
    async def serving(self, need: Need) -> AsyncIterator[Source]:
        """Yield one that is gone, though what its shared cells put out is not."""
        async with super().serving(need) as source:
            assert source.shared is not None
            results = need.cwd / "results.json"
            results.write_bytes(source.shared.read_bytes())
            for pid in self.pids():
                template = psutil.Process(pid)
                template.kill()
                template.wait()
            yield dataclasses.replace(source, shared=results)


async def test_a_template_that_has_gone_shares_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A kernel that had to be started cold has not got what the cells made, and executes them."""
    folder = tmp_path_factory.mktemp("t")
    templates = Killed(folder / "w", folder / "log", idle=1)
    executor = local_executor(tmp_path / "runner.log", templates)
    task = a_task(tmp_path, "x = 1", "y = 2; print('here')", "print(x + y)", shared=(1,))
    try:
        assert (await start_of(executor, task)).startswith("cold (its template does not answer")
    finally:
        await executor.close()
    assert [text(cell) for cell in cells_of(task)] == ["", "here\n", "4\n"]


async def test_random_numbers(opened: Open, tmp_path: Path) -> None:
    """Numbers drawn after a seed in a shared cell are those that every run would draw."""
    draw = "import random, numpy as np; print(random.random(), np.random.rand())"
    seed = "import random, numpy as np; random.seed(3); np.random.seed(3)"
    printed = []
    async with opened() as executor:
        for shared, first in (((1,), seed), ((), seed), ((1,), "y = 1"), ((1,), "y = 1")):
            task = a_task(tmp_path, "x = 1", first, draw, shared=shared)
            await start_of(executor, task)
            printed.append(text(cells_of(task)[2]))
    assert printed[0] == printed[1]
    assert len(set(printed[1:])) == 3


async def test_cancelled_while_they_run(opened: Open, tmp_path: Path) -> None:
    """An attempt that waits for shared cells can be cancelled, and so the cells are."""
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    task = a_task(
        tmp_path,
        "x = 1",
        f"import threading\nopen({os.fspath(begun)!r}, 'w').close()\nthreading.Event().wait()",
        shared=(1,),
    )
    async with opened() as executor:
        running = asyncio.create_task(executor.execute(task, [].append))
        await asyncio.to_thread(begun.read_bytes)
        await executor.cancel(task.attempt_id)
        outcome = await asyncio.wait_for(running, 30)
        assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
