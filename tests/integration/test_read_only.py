"""A project that cannot be written: what was run can be read, and the rest is said in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import connect
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import Conflict, WorkerUnavailable
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.workers import submit, wait_for, write


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """A project with a run, on a file system that has become read-only."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a file system")
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a file system")
    try:
        folder = workers.make_project(disk / "project")
        with workers.worker(folder) as client:
            write(client, "x: int = 1", "print(x)")
            wait_for(client, submit(client, space={"x": "5"}).id)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_it_is_said_what_to_do(sealed: Path) -> None:
    """Without a place for its state no worker starts, and the line names the way out."""
    with pytest.raises(WorkerUnavailable, match="Read-only file system") as refused:
        connect(sealed)
    assert "JUPYTER_MLOPS_STATE_DIR" in refused.value.message
    assert "\n" not in refused.value.message


def test_earlier_runs_can_be_read(
    sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a state elsewhere lists, forms and spaces work; only new runs are refused."""
    monkeypatch.setenv("JUPYTER_MLOPS_STATE_DIR", str(tmp_path / "states"))
    assert find_project(sealed).state == tmp_path / "states" / find_project(sealed).id
    with workers.worker(sealed) as client:
        (run,) = client.call(ops.LIST_RUNS, query=m.RunsQuery())
        assert (run.status, run.parameters) == (Status.SUCCEEDED, {"x": 5})
        assert client.call(ops.GET_RUN, run_id=run.id).attempts[0].status is Status.SUCCEEDED
        form = client.call(ops.PARAMETERS, query=m.NotebookQuery(notebook="train.ipynb"))
        assert form.last_space == {"x": "5"}
        space = m.SpaceRequest(notebook="train.ipynb", space={"x": "1..3"})
        assert client.call(ops.PREVIEW, body=space).count == 3
        assert client.call(ops.STATUS).problem is None
        with pytest.raises(Conflict, match="runs cannot be written") as refused:
            submit(client)
        assert "\n" not in refused.value.message
        (found,) = [each for each in client.call(ops.DOCTOR, timeout=120) if each.name == "disk"]
        assert "runs " in found.message
