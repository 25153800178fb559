"""Pipelines that cannot be run: one line that names file and place, and nothing has happened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import bad_pipelines, pipelines, workers

#: What programs make for themselves: git its index, DVC and we our temporary files.
OWN = (".git", ".mlops", "tmp", "cache")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a DVC repository in each of its folders."""
    folder = workers.make_project(tmp_path_factory.mktemp("bad"))
    yield folder
    workers.stop(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file in a folder but those that programs make for themselves."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(OWN) & set(path.relative_to(folder).parts)
    }


@pytest.mark.parametrize("name", bad_pipelines.BAD)
def test_bad_pipeline(name: str, project: Path) -> None:
    """It is refused in one line that says where and what; no stage runs and no file changes."""
    bad = bad_pipelines.BAD[name]
    folder = bad.lay_out(project / name)
    before = contents(project / name)
    ran = pipelines.mlops(folder, "run", "--all-pipelines")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    (line,) = [each for each in ran.stderr.splitlines() if each.strip()]
    assert re.search(bad.refusal, line, re.IGNORECASE), line
    assert contents(project / name) == before


@pytest.mark.parametrize("name", ["broken-yaml", "bomb", "merge-markers-in-lock"])
def test_problem_is_shown(name: str, project: Path) -> None:
    """Who only looks at the pipeline is told the same, in place of its stages."""
    bad = bad_pipelines.BAD[name]
    folder = bad.lay_out(project / f"shown-{name}")
    shown = pipelines.mlops(folder, "show", "--json")
    problem = json.loads(shown.stdout)["problem"]
    assert re.search(bad.refusal, problem, re.IGNORECASE), problem


def test_a_dependency_that_vanishes(project: Path) -> None:
    """A stage that takes away what the next one needs fails that one, by name, and no other."""
    folder = project / "vanishing"
    folder.mkdir()
    pipelines.repository(folder)
    (folder / "needed.txt").touch()
    (folder / "dvc.yaml").write_text(
        "stages:\n"
        "  first:\n    cmd: rm needed.txt; echo > x\n    outs: [x]\n"
        "  second:\n    cmd: cat x needed.txt > y\n    deps: [x, needed.txt]\n    outs: [y]\n"
        "  third:\n    cmd: echo > z\n    outs: [z]\n",
        "utf-8",
    )
    ran = pipelines.mlops(folder, "run", "--keep-going", "--json")
    assert ran.returncode == 1
    stages = {stage["name"]: stage for stage in json.loads(ran.stdout)["stages"]}
    assert {name: stage["state"] for name, stage in stages.items()} == {
        "first": "succeeded",
        "second": "failed",
        "third": "succeeded",
    }
    assert stages["second"]["error"] == "needed.txt: No such file or directory."
