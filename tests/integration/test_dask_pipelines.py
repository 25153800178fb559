"""Pipelines whose stages run on a real Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.following import follow_pipeline
from jupyter_mlops.core.runs import Status
from jupyter_mlops.execution.processes import of_attempt
from tests.support import repositories, workers
from tests.support.dask_cluster import Cluster, cluster
from tests.support.notebooks import write_notebook

SETTINGS = 'executor = "dask"\n[dask]\naddress = "{}"\nfiles = "{}"\n'
#: A command, a notebook that needs what it makes, and a command that stays here.
STAGES = """
stages:
  prepare:
    cmd: python prepare.py
    deps: [prepare.py]
    outs: [rows]
  train:
    cmd: jupyter mlops run train.ipynb scale=3
    deps: [train.ipynb, rows]
    outs: [model.txt]
  report:
    cmd: python report.py
    deps: [report.py, model.txt]
    outs: [report.txt]
    meta: {mlops: {executor: local}}
"""


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of two nodes, each of which has a variable of its own."""
    with cluster(tmp_path / "cluster", "a", "b") as made:
        yield made


def project(folder: Path, nodes: Cluster, files: str, stages: str = STAGES) -> Path:
    """Make a repository with stages."""
    settings = SETTINGS.format(nodes.address, files)
    root = repositories.make_repository(folder, mlops_toml=settings)
    (root / "prepare.py").write_text(
        "import os, pathlib\n"
        "pathlib.Path('rows').mkdir()\n"
        "pathlib.Path('rows/1.csv').write_text('7')\n"
        "pathlib.Path('rows/place.txt').write_text(os.environ.get('NODE_OF_TEST', 'here'))\n"
        "print('made rows')\n",
        "utf-8",
    )
    write_notebook(
        root / "train.ipynb",
        "scale: int = 1",
        "value = int(open('rows/1.csv').read()) * scale\nopen('model.txt', 'w').write(str(value))",
    )
    (root / "report.py").write_text(
        "import os\n"
        "text = open('model.txt').read() + os.environ.get('NODE_OF_TEST', ' here')\n"
        "open('report.txt', 'w').write(text)\n",
        "utf-8",
    )
    (root / "dvc.yaml").write_text(stages, "utf-8")
    return root


def run(client: Client) -> m.PipelineDetail:
    """Bring a pipeline up to date."""
    request = m.PipelineRequest(environment=repositories.environment(client.project.root))
    pipeline = client.call(ops.RUN_PIPELINE, body=request)
    *_, last = follow_pipeline(client, pipeline.id, 0)
    return client.call(ops.GET_PIPELINE_RUN, pipeline_id=last.run.id)


@pytest.mark.parametrize("files", ["shared", "sent"])
def test_stages_go_to_the_cluster(tmp_path: Path, nodes: Cluster, files: str) -> None:
    """Commands and notebooks run there, DVC's own work here; what was made is found and saved."""
    root = project(tmp_path / "project", nodes, files)
    with workers.worker(root) as client:
        detail = run(client)
        assert detail.run.status is Status.SUCCEEDED, detail
        assert (root / "rows" / "place.txt").read_text() in {"a", "b"}
        assert (root / "report.txt").read_text() == "21 here"
        (only,) = client.call(ops.LIST_RUNS, query=m.RunsQuery())
        (attempt,) = client.call(ops.GET_RUN, run_id=only.id).attempts
        assert (attempt.executor, attempt.node is not None) == ("dask", True)
        assert "up to date" in repositories.call("dvc", "status", folder=root)
        (log,) = root.glob(".mlops/**/*prepare*.log")
        assert "made rows" in log.read_text()


def test_a_node_goes_away(tmp_path: Path, nodes: Cluster) -> None:
    """The command is executed again on another node."""
    gate = tmp_path / "gate"
    waits = (
        "import os, pathlib, time\n"
        f"gate = pathlib.Path({str(gate)!r})\n"
        "began = gate.with_name(f'began-{os.getppid()}')\n"
        "began.write_text(os.environ['NODE_OF_TEST'])\n"
        "while not gate.exists(): time.sleep(0.1)\n"
        "open('done.txt', 'w').write('done')\n"
    )
    stages = (
        "stages:\n  wait:\n    cmd: python wait.py\n    deps: [wait.py]\n    outs: [done.txt]\n"
    )
    root = project(tmp_path / "project", nodes, "shared", stages)
    (root / "wait.py").write_text(waits, "utf-8")
    with workers.worker(root) as client:
        request = m.PipelineRequest(environment=repositories.environment(root))
        pipeline = client.call(ops.RUN_PIPELINE, body=request)
        workers.until(lambda: any(each.read_text() for each in tmp_path.glob("began-*")))
        (began,) = tmp_path.glob("began-*")
        nodes.kill(began.read_text())
        workers.until(lambda: len(list(tmp_path.glob("began-*"))) == 2)
        gate.touch()
        *_, last = follow_pipeline(client, pipeline.id, 0)
        assert last.run.status is Status.SUCCEEDED
        assert (root / "done.txt").read_text() == "done"


def test_cancelled(tmp_path: Path, nodes: Cluster) -> None:
    """The command is gone when the pipeline's run has ended."""
    began = tmp_path / "began"
    stages = f"stages:\n  wait:\n    cmd: touch {began}; sleep 600\n    outs: [done.txt]\n"
    root = project(tmp_path / "project", nodes, "shared", stages)
    with workers.worker(root) as client:
        request = m.PipelineRequest(environment=repositories.environment(root))
        pipeline = client.call(ops.RUN_PIPELINE, body=request)
        workers.until(began.exists)
        client.call(ops.CANCEL_PIPELINE_RUN, pipeline_id=pipeline.id)
        *_, last = follow_pipeline(client, pipeline.id, 0)
        assert last.run.status is Status.CANCELLED
        assert not of_attempt(f"{pipeline.id}/wait")


def test_asks_for_what_there_is_not(tmp_path: Path, nodes: Cluster) -> None:
    """It is refused before a stage begins."""
    stages = "stages:\n  a:\n    cmd: 'true'\n    meta: {mlops: {gpus: 1}}\n"
    root = project(tmp_path / "project", nodes, "shared", stages)
    with workers.worker(root) as client:
        detail = run(client)
        assert detail.run.status is Status.FAILED
        line = "stage a: meta.mlops.gpus: 1 were asked for, the cluster has none"
        assert line in (detail.run.error or "")
