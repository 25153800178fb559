"""A Jupyter server that dies takes no run with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.notebooks import write_notebook


@pytest.mark.slow
def test_runs_outlive_the_server_that_started_them(tmp_path: Path) -> None:
    """The worker that a server started goes on when the server is killed."""
    folder = workers.make_project(tmp_path / "project")
    write_notebook(folder / "train.ipynb", "x = 1", "print(x)")
    process = subprocess.Popen(
        [
            sys.executable,
            *("-m", "jupyter", "server", "--no-browser", "--port=0", "--allow-root"),
            f"--ServerApp.root_dir={folder}",
            "--IdentityProvider.token=secret",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"},
    )
    try:
        assert process.stderr is not None
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, "the server did not start"
            found = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/", line)
        answer = httpx.post(
            f"{found[0]}mlops/api/sweeps?project=",
            json={"notebook": "train.ipynb", "space": {"x": "1..4"}},
            headers={"Authorization": "token secret"},
        )
        sweep = answer.raise_for_status().json()
        process.kill()
        process.wait()
        process.stderr.close()
        client = Client(find_project(folder))
        assert client.alive() is not None
        assert workers.wait_for(client, sweep["id"]).status is Status.SUCCEEDED
    finally:
        process.kill()
        workers.stop(folder)
