"""Attempts that take the nodes that execute them down with them."""

from __future__ import annotations

from pathlib import Path

from jupyter_mlops.app import operations as ops
from jupyter_mlops.core.runs import MAX_NODES, Reason, Status
from tests.support import workers
from tests.support.dask_cluster import cluster
from tests.support.workers import submit, wait_for, write

#: A cell that kills the Dask worker that its kernel belongs to, at one point of the space.
KILLS_ITS_NODE = """
import psutil, threading
for process in psutil.Process().parents() if x == 2 else ():
    if "distributed.cli.dask_worker" in process.cmdline():
        process.kill()
        threading.Event().wait()
print(x)
"""


def test_three_nodes_are_enough(tmp_path: Path) -> None:
    """A run that took so many along is given up, with their names; its neighbours succeed."""
    with cluster(tmp_path / "cluster", "a", "b", "c", "d") as nodes:
        settings = f'executor = "dask"\n[dask]\naddress = "{nodes.address}"\n'
        folder = workers.make_project(tmp_path / "project", settings)
        with workers.worker(folder) as client:
            write(client, "x = 1", KILLS_ITS_NODE)
            sweep = submit(client, space={"x": "1..6"})
            done = wait_for(client, sweep.id)
            runs = {each.parameters["x"]: each for each in workers.runs(client, sweep.id)}
            found = client.call(ops.GET_RUN, run_id=runs[2].id)
        gone = set(nodes.ended)
    assert (done.counts.succeeded, done.counts.failed) == (5, 1)
    assert [each.reason for each in found.attempts] == [Reason.NODE_LOST] * MAX_NODES
    places = [str(each.node) for each in found.attempts]
    assert {each.partition(" on ")[0] for each in places} == gone
    assert (found.run.status, found.run.reason) == (Status.FAILED, Reason.NODE_LOST)
    line = f"Each node that executed it went away, so it is given up: {', '.join(places)}."
    assert found.run.error == line
    others = [each for x, each in runs.items() if x != 2]
    assert {(each.status, each.attempts) for each in others} == {(Status.SUCCEEDED, 1)}
