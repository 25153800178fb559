"""Where runs go: what a project tells of its executors, and of a cluster that goes away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.runs import Reason, Status
from tests.support import workers
from tests.support.dask_cluster import Cluster, cluster
from tests.support.workers import submit, wait_for, write


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of two nodes."""
    with cluster(tmp_path / "cluster", "a", "b", dashboard=True) as made:
        yield made


@pytest.fixture
def client(tmp_path: Path, nodes: Cluster) -> Iterator[Client]:
    """A client of the worker of a project that uses it."""
    settings = (
        f'executor = "dask"\n[dask]\naddress = "{nodes.address}"\n[executors.moon]\nphase = 3\n'
    )
    with workers.worker(workers.make_project(tmp_path / "project", settings)) as made:
        yield made


def listed(client: Client) -> dict[str, m.ExecutorView]:
    """Return what the worker tells of its executors, by name."""
    return {each.name: each for each in client.call(ops.LIST_EXECUTORS)}


def test_what_there_is(client: Client, nodes: Cluster) -> None:
    """All that the settings name are told, with their nodes as soon as something was sent there."""
    found = listed(client)
    assert list(found) == ["local", "dask", "moon"]
    here, dask, moon = found.values()
    assert (here.runs_on, here.default, here.remote, here.problem) == (
        "this machine",
        False,
        False,
        None,
    )
    assert (dask.runs_on, dask.default, dask.remote) == (nodes.address, True, True)
    assert (dask.connected, dask.nodes, dask.problem, dask.dashboard) == (False, [], None, None)
    assert (moon.runs_on, moon.remote) == (None, True)
    assert (moon.problem or "").startswith("There is no executor moon among the installed packages")
    assert client.call(ops.STATUS).problem is None

    gate = client.project.root / "gate"
    write(client, f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)")
    sweep = submit(client, cpus=1)
    workers.until(lambda: any(each.running for each in listed(client)["dask"].nodes))
    dask = listed(client)["dask"]
    assert dask.connected
    assert (dask.dashboard or "").startswith("http://127.0.0.1:")
    names = [each.name.partition(" on ")[0] for each in dask.nodes]
    assert names == ["a", "b"]
    assert sorted((each.cores, each.cores_free, each.running) for each in dask.nodes) == [
        (1, 0, 1),
        (1, 1, 0),
    ]
    assert {each.memory for each in dask.nodes} == {2_000_000_000}
    nodes.kill("b")
    workers.until(lambda: len(listed(client)["dask"].nodes) == 1)
    gate.touch()
    assert wait_for(client, sweep.id).status is Status.SUCCEEDED


def test_the_form_counts_by_the_cluster(client: Client, nodes: Cluster) -> None:
    """How long runs take, and what they may ask for, is told of where they go."""
    write(client, "x = 1")
    space = {"x": "1..4"}

    def preview(executor: str | None, **more: int) -> m.PreviewView:
        body = m.SpaceRequest(notebook="train.ipynb", space=space, executor=executor, **more)
        return client.call(ops.PREVIEW, body=body)

    many = client.call(ops.STATUS).cores + 1
    assert preview(None).cores is None
    assert "cpus" in preview("local", cpus=many).errors
    assert preview("dask", cpus=many).errors == {}
    wait_for(client, submit(client, space=space).id)
    known = preview(None)
    assert (known.cores, known.count, known.errors) == (2, 4, {})
    assert known.seconds is not None
    assert preview("local").cores == client.call(ops.STATUS).cores
    assert "the cluster grants 1" in preview(None, cpus=many).errors["cpus"]
    gone = preview("moon")
    assert gone.count is None
    assert "moon" in gone.errors["executor"]
    assert "There is no executor sun" in preview("sun").errors["executor"]


def test_the_scheduler_goes_away(client: Client, nodes: Cluster) -> None:
    """What waits is told within seconds and goes on once the scheduler is back; nothing is lost."""
    gate = client.project.root / "gate"
    cell = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)"
    write(client, "x = 1", cell)
    sweep = submit(client, space={"x": "1..3"})
    workers.started(client, sweep.id, 3)
    nodes.kill("scheduler")
    problem = workers.until(lambda: client.call(ops.STATUS).problem, seconds=15)
    assert "The connection to the Dask scheduler was lost." in problem
    assert "goes on once it answers" in problem
    dask = listed(client)["dask"]
    assert (dask.connected, dask.nodes, dask.problem) == (False, [], problem)
    workers.until(lambda: "does not answer" in (client.call(ops.STATUS).problem or ""), seconds=30)
    nodes.start_again()
    nodes.add("c")
    gate.touch()
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 3)
    assert client.call(ops.STATUS).problem is None
    for run in workers.runs(client, sweep.id):
        *lost, last = client.call(ops.GET_RUN, run_id=run.id).attempts
        assert {each.reason for each in lost} <= {Reason.LOST, Reason.NODE_LOST}
        assert (last.status, (last.node or "").partition(" on ")[0]) == (Status.SUCCEEDED, "c")


def test_ends_while_the_scheduler_is_away(client: Client, nodes: Cluster) -> None:
    """The project's worker ends at once, at whatever moment, with the scheduler gone."""
    write(client, "x = 1", workers.FOREVER)
    submit(client)
    workers.until(lambda: any(each.running for each in listed(client)["dask"].nodes))
    nodes.kill("scheduler")
    workers.stop(client.project.root)
    assert Client(client.project).alive() is None
