"""`jupyter mlops run` as a stage's command, where DVC or a shell calls it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.following import follow_pipeline
from jupyter_mlops.core.runs import Status
from tests.support import repositories, workers
from tests.support.notebooks import write_notebook

PIPELINE = """
stages:
  train:
    cmd: {command}
    deps: [train.ipynb]
    outs: [depth.txt]
"""
#: A command that is left to a shell, which calls ours.
IN_A_SHELL = 'sh -c "jupyter mlops run train.ipynb depth=3 --cpus 1 --timeout 60"'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of a DVC repository that may use one core."""
    folder = repositories.make_repository(tmp_path / "project", mlops_toml="cores = 1\n")
    write_notebook(
        folder / "train.ipynb", "depth: int = 1", "open('depth.txt', 'w').write(str(depth))"
    )
    with workers.worker(folder) as made:
        yield made


def _declare(client: Client, command: str) -> Path:
    root = client.project.root
    (root / "dvc.yaml").write_text(PIPELINE.format(command=command), "utf-8")
    return root


def _only_run(client: Client) -> m.RunView:
    (run,) = client.call(ops.LIST_RUNS, query=m.RunsQuery())
    return run


def test_a_stage_that_waits_for_its_run_holds_no_core(client: Client) -> None:
    """One core suffices for a command that does nothing but to wait for a run."""
    root = _declare(client, IN_A_SHELL)
    request = m.PipelineRequest(environment=repositories.environment(root))
    pipeline = client.call(ops.RUN_PIPELINE, body=request)
    *_, last = follow_pipeline(client, pipeline.id, 0)
    detail = client.call(ops.GET_PIPELINE_RUN, pipeline_id=last.run.id)
    assert last.run.status is Status.SUCCEEDED, detail
    assert (root / "depth.txt").read_text("utf-8") == "3"
    run = _only_run(client)
    assert (run.status, run.parameters) == (Status.SUCCEEDED, {"depth": 3})
    assert "up to date" in repositories.call("dvc", "status", folder=root)


def test_dvc_itself_may_call_it(client: Client) -> None:
    """Under plain `dvc repro` the same command is a run of the project's worker."""
    root = _declare(client, "jupyter mlops run train.ipynb depth=4 --cpus 1 --retries 1")
    repositories.call("dvc", "repro", folder=root)
    assert (root / "depth.txt").read_text("utf-8") == "4"
    assert _only_run(client).parameters == {"depth": 4}


NOTEBOOKS = """
stages:
  prepare:
    cmd: papermill prepare.ipynb prepared.ipynb -p rows 3
    deps: [prepare.ipynb]
    outs: [prepared.ipynb, rows.txt]
  report:
    cmd: jupyter nbconvert --execute --to notebook --output report report/in.ipynb
    deps: [report/in.ipynb, rows.txt]
    outs: [report/report.ipynb]
  train:
    cmd: jupyter mlops run train.ipynb depth=5 --cpus 1
    deps: [train.ipynb, rows.txt]
    outs: [depth.txt]
"""


def test_notebooks_of_a_pipeline_are_tracked_runs(client: Client) -> None:
    """Each is a run that knows its stage; to DVC all is as if it had called the programs."""
    root = client.project.root
    write_notebook(root / "prepare.ipynb", "rows = 1", "open('rows.txt', 'w').write(str(rows))")
    write_notebook(root / "report/in.ipynb", "print(open('../rows.txt').read())")
    (root / "dvc.yaml").write_text(NOTEBOOKS, "utf-8")
    request = m.PipelineRequest(environment=repositories.environment(root))
    pipeline = client.call(ops.RUN_PIPELINE, body=request)
    *_, last = follow_pipeline(client, pipeline.id, 0)
    detail = client.call(ops.GET_PIPELINE_RUN, pipeline_id=pipeline.id)
    assert last.run.status is Status.SUCCEEDED, detail
    runs = {each.stage: each for each in client.call(ops.LIST_RUNS, query=m.RunsQuery())}
    assert {each.name: each.run_id for each in detail.stages} == {
        name: run.id for name, run in runs.items()
    }
    assert {run.pipeline_id for run in runs.values()} == {pipeline.id}
    assert (root / "rows.txt").read_text("utf-8") == "3"
    assert '"3\\n"' in (root / "report/report.ipynb").read_text("utf-8")
    assert "up to date" in repositories.call("dvc", "status", folder=root)
    assert "didn't change" in repositories.call("dvc", "repro", folder=root)
