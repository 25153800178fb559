"""Sweeps of a project on a real Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import ExecutorUnavailable, TooManyResources
from jupyter_mlops.core.runs import Reason, Status
from tests.support import workers
from tests.support.dask_cluster import Cluster, cluster
from tests.support.link import link
from tests.support.workers import submit, wait_for, write


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of two nodes."""
    with cluster(tmp_path / "cluster", "a", "b") as made:
        yield made


@pytest.fixture
def client(tmp_path: Path, nodes: Cluster) -> Iterator[Client]:
    """A client of the worker of a project that uses it."""
    settings = f'cores = 1\nexecutor = "dask"\n[dask]\naddress = "{nodes.address}"\n'
    with workers.worker(workers.make_project(tmp_path / "project", settings)) as made:
        yield made


def test_a_sweep(client: Client) -> None:
    """Runs go to all nodes, and tell where they were, what they logged and printed."""
    write(client, "x = 1", "import jupyter_mlops as mlops; mlops.log(loss=x / 2); print(x)")
    sweep = submit(client, space={"x": "1..6"}, metric="loss")
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 6)
    asked = m.SpaceRequest(notebook="train.ipynb", space={"x": "1..6"})
    sharing = client.call(ops.EXPLAIN, body=asked)
    assert (sharing.runs, sharing.slots, sharing.cores) == (6, 2, 2)
    found = workers.attempts(client, sweep)
    assert {each.executor for each in found} == {"dask"}
    assert {(each.node or "").partition(" on ")[0] for each in found} == {"a", "b"}
    assert [run.metrics["loss"] for run in workers.runs(client, sweep.id)] == [
        0.5,
        1,
        1.5,
        2,
        2.5,
        3,
    ]


def test_a_node_is_killed(client: Client, nodes: Cluster) -> None:
    """What ran there is lost, is told so, and runs again on the node that is left."""
    gate = client.project.root / "gate"
    cell = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)"
    write(client, "x = 1", cell)
    sweep = submit(client, space={"x": "1..2"})
    at_work: set[str | None] = set()
    for event in client.events(0, beat=5):
        if event is not None and event.data.get("cell") == 3:
            at_work.add(event.run_id)
        if len(at_work) == 2:
            break
    (load,) = client.call(ops.STATUS).clusters
    assert (load.name, load.cores_used, load.cores) == ("dask", 2, 2)
    nodes.kill("a")
    gate.touch()
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 2)
    (lost,) = [each for each in workers.attempts(client, sweep) if each.status is Status.FAILED]
    assert lost.reason is Reason.NODE_LOST
    assert "Its node a on" in (lost.error or "")


def test_refused_before_anything_runs(client: Client, nodes: Cluster) -> None:
    """More than any node has, and a cluster that is away, are a line each."""
    write(client, "x = 1")
    with pytest.raises(TooManyResources, match="gpus: 1 were asked for"):
        submit(client, gpus=1)
    nodes.close()
    workers.stop(client.project.root)
    with pytest.raises(ExecutorUnavailable, match="The Dask scheduler does not answer"):
        submit(workers.connect(client.project.root))
    assert workers.connect(client.project.root).call(ops.LIST_SWEEPS, query=m.ListQuery()) == []


def test_the_worker_is_killed(client: Client) -> None:
    """The nodes end what nobody waits for, though no other worker comes; the next runs it again."""
    root = client.project.root
    write(client, "x = 1", workers.WAITS)
    sweep = submit(client, space={"x": "1..2"})
    found = workers.kernels(root, 2)
    workers.kill(client)
    _, left = psutil.wait_procs(found, timeout=60)
    assert not left
    (root / "gate").touch()
    after = workers.connect(root)
    assert wait_for(after, sweep.id).counts.succeeded == 2


def test_the_network_fails(tmp_path: Path, nodes: Cluster) -> None:
    """What the nodes execute ends, and is executed again once they are reached."""
    with link(nodes.address) as made:
        folder = workers.make_project(tmp_path / "away", f'[dask]\naddress = "{made.address}"\n')
        with workers.worker(folder) as client:
            write(client, "x = 1", workers.WAITS)
            sweep = submit(client, space={"x": "1..2"}, executor="dask")
            first = workers.kernels(folder, 2)
            made.cut()
            _, left = psutil.wait_procs(first, timeout=60)
            assert not left
            (folder / "gate").touch()
            assert wait_for(client, sweep.id).counts.succeeded == 2
            found = workers.attempts(client, sweep)
    assert [each.reason for each in found] == [Reason.LOST, None] * 2
    assert {each.error for each in found if each.error} == {
        "The connection to its cluster was lost."
    }


def test_an_executor_that_is_named_no_more(tmp_path: Path) -> None:
    """Runs that wait for it are told of, and wait on."""
    with cluster(tmp_path / "empty") as made:
        folder = workers.make_project(tmp_path / "project", f'[dask]\naddress = "{made.address}"\n')
        with workers.worker(folder) as client:
            write(client, "x = 1")
            sweep = submit(client, executor="dask")
            workers.until(lambda: client.call(ops.STATUS).problem)
            problem = client.call(ops.STATUS).problem or ""
            assert problem == "The Dask cluster has no workers, so runs wait."
            workers.stop(folder)
            (folder / "mlops.toml").write_text("")
            after = workers.connect(folder)
            workers.until(lambda: after.call(ops.STATUS).problem)
            problem = after.call(ops.STATUS).problem or ""
            assert problem.startswith("Runs wait for the executor dask, which mlops.toml no longer")
            assert after.call(ops.GET_SWEEP, sweep_id=sweep.id).counts.queued == 1
