"""Nodes whose packages are not those of whoever submits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import distributed
import nbformat
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.core.exceptions import ExecutorUnavailable
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.dask_cluster import cluster
from tests.support.workers import submit, wait_for, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
#: A small package that is ours too, in another release than ours.
OTHER = "wcwidth==0.2.13"

Make = Callable[..., Path]


@pytest.fixture
def make_environment(tmp_path: Path) -> Make:
    """Makes an environment with packages in the locked versions but for one; returns its Python."""

    def make(*requirements: str, other: str | None = None) -> Path:
        folder = tmp_path / "environment"
        python = folder / "bin" / "python"
        install = ("pip", "install", "--quiet", "--python", python)
        constraint = ("--constraint", ROOT / "requirements" / "dev.txt")
        uv("venv", "--quiet", "--python", sys.executable, folder)
        uv(*install, *constraint, *requirements)
        if other is not None:
            uv(*install, "--no-deps", other)
        return python

    return make


def uv(*words: str | Path) -> None:
    """Run uv."""
    assert UV is not None
    done = subprocess.run(
        [UV, *words],
        env={**os.environ, "SKIP_JUPYTER_BUILDER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_packages_are_the_nodes(tmp_path: Path, make_environment: Make) -> None:
    """A run imports what its node has, and that is what is written down of it."""
    python = make_environment(f"{ROOT}[dask]", other=OTHER)
    with cluster(tmp_path / "cluster") as nodes:
        nodes.add("a", python=python)
        settings = f'executor = "dask"\n[dask]\naddress = "{nodes.address}"\n'
        folder = workers.make_project(tmp_path / "project", settings)
        with workers.worker(folder) as client:
            write(client, "x = 1", "import wcwidth, sys; print(wcwidth.__version__, sys.prefix)")
            done = wait_for(client, submit(client).id)
            (found,) = workers.runs(client, done.id)
            assert (found.status, found.error) == (Status.SUCCEEDED, None)
    version = OTHER.partition("==")[2]
    cells = nbformat.read(folder / str(found.output), as_version=4).cells
    assert cells[-1].outputs[0].text == f"{version} {python.parents[1]}\n"
    (context,) = (folder / ".mlops" / "journals").glob("*.context.json")
    environment = json.loads(context.read_bytes())["environment"]
    assert environment["executable"] == str(python)
    (kept,) = (folder / ".mlops").rglob(f"{environment['packages_sha256']}.packages.json")
    packages = json.loads(kept.read_bytes())["packages"]
    assert packages["wcwidth"] == version
    assert "pytest" not in packages


def test_a_worker_without_our_package(tmp_path: Path, make_environment: Make) -> None:
    """Whoever submits is told so in a line, and what waits already says it too."""
    python = make_environment("distributed")
    with cluster(tmp_path / "cluster") as nodes:
        settings = f'executor = "dask"\n[dask]\naddress = "{nodes.address}"\n'
        folder = workers.make_project(tmp_path / "project", settings)
        with workers.worker(folder) as client:
            write(client, "x = 1")
            waiting = submit(client)
            with distributed.Client(nodes.address, set_as_default=False) as dask:
                nodes.add("a", python=python)
                dask.wait_for_workers(1)
            line = "jupyter-mlops and papermill and ipykernel are not installed there"
            workers.until(lambda: line in (client.call(ops.STATUS).problem or ""))
            with pytest.raises(ExecutorUnavailable, match=line):
                submit(client)
            assert [each.id for each in client.call(ops.LIST_SWEEPS, query=m.ListQuery())] == [
                waiting.id
            ]
            nodes.add("b")
            assert wait_for(client, waiting.id).counts.succeeded == 1
