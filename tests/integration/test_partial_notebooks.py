"""A run's notebook and last lines before its end, as a worker has them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.core.exceptions import Conflict
from jupyter_mlops.core.runs import Reason, Status, SweepKind
from tests.support import workers
from tests.support.workers import started, submit, wait_for, write


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of a project with one core; notebooks take 1 kB of a stream."""
    folder = workers.make_project(tmp_path / "project", "cores = 1\nmax_output_mb = 0.001\n")
    with workers.worker(folder) as made:
        yield made


def _waiting_run(client: Client) -> m.RunView:
    """Start a run that prints, waits until there is a file named gate, and prints again."""
    gate = client.project.root / "gate"
    wait = (
        f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)\nprint('end')"
    )
    write(client, "x = 1", "print('first')", f"print('so far', flush=True)\n{wait}", "print('x')")
    sweep = submit(client, kind=SweepKind.RUN, space={"x": "1"})
    run = started(client, sweep.id, 4)
    for _ in client.events(0, beat=0.1):
        if "so far" in client.call(ops.TAIL, run_id=run.id).text:
            return run
    raise AssertionError


def _read(client: Client, path: str) -> tuple[list[str], list[str]]:
    """Return the states of the code cells of a notebook, and what they printed."""
    nb = nbformat.read(client.project.root / path, as_version=4)
    nbformat.validate(nb)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    states = [cell.metadata.papermill.status for cell in code]
    return states, ["".join(each.text for each in cell.outputs if "text" in each) for cell in code]


def test_a_running_run_is_seen_through(client: Client) -> None:
    """It tells what it prints, and its notebook is there as far as it has come, then in full."""
    run = _waiting_run(client)
    tail = client.call(ops.TAIL, run_id=run.id)
    assert (tail.status, tail.cell, tail.cells, tail.text) == (Status.RUNNING, 4, 5, "so far\n")
    assert tail.elapsed is not None
    assert tail.cell_elapsed is not None
    assert 0 < tail.cell_elapsed < tail.elapsed
    assert len(tail.cell_times) == 3
    written = client.call(ops.PARTIAL_NOTEBOOK, run_id=run.id)
    assert not written.finished
    states, printed = _read(client, written.path)
    assert states == ["completed"] * 3 + ["running", "pending"]
    assert printed == ["", "", "first\n", "so far\n", ""]
    (client.project.root / "gate").touch()
    wait_for(client, run.sweep_id)
    again = client.call(ops.PARTIAL_NOTEBOOK, run_id=run.id)
    assert (again.path, again.finished) == (written.path, True)
    assert _read(client, again.path)[0] == ["completed"] * 5
    after = client.call(ops.TAIL, run_id=run.id)
    assert (after.status, after.cell, after.text) == (Status.SUCCEEDED, None, "")
    (attempt,) = client.call(ops.GET_RUN, run_id=run.id).attempts
    assert attempt.cell_times is not None
    assert len(attempt.cell_times) == 5
    (left,) = (client.project.state / "journals").iterdir()
    assert left.name == f"{attempt.id}.context.json"


def test_the_shell_shows_a_running_run(client: Client) -> None:
    """`runs show` prints the last lines, and writes the notebook with --notebook."""
    run = _waiting_run(client)
    shown = _shell(client, "runs", "show", run.id)
    assert "Cell 4 for " in shown
    assert "\n  so far\n" in shown
    record = json.loads(_shell(client, "runs", "show", run.id, "--notebook", "--json"))
    assert _read(client, record["notebook"])[1][3] == "so far\n"
    assert json.loads(_shell(client, "runs", "show", run.id, "--json"))["tail"]["cell"] == 4
    assert "as far as the run has come" in _shell(client, "runs", "show", run.id, "--notebook")


def _shell(client: Client, *arguments: str) -> str:
    argv = (sys.executable, "-m", "jupyter_mlops", *arguments)
    return subprocess.run(
        argv, cwd=client.project.root, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def test_a_run_that_waits_has_no_notebook(client: Client) -> None:
    """Who asks for it is told so, in one line."""
    write(client, "x = 1", workers.FOREVER)
    first = submit(client, kind=SweepKind.RUN, space={"x": "1"})
    started(client, first.id, 3)
    second = submit(client, kind=SweepKind.RUN, space={"x": "2"})
    with pytest.raises(Conflict, match="no output notebook yet"):
        client.call(ops.PARTIAL_NOTEBOOK, run_id=f"{second.id}-1")
    assert client.call(ops.TAIL, run_id=f"{second.id}-1").status is Status.QUEUED


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_worker_that_ends_leaves_the_notebook_so_far(client: Client, how: str) -> None:
    """Whether it was killed or stopped: what the lost attempt had put out can be read.

    The attempt after it replaces the notebook as it ends.
    """
    run = _waiting_run(client)
    if how == "killed":
        workers.kill(client)
    else:
        workers.stop(client.project.root)
    second = connect(client.project)
    detail = second.call(ops.GET_RUN, run_id=run.id)
    assert detail.attempts[0].reason is Reason.LOST
    output = f"runs/train/{run.sweep_id}/{run.id}.ipynb"
    assert detail.run.output == output
    states, printed = _read(second, output)
    assert states == ["completed"] * 3 + ["failed", "pending"]
    assert printed[3] in ("so far\n", "so far\nIts worker went away.\n")
    (client.project.root / "gate").touch()
    assert wait_for(second, run.sweep_id).status is Status.SUCCEEDED
    assert _read(second, output)[0] == ["completed"] * 5
    assert not list((client.project.state / "journals").glob("*.jsonl"))


def test_the_limit_is_a_setting(client: Client) -> None:
    """What is more goes to a file beside the notebook, which goes with the run."""
    write(client, "x = 1", "print('a' * 1500)")
    sweep = submit(client, kind=SweepKind.RUN, space={"x": "1"})
    wait_for(client, sweep.id)
    folder = client.project.root / "runs" / "train" / sweep.id
    names = sorted(each.name for each in folder.iterdir())
    assert names == [f"{sweep.id}-1.cell3.stdout.log", f"{sweep.id}-1.ipynb"]
    printed = _read(client, f"runs/train/{sweep.id}/{sweep.id}-1.ipynb")[1][2]
    assert printed == "a" * 1000 + f"\n[stdout goes on for 501 B in {names[0]}.]\n"
    client.call(ops.DELETE_RUN, run_id=f"{sweep.id}-1")
    assert not folder.exists()
