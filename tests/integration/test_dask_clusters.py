"""Clusters that are made for a project, that grow and shrink, and that ask for certificates."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from distributed import Security

from jupyter_mlops.core.exceptions import ExecutorUnavailable, InvalidInput
from jupyter_mlops.core.resources import Capacity, Hold, Request, Shortage
from jupyter_mlops.core.runs import Status
from jupyter_mlops.execution.executors.dask import clusters
from jupyter_mlops.execution.executors.dask.opening import open_executor
from tests.support.dask_cluster import cluster, opened, site, until
from tests.support.tasks import a_task

#: A cluster in processes of their own, each with one thread.
LOCAL = {
    "cluster": "distributed.LocalCluster",
    "arguments": {
        "n_workers": 0,
        "threads_per_worker": 1,
        "dashboard_address": ":0",
        "memory_limit": "1GB",
    },
}


async def test_made_and_ended(tmp_path: Path) -> None:
    """It has the workers that were asked for, executes, and is gone with its executor."""
    async with opened(tmp_path, {**LOCAL, "workers": 2}) as executor:
        await executor.prepare()
        await until(lambda: len(list(executor.ledger)) == 2)
        assert executor.ledger.largest == Capacity(cores=1, memory=1_000_000_000)
        assert executor.state().runs_on == "distributed.LocalCluster"
        hold = executor.ledger.acquire(Request(cpus=1))
        assert isinstance(hold, Hold)
        task = a_task(tmp_path, "x = 1", "print(x)", environment={}, node=hold.node)
        outcome = await executor.execute(task, lambda _: None)
        assert outcome.status is Status.SUCCEEDED


async def test_grows_and_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers come for what waits, as many as are allowed, and go when nothing does."""
    monkeypatch.setattr(clusters, "_IDLE_LOOKS", 2)
    async with opened(tmp_path, {**LOCAL, "maximum": 2}) as executor:
        await executor.prepare()
        ledger = executor.ledger
        assert (list(ledger), ledger.largest, ledger.full) == ([], None, False)
        request = Request(cpus=1)
        assert ledger.acquire(request) is Shortage.CORES
        ledger.expect("queue", request, 3)
        await until(lambda: len(list(ledger)) == 2)
        holds = [ledger.acquire(request) for _ in range(3)]
        assert holds[2] is Shortage.CORES
        ledger.expect("queue", None, 0)
        for each in holds[:2]:
            assert isinstance(each, Hold)
            ledger.release(each)
        await until(lambda: not list(ledger))


async def test_certificates(tmp_path: Path) -> None:
    """Over TLS attempts run as they do without; without our certificate nobody gets in."""
    temporary = Security.temporary()
    files = {}
    for name, text in (
        ("ca", temporary.tls_ca_file),
        ("cert", temporary.tls_client_cert),
        ("key", temporary.tls_client_key),
    ):
        files[f"tls_{name}"] = tmp_path / f"{name}.pem"
        files[f"tls_{name}"].write_text(text, "ascii")
    options = [
        option for name, path in files.items() for option in (f"--{name.replace('_', '-')}", path)
    ]
    named = {name: str(path) for name, path in files.items()}
    options[0] = "--tls-ca-file"
    with cluster(tmp_path / "cluster", "a", tls=tuple(map(str, options))) as made:
        address = await asyncio.to_thread(lambda: made.address)
        assert address.startswith("tls://")
        async with opened(tmp_path, {"address": address, **named}) as executor:
            await executor.prepare()
            await until(lambda: len(list(executor.ledger)) == 1)
        async with opened(tmp_path, {"address": address}) as executor:
            with pytest.raises(ExecutorUnavailable, match="The Dask scheduler does not answer"):
                await executor.prepare()


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({}, "either the address of a scheduler, or the class"),
        ({"address": "tcp://a:1", "cluster": "a.B"}, "either the address"),
        ({"address": "tcp://a:1", "workers": 2}, "belong to a cluster that is made"),
        ({"cluster": "a.B", "minimum": 3, "maximum": 2}, "maximum is less than minimum"),
        ({"cluster": "a.B", "workers": 3, "maximum": 3}, "either workers, or minimum"),
        ({"address": "tcp://a:1", "max_sent": "much"}, "much is no size"),
        ({"adress": "tcp://a:1"}, "adress"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, table: dict[str, Any], line: str) -> None:
    """Each is told in a line."""
    with pytest.raises(InvalidInput, match=line):
        open_executor(site(tmp_path, table))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"cluster": "nowhere.Cluster"}, "there is no class nowhere.Cluster"),
        ({"cluster": "distributed.NoCluster"}, "there is no class distributed.NoCluster"),
        (
            {"cluster": "distributed.SpecCluster", "arguments": {"size": 3}},
            "distributed.SpecCluster cannot be made: .* argument 'size'",
        ),
        ({"address": "nothing"}, "The Dask scheduler does not answer"),
    ],
)
async def test_clusters_that_cannot_be(tmp_path: Path, table: dict[str, Any], line: str) -> None:
    """Whoever submits is told so in a line."""
    async with opened(tmp_path, table) as executor:
        with pytest.raises(ExecutorUnavailable, match=line):
            await executor.prepare()
        assert "What waits for it goes on once it answers." in (executor.problem or "")
