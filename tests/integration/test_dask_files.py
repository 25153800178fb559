"""Sweeps on nodes that do not see the project's folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.runs import Reason, Status
from tests.support import workers
from tests.support.dask_cluster import Cluster, cluster
from tests.support.workers import submit, wait_for, write

SENT = 'executor = "dask"\n[dask]\naddress = "{}"\nfiles = "sent"\n'


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of two nodes."""
    with cluster(tmp_path / "cluster", "a", "b") as made:
        yield made


@pytest.fixture
def client(tmp_path: Path, nodes: Cluster) -> Iterator[Client]:
    """A client of the worker of a project, a git repository, that sends its files."""
    folder = workers.make_project(tmp_path / "project", SENT.format(nodes.address))
    git(folder, "init", "-q")
    with workers.worker(folder) as made:
        yield made


def git(folder: Path, *arguments: str) -> None:
    """Call git."""
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def test_files_go_and_come(client: Client, nodes: Cluster) -> None:
    """Runs find the project's files in a clean folder elsewhere; what they make comes back."""
    root = client.project.root
    (root / "helpers").mkdir()
    (root / "helpers" / "maths.py").write_text("def double(x):\n    return 2 * x\n")
    (root / "table.csv").write_text("a\n1\n")
    (root / ".gitignore").write_text("secret.txt\n")
    (root / "secret.txt").write_text("not sent")
    git(root, "add", "helpers", "table.csv", ".gitignore")
    write(
        client,
        "x = 1",
        "import os, sys, pathlib; sys.path.insert(0, '.')\n"
        "from helpers.maths import double\n"
        "here = pathlib.Path.cwd(); print(here)\n"
        "assert not (here / 'secret.txt').exists()\n"
        "assert not (here / f'made/{x}').exists()\n"
        "open('table.csv').read()\n"
        "pathlib.Path(f'made/{x}').mkdir(parents=True)\n"
        "pathlib.Path(f'made/{x}/answer.txt').write_text(str(double(x)))",
    )
    sweep = submit(client, space={"x": "1..4"})
    done = wait_for(client, sweep.id)
    assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 4)
    made = {each.parent.name: each.read_text() for each in root.glob("made/*/answer.txt")}
    assert made == {"1": "2", "2": "4", "3": "6", "4": "8"}
    for run in workers.runs(client, sweep.id):
        assert run.output is not None
        cells = nbformat.read(root / run.output, as_version=4).cells
        assert str(root) not in cells[-1].outputs[0].text
        (attempt,) = client.call(ops.GET_RUN, run_id=run.id).attempts
        kept = json.loads((root / f".mlops/journals/{attempt.id}.context.json").read_bytes())
        assert "table.csv" in {each["path"] for each in kept["data"]}
        assert kept["environment"]["packages"] > 50
    assert not list(root.glob(".mlops/journals/*.jsonl"))
    assert not list((nodes.folder / "a").glob("**/attempts/*"))


def test_a_lost_node_leaves_the_notebook_so_far(client: Client, nodes: Cluster) -> None:
    """The journal has come while the attempt ran."""
    nodes.kill("b")
    write(client, "x = 1", "print('so far', x)", workers.FOREVER)
    sweep = submit(client, space={"x": "7"})
    run = workers.started(client, sweep.id, 4)

    def has_printed() -> bool:
        found = client.call(ops.PARTIAL_NOTEBOOK, run_id=run.id)
        return "so far 7" in (client.project.root / found.path).read_text()

    workers.until(has_printed)
    nodes.kill("a")
    workers.until(lambda: client.call(ops.GET_RUN, run_id=run.id).run.status is Status.QUEUED)
    found = client.call(ops.GET_RUN, run_id=run.id)
    assert found.attempts[0].reason is Reason.NODE_LOST
    assert "so far 7" in (client.project.root / str(found.run.output)).read_text()
    client.call(ops.CANCEL_RUN, run_id=run.id)


def test_what_is_too_large_is_refused(client: Client) -> None:
    """Before anything runs, with the folder that is to blame."""
    root = client.project.root
    (root / "scratch").mkdir()
    with (root / "scratch" / "large.bin").open("wb") as file:
        file.truncate(1_500_000_000)
    write(client, "x = 1")
    with pytest.raises(InvalidInput, match=r"may be sent \(max_sent\); .* scratch \(1.5 GB\)"):
        submit(client)
    (root / ".gitignore").write_text("scratch\n")
    assert wait_for(client, submit(client).id).status is Status.SUCCEEDED


def test_a_link_that_leads_out(client: Client, tmp_path: Path) -> None:
    """It cannot be had by a node."""
    (tmp_path / "elsewhere.txt").write_text("x")
    (client.project.root / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    write(client, "x = 1")
    with pytest.raises(InvalidInput, match=r"link\.txt leads out of the project"):
        submit(client)


def test_data_of_dvc(client: Client, tmp_path: Path) -> None:
    """Nodes pull it from the remote; without a remote, and if it was not pushed, it is told."""
    root = client.project.root
    dvc(root, "init", "-q")
    (root / "data").mkdir()
    (root / "data" / "rows.csv").write_text("a\n1\n2\n")
    dvc(root, "add", "-q", "data")
    git(root, "add", ".")
    write(client, "x = 1", "print(len(open('data/rows.csv').readlines()))")
    with pytest.raises(InvalidInput, match="DVC keeps data, and the project has no default remote"):
        submit(client)
    dvc(root, "remote", "add", "--default", "store", str(tmp_path / "store"))
    failed = wait_for(client, submit(client).id)
    assert failed.status is Status.FAILED
    (run,) = workers.runs(client, failed.id)
    assert "If they were never pushed: dvc push" in (run.error or "")
    dvc(root, "push", "-q")
    done = wait_for(client, submit(client, space={"x": "1..3"}).id)
    assert done.counts.succeeded == 3


def dvc(folder: Path, *arguments: str) -> None:
    """Call DVC."""
    subprocess.run(["dvc", *arguments], cwd=folder, check=True, capture_output=True)
