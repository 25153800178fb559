"""Clusters of a real dask-gateway, which scale otherwise than Dask's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.core.exceptions import ExecutorUnavailable
from jupyter_mlops.core.resources import Hold, Request
from jupyter_mlops.core.runs import Status
from jupyter_mlops.execution.executors.dask import clusters
from jupyter_mlops.execution.executors.dask.executor import DaskExecutor
from tests.support.dask_cluster import opened, until
from tests.support.gateway import Gateway, gateway
from tests.support.tasks import a_task

pytest.importorskip("dask_gateway_server", reason="dask-gateway-server is built for Linux alone")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway, which asks for a name and takes any password."""
    with gateway(tmp_path_factory.mktemp("gateway") / "files") as made:
        yield made


def table(address: str, **changes: object) -> dict[str, object]:
    """Return the settings of a project that has its clusters from there."""
    arguments = {"address": address, "auth": "basic", **changes}
    return {"cluster": "dask_gateway.GatewayCluster", "maximum": 2, "arguments": arguments}


async def executes(executor: DaskExecutor, folder: Path) -> None:
    """Wait for both workers, and execute something on one."""
    ledger, request = executor.ledger, Request(cpus=1)
    ledger.expect("queue", request, 3)
    await until(lambda: len(list(ledger)) == 2)
    hold = ledger.acquire(request)
    assert isinstance(hold, Hold)
    task = a_task(folder, "x = 1", "print(x)", environment={}, node=hold.node)
    outcome = await executor.execute(task, lambda _: None)
    assert outcome.status is Status.SUCCEEDED
    ledger.release(hold)
    ledger.expect("queue", None, 0)


async def test_grows_shrinks_and_is_made_anew(
    tmp_path: Path, site: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers come for what waits and go when nothing does, also after the scheduler has ended."""
    monkeypatch.setattr(clusters, "_IDLE_LOOKS", 2)
    async with opened(tmp_path, table(site.address)) as executor:
        await executor.prepare()
        await executes(executor, tmp_path)
        await until(lambda: not list(executor.ledger))
        (scheduler,) = site.schedulers()
        scheduler.kill()
        await until(lambda: executor.problem is not None)
        await until(lambda: executor.problem is None)
        await executes(executor, tmp_path)
    await until(lambda: not site.schedulers())


async def test_it_refuses(tmp_path: Path, site: Gateway) -> None:
    """What a gateway says is told in a line."""
    async with opened(tmp_path, table(site.address, worker_cores=5)) as executor:
        with pytest.raises(ExecutorUnavailable, match="GatewayCluster cannot be made: "):
            await executor.prepare()
