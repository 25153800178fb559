"""Pipelines in the styles of public ones: we see the graph that DVC sees, and write what it writes.

DVC itself runs beside us. The styles are folders of ``tests/fixtures/pipelines``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pipelines, workers

#: Stages that DVC never takes for finished: it is told so, or there is nothing to go by.
RESTLESS = {"flags": ["poll", "heartbeat"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a DVC repository in each of its folders."""
    folder = workers.make_project(tmp_path_factory.mktemp("styles"))
    yield folder
    workers.stop(folder)


def test_there_are_enough() -> None:
    """At least twenty differing styles are looked at."""
    assert len(pipelines.STYLES) >= 20


@pytest.mark.parametrize("name", pipelines.STYLES)
def test_graph(name: str, project: Path) -> None:
    """The stages and what they depend on are those of ``dvc dag``, in an order that can be run."""
    root = pipelines.lay_out(name, project / "graph" / name / "project")
    shown = pipelines.mlops(root, "show", "--json")
    assert shown.returncode == 0, shown.stderr
    view = json.loads(shown.stdout)
    assert view["exists"]
    assert view["problem"] is None
    names = [stage["name"] for stage in view["stages"]]
    edges = {(before, stage["name"]) for stage in view["stages"] for before in stage["upstream"]}
    assert (set(names), edges) == pipelines.dag(root)
    assert len(set(names)) == len(names)
    assert all(names.index(before) < names.index(after) for before, after in edges)


@pytest.mark.parametrize("name", pipelines.STYLES)
def test_lock(name: str, project: Path, tmp_path: Path) -> None:
    """What we run leaves byte for byte what DVC leaves, and DVC has nothing more to do."""
    ours = pipelines.lay_out(name, project / "lock" / name / "project")
    theirs = pipelines.lay_out(name, tmp_path / "project")
    pipelines.dvc(theirs, "repro", "--all-pipelines")
    done = pipelines.mlops(ours, "run", "--all-pipelines")
    assert done.returncode == 0, done.stdout + done.stderr
    left = pipelines.written(theirs)
    assert any(each.endswith("dvc.lock") for each in left)
    assert pipelines.written(ours) == left
    restless = RESTLESS.get(name, [])
    assert pipelines.stale(ours) == restless
    assert pipelines.ran(pipelines.dvc(ours, "repro", "--all-pipelines")) == restless
