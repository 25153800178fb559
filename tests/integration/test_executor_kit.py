"""The executors of the package pass the tests that every executor must pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jupyter_mlops.core.executors import Site
from jupyter_mlops.execution.executors.dask.executor import DaskExecutor
from jupyter_mlops.execution.executors.dask.opening import open_executor
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.slots import Slots
from jupyter_mlops.execution.warm.pool import Templates
from jupyter_mlops.testing.executors import ExecutorTests
from tests.support.dask_cluster import Cluster, cluster, until
from tests.support.records import a_machine


class TestLocal(ExecutorTests):
    """This machine."""

    @pytest.fixture
    async def executor(
        self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> AsyncIterator[LocalExecutor]:
        """An executor with warm kernels."""
        (slots := tmp_path / "slots").mkdir()
        short = tmp_path_factory.mktemp("t")
        made = LocalExecutor(
            tmp_path / "runner.log",
            Slots(slots, "p", machine=a_machine(cores=3, gpus=("0", "1"))),
            Templates(short / "w", tmp_path / "templates.log", idle=1),
        )
        await made.prepare()
        yield made
        await made.close()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two nodes, one with two cores and GPUs."""
    with cluster(tmp_path_factory.mktemp("dask") / "cluster", "a") as made:
        made.add("b", threads=2, resources="GPU=2")
        yield made


class TestDask(ExecutorTests):
    """A Dask cluster whose nodes see the project's folder."""

    files = "shared"

    @pytest.fixture
    async def settings(self, nodes: Cluster) -> dict[str, object]:
        """Where the scheduler is, and how nodes get files."""
        return {"address": await asyncio.to_thread(lambda: nodes.address), "files": self.files}

    @pytest.fixture
    async def executor(self, site: Site) -> AsyncIterator[DaskExecutor]:
        """An executor with both nodes."""
        made = open_executor(site)
        await made.prepare()
        await until(lambda: len(list(made.ledger)) == 2)
        yield made
        await made.close()


class TestDaskSent(TestDask):
    """A Dask cluster whose nodes get copies of the project's files."""

    files = "sent"
