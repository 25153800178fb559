"""What decides whether a pipeline is up to date, as DVC knows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.uptodate import up_to_date
from jupyter_mlops.core.pipelines import StageState
from tests.support import pipelines
from tests.support.pipeline_projects import Project, diamond, wait_until

FOLDERS = """
vars: [names.yaml]
stages:
  fill:
    cmd: mkdir -p made/deep && cp ${source} made/deep/x && echo > made/y
    deps: ["${source}"]
    outs: [made]
  count:
    cmd: ls -R made data > count.txt
    deps: [made, data]
    params: [other.yaml: [rate]]
    outs: [count.txt: {cache: false}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with folders, templates and parameters."""
    with diamond(tmp_path / "project") as made:
        made.write("dvc.yaml", FOLDERS)
        made.write("names.yaml", "source: source.txt\n")
        made.write("other.yaml", "rate: 0.1\n")
        made.write("data/a/b.txt", "1\n")
        pipelines.commit(made.folder)
        yield made


def known(project: Project, **options: object) -> bool:
    """Whether it is known without DVC that nothing is left to do."""
    return found(project, **options) is not None


def found(project: Project, **options: object) -> m.PipelineRunDetail | None:
    """Return what is known without DVC."""
    request = m.PipelineRequest(**options)  # type: ignore[arg-type]
    return up_to_date(find_project(project.folder), request)


def test_after_a_run_it_is_known(project: Project) -> None:
    """It is written down behind the user's back, with every file that decides."""
    assert not known(project)
    project.run()
    wait_until(lambda: known(project))
    assert not known(project, force=True)
    assert not known(project, targets=["count"])
    (record,) = (project.folder / ".dvc/tmp/mlops-fresh").glob("*.json")
    files = {Path(path) for path in json.loads(record.read_text())["files"]}
    names = ["dvc.yaml", "dvc.lock", "names.yaml", "other.yaml", "params.yaml", "source.txt"]
    names += ["data/a/b.txt", "made", "made/deep/x", "made/y", "count.txt", ".dvc/config.local"]
    assert {project.folder / name for name in names} <= files
    cached = {path for path in (project.folder / ".dvc/cache/files").rglob("*") if path.is_file()}
    assert len(cached) == 3  # the list of the folder, and its two files
    assert cached <= files
    detail = found(project)
    assert detail is not None
    asked = project.client.call(ops.PLAN_PIPELINE, body=m.PipelineRequest(), timeout=None).stages
    nothing = dict.fromkeys(["run_id", "started_at", "finished_at", "duration"])
    assert detail.stages == [msgspec.structs.replace(each, **nothing) for each in asked]
    assert detail.run.counts == {StageState.FRESH: len(asked)}
    project.write("other.yaml", "rate: 0.2\n")
    assert not known(project)


def test_what_always_runs_is_never_known(project: Project) -> None:
    """A stage without dependencies and outputs is asked for each time."""
    project.write("dvc.yaml", "stages:\n  note:\n    cmd: echo >> notes\n")
    for _ in range(2):
        project.run()
        project.client.call(ops.PLAN_PIPELINE, body=m.PipelineRequest(), timeout=None)
    assert project.text("notes") == "\n\n"
    assert not known(project)
