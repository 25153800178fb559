"""The workflows of a new project, whose steps are executed as CI does: by a shell, in a clone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import workers
from tests.support.github import TOKEN, github
from tests.support.repositories import call
from tests.support.runner import Machine, make_origin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has been made by an installed wheel, as others clone it."""
    return make_origin(tmp_path_factory.mktemp("origin"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A runner."""
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Iterator[Path]:
    """A clone with a change that a pull request proposes."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", origin, folder], check=True)
    call("git", "switch", "--quiet", "--create", "deeper", folder=folder)
    (folder / "params.yaml").write_text(
        (folder / "params.yaml").read_text("utf-8").replace("depth: 2", "depth: 3"), "utf-8"
    )
    call("git", "commit", "--quiet", "--all", "--message", "Deeper", folder=folder)
    try:
        yield folder
    finally:
        workers.stop(folder)


def steps(project: Path, which: str) -> list[dict[str, Any]]:
    """Return a workflow's steps in one form: what is run, its variables, what is restored."""
    if which == "github":
        text = (project / ".github" / "workflows" / "mlops.yml").read_text("utf-8")
        found = yaml.safe_load(text)["jobs"]["pipeline"]["steps"]
        return [
            {
                "name": each.get("name", ""),
                "run": each.get("run"),
                "env": each.get("env", {}),
                "cache": each["with"]["path"] if "cache@" in each.get("uses", "") else None,
            }
            for each in found
        ]
    text = (project / ".circleci" / "config.yml").read_text("utf-8")
    made = []
    for each in yaml.safe_load(text)["jobs"]["pipeline"]["steps"]:
        run = each.get("run", {}) if isinstance(each, dict) else {}
        saved = each.get("save_cache", {}) if isinstance(each, dict) else {}
        made.append(
            {
                "name": run.get("name", ""),
                "run": run.get("command"),
                "env": {},
                "cache": next(iter(saved.get("paths", [])), None),
            }
        )
    return made


#: What the services themselves put into a step's variables.
EXPRESSIONS = {"github.token": TOKEN, "github.event.pull_request.number": "7"}
SERVICES = {
    "github": {"GITHUB_REPOSITORY": "me/it", "GITHUB_BASE_REF": "main"},
    "circleci": {
        "CIRCLE_PULL_REQUEST": "https://github.com/me/it/pull/7",
        "GITHUB_TOKEN": TOKEN,
    },
}


@pytest.mark.parametrize("which", ["github", "circleci"])
def test_the_steps(origin: Path, machine: Machine, clone: Path, tmp_path: Path, which: str) -> None:
    """Each step does what its name says, and a second run begins from the first one's cache."""
    with github() as server:
        service = SERVICES[which] | {"GITHUB_API_URL": server.address}
        first = run_all(machine, clone, which, service)
        assert "2 ran" in first["Run the pipeline"]
        (comment,) = server.comments
        assert re.search(r"train.depth +\| 2 +\| 3 ", comment["body"])
        assert re.search(r"metrics.json \| auc ", comment["body"])
        assert "```mermaid" in comment["body"]
        assert (clone / "report" / "plots" / "index.html").is_file()
        assert call("git", "status", "--porcelain", "report", folder=clone) == ""

        (cache,) = [each["cache"] for each in steps(clone, which) if each["cache"]]
        again = tmp_path / "again"
        subprocess.run(["git", "clone", "--quiet", clone, again], check=True)
        shutil.copytree(clone / cache, again / cache)
        try:
            second = run_all(machine, again, which, service)
        finally:
            workers.stop(again)
        for stage in ("prepare", "train"):
            assert f"✓ {stage}  from the run cache" in second["Run the pipeline"]
        assert len(server.comments) == 1
    if which == "github":
        assert comment["body"] in (machine.folder / "summary.md").read_text("utf-8")


def run_all(machine: Machine, clone: Path, which: str, service: dict[str, str]) -> dict[str, str]:
    """Execute the steps that need no service; return what each printed."""
    printed = {}
    for each in steps(clone, which):
        if each["run"] is None:
            continue
        variables = {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: EXPRESSIONS[found[1]], text)
            for name, text in each["env"].items()
        }
        assert "${{" not in each["run"]  # text of others would become code
        printed[each["name"]] = machine.step(each["run"], clone, service | variables)
    return printed


def test_what_stops_a_change(machine: Machine, clone: Path) -> None:
    """A notebook with outputs does not pass, nor does a pipeline that fails."""
    notebook = clone / "train.ipynb"
    text = notebook.read_text("utf-8")
    script = {each["name"]: each["run"] for each in steps(clone, "github")}
    machine.step(script["Install"], clone)
    notebook.write_text(text.replace('"execution_count": null', '"execution_count": 3', 1), "utf-8")
    with pytest.raises(AssertionError, match="nbstripout"):
        machine.step(script["Check notebooks"], clone)
    notebook.write_text(text.replace("GradientBoostingClassifier(", "NoSuch(", 1), "utf-8")
    machine.step(script["Check notebooks"], clone)
    with pytest.raises(AssertionError, match="NoSuch"):
        machine.step(script["Run the pipeline"], clone)


def test_a_remote_is_asked(machine: Machine, clone: Path, tmp_path: Path) -> None:
    """Where DVC has a remote, its results are fetched, in part if it has no more."""
    script = {each["name"]: each["run"] for each in steps(clone, "circleci")}
    fetch = script["Fetch what the DVC remote has"]
    assert machine.step(fetch, clone) == ""
    call("dvc", "remote", "add", "--default", "store", str(tmp_path / "store"), folder=clone)
    machine.step(script["Run the pipeline"], clone)
    call("dvc", "push", "--run-cache", folder=clone)
    shutil.rmtree(clone / ".dvc" / "cache")
    shutil.rmtree(clone / "out")
    machine.step(fetch, clone)
    assert (clone / "out" / "model.joblib").is_file()
