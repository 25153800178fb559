"""What a full disk does: nothing is lost, the queue pauses, and it goes on when there is space."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.core.exceptions import MlopsError
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.notebooks import write_notebook


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return ballast


def test_a_full_disk_pauses_the_queue(small_disk: Path, tmp_path: Path) -> None:
    """A run that waits when the disk fills up is still there, and runs when there is space."""
    folder = workers.make_project(small_disk / "project")
    gate = tmp_path / "gate"
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    write_notebook(folder / "train.ipynb", "x = 1", wait)
    with workers.worker(folder) as client:
        body = m.SubmitRequest(notebook="train.ipynb", space={"x": "1..3"}, cpus=1)
        sweep = client.call(ops.SUBMIT, body=body)
        for event in client.events(0, beat=5):
            if event and event.data.get("cell") == 3:
                break
        gate.touch()
        ballast = _fill(folder)
        with pytest.raises(MlopsError) as refused:
            client.call(ops.SUBMIT, body=body)
        assert "\n" not in refused.value.message
        assert "space" in refused.value.message
        _wait_for_problem(client)
        ballast.unlink()
        done = workers.wait_for(client, sweep.id)
        ended = {run.id: run for run in workers.runs(client, sweep.id)}
        assert len(ended) == 3
        assert all(run.status.finished for run in ended.values())
        for run in ended.values():
            assert run.status is Status.SUCCEEDED or run.reason == "disk_full", run
        assert client.call(ops.STATUS).problem is None
        assert done.counts.queued == done.counts.running == 0


def _wait_for_problem(client: Client) -> None:
    for _ in client.events(0, beat=0.2):
        problem = client.call(ops.STATUS).problem
        if problem:
            assert "space" in problem
            return


def test_a_worker_that_cannot_start_says_why(small_disk: Path) -> None:
    """With no space at all the first command says so in one line."""
    folder = workers.make_project(small_disk / "project")
    _fill(small_disk)
    with pytest.raises(MlopsError) as refused:
        connect(folder)
    assert "\n" not in refused.value.message
    assert "space" in refused.value.message
