"""A DVC project with a worker of its own, and DVC itself beside it."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.following import follow_pipeline
from jupyter_mlops.core.pipelines import StageState
from tests.support import pipelines, workers

DIAMOND = """
stages:
  prepare:
    cmd: cat source.txt > prepared.txt
    deps: [source.txt]
    outs: [prepared.txt]
  train:
    foreach: [a, b]
    do:
      cmd: cat prepared.txt params.yaml > model-${item}.txt
      deps: [prepared.txt]
      params: [depth]
      outs: ["model-${item}.txt"]
  compare:
    cmd: cat model-a.txt model-b.txt > best.txt
    deps: [model-a.txt, model-b.txt]
    outs: [best.txt]
"""


class Project:
    """A git and DVC repository with a worker."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.folder = folder
        self.client = client

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")

    def text(self, name: str) -> str:
        """Read a file."""
        return (self.folder / name).read_text("utf-8")

    def start(self, *targets: str, **options: object) -> str:
        """Ask for a pipeline run and return its id."""
        request = m.PipelineRequest(targets=list(targets), **options)  # type: ignore[arg-type]
        request.environment = dict(os.environ)
        return self.client.call(ops.RUN_PIPELINE, body=request).id

    def run(self, *targets: str, **options: object) -> m.PipelineRunDetail:
        """Carry out a pipeline run."""
        return self.wait(self.start(*targets, **options))

    def wait(self, pipeline_id: str) -> m.PipelineRunDetail:
        """Wait until a pipeline run has ended."""
        for _ in follow_pipeline(self.client, pipeline_id, 0):
            pass
        return self.client.call(ops.GET_PIPELINE_RUN, pipeline_id=pipeline_id)

    def until(self, pipeline_id: str, stage: str, state: StageState) -> None:
        """Wait until a stage stands there."""
        for event in self.client.events(0):
            found = event.data if event is not None else {}
            if found.get("pipeline") == pipeline_id and found.get("stages", {}).get(stage) == state:
                return

    def look(self) -> m.PipelineView:
        """Ask where the stages stand."""
        return self.client.call(ops.PIPELINE, query=m.PipelineQuery(), timeout=None)

    def states(self) -> dict[str, str]:
        """Return where each stage stands."""
        return {each.name: str(each.state) for each in self.look().stages}

    def dvc(self, *arguments: str) -> str:
        """Run DVC itself."""
        return pipelines.dvc(self.folder, *arguments)

    def assert_clean(self) -> None:
        """DVC itself finds nothing to do."""
        assert "up to date" in self.dvc("status")
        printed = self.dvc("repro")
        assert "didn't change" in printed
        assert not pipelines.ran(printed)


def states(detail: m.PipelineRunDetail) -> dict[str, str]:
    """Return what a pipeline run did with each stage."""
    return {each.name: str(each.state) for each in detail.stages}


def ran(detail: m.PipelineRunDetail) -> set[str]:
    """Return the stages that a pipeline run has run."""
    return {each.name for each in detail.stages if each.state is StageState.SUCCEEDED}


@contextmanager
def diamond(folder: Path) -> Iterator[Project]:
    """Make a repository with the diamond of four stages, and start its worker."""
    folder.mkdir()
    pipelines.repository(folder)
    (folder / "mlops.toml").write_text("")
    with workers.worker(folder) as client:
        made = Project(folder, client)
        made.write("dvc.yaml", DIAMOND)
        made.write("source.txt", "data\n")
        made.write("params.yaml", "depth: 3\n")
        pipelines.commit(folder)
        yield made


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so that nothing tells of."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
