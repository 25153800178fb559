"""Attempts on a real Dask cluster: placed, told of, stopped, lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.core.exceptions import ExecutorUnavailable
from jupyter_mlops.core.executors import CellStarted, KernelStarted, Outcome, Progress, Site, Task
from jupyter_mlops.core.resources import Hold, Request
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.execution.executors.dask import fitness
from jupyter_mlops.execution.executors.dask.executor import DaskExecutor
from jupyter_mlops.execution.executors.dask.opening import open_executor
from tests.support.dask_cluster import Cluster, cluster, until
from tests.support.tasks import DEAF, a_task

SLEEP = "import time; time.sleep(600)"


def connect(address: str, here: Path) -> DaskExecutor:
    """Return the executor of a project whose settings name that scheduler."""
    table = {"address": address}
    return open_executor(
        Site(project="test", root=here, state=here, settings=table, warm=True, preload=(), mark={})
    )


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two nodes."""
    with cluster(tmp_path_factory.mktemp("dask") / "cluster", "a", "b") as made:
        yield made


@pytest.fixture
async def executor(nodes: Cluster, tmp_path: Path) -> AsyncIterator[DaskExecutor]:
    """An executor that is connected to it."""
    address = await asyncio.to_thread(lambda: nodes.address)
    made = connect(address, tmp_path)
    await made.prepare()
    await until(lambda: len(list(made.ledger)) == 2)
    yield made
    await made.close()


async def run(executor: DaskExecutor, task: Task, seen: list[Progress]) -> Outcome:
    """Execute a task on whichever node has room."""
    hold = executor.ledger.acquire(Request(cpus=1))
    assert isinstance(hold, Hold)
    try:
        return await executor.execute(replace(task, node=hold.node), seen.append)
    finally:
        executor.ledger.release(hold)


async def test_executes(executor: DaskExecutor, tmp_path: Path) -> None:
    """An attempt runs on a node, tells of its cells while it runs, and writes its notebook."""
    seen: list[Progress] = []
    task = a_task(tmp_path, "x = 1", "import os; print(x, os.getpid())", environment={})
    outcome = await run(executor, task, seen)
    assert (outcome.status, outcome.error) == (Status.SUCCEEDED, None)
    (started,) = [each for each in seen if isinstance(each, KernelStarted)]
    assert started.cells == 3
    assert [each.cell for each in seen if isinstance(each, CellStarted)] == [1, 2, 3]
    cells = nbformat.read(task.output, as_version=4).cells
    assert cells[-1].outputs[0].text.startswith("2 ")


async def test_cancels_at_once(executor: DaskExecutor, tmp_path: Path) -> None:
    """A deaf kernel is gone when the outcome is there."""
    seen: list[Progress] = []
    task = a_task(tmp_path, "x = 1", DEAF, attempt_id="s-1.2", environment={})
    running = asyncio.create_task(run(executor, task, seen))
    await until(lambda: CellStarted(cell=3) in seen)
    await executor.cancel(task.attempt_id)
    outcome = await running
    assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)


async def test_a_node_that_is_lost(executor: DaskExecutor, nodes: Cluster, tmp_path: Path) -> None:
    """Its attempt is lost, the other node goes on, and a new one is taken in."""
    nodes.add("c")
    await until(lambda: len(list(executor.ledger)) == 3)
    seen: list[Progress] = []
    holds = [executor.ledger.acquire(Request(cpus=1)) for _ in range(3)]
    (c,) = [
        each
        for each in holds
        if isinstance(each, Hold)
        and (node := executor.ledger.get(each.node)) is not None
        and node.name.startswith("c on ")
    ]
    task = a_task(tmp_path, "x = 1", SLEEP, attempt_id="s-1.3", environment={}, node=c.node)
    running = asyncio.create_task(executor.execute(task, seen.append))
    await until(lambda: CellStarted(cell=3) in seen)
    await asyncio.to_thread(nodes.kill, "c")
    outcome = await running
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.NODE_LOST)
    assert len(list(executor.ledger)) == 2
    for each in holds:
        assert isinstance(each, Hold)
        executor.ledger.release(each)


async def test_nobody_answers(tmp_path: Path) -> None:
    """A wrong address is a line, and so is what was asked of it."""
    made = connect("tcp://127.0.0.1:9", tmp_path)
    with pytest.raises(ExecutorUnavailable, match="The Dask scheduler does not answer"):
        await made.prepare()
    await made.close()


async def test_workers_without_our_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told of in a line before anything is placed, and never used."""
    monkeypatch.setattr(fitness.metadata, "version", lambda _: "0.1")
    with cluster(tmp_path / "cluster", "a") as made:
        address = await asyncio.to_thread(lambda: made.address)
        executor = connect(address, tmp_path)
        with contextlib.suppress(ExecutorUnavailable):
            await executor.prepare()
        await until(lambda: bool(executor.state().unused))
        with pytest.raises(ExecutorUnavailable, match="it has jupyter-mlops"):
            await executor.prepare()
        assert not list(executor.ledger)
        await executor.close()
