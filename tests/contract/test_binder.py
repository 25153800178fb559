"""What Binder opens, as far as it can be judged without building an image."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".binder"
POST_BUILD = FOLDER / "postBuild"
#: A Python that repo2docker is installed in, if somebody has one: it needs no engine to plan.
REPO2DOCKER = os.environ.get("REPO2DOCKER_PYTHON")
#: Plans an image, and prints what it found and the Dockerfile.
PLAN = """
from repo2docker.app import Repo2Docker

plans = (each(base_image="buildpack-deps:24.04") for each in Repo2Docker().buildpacks)
plan = next(each for each in plans if each.detect())
plan.platform = "linux/amd64"
print(type(plan).__name__, plan.binder_dir, plan.python_version)
print(plan.render())
"""


def call(*command: str | Path, **variables: str) -> str:
    """Run a program in the checkout, and return what it printed."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def python() -> str:
    """Return the version of Python that is asked for, as repo2docker reads it."""
    found = re.fullmatch(r"python-(\d+\.\d+)", (FOLDER / "runtime.txt").read_text("utf-8").strip())
    assert found
    return found[1]


def test_the_files_are_those_that_are_read() -> None:
    """Each has a name that repo2docker knows, and no other folder or file takes precedence."""
    assert {path.name for path in FOLDER.iterdir()} == {"postBuild", "runtime.txt"}
    assert not (ROOT / "binder").exists()


def test_what_is_built_can_be_run() -> None:
    """The script is executable, the shell understands it, and it stops at the first failure."""
    listed = call("git", "-c", "safe.directory=*", "ls-files", "--stage", POST_BUILD)
    assert listed.startswith("100755 ")
    call("sh", "-n", POST_BUILD)
    text = POST_BUILD.read_text("utf-8")
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text


def test_versions_stand_elsewhere() -> None:
    """Python is the devcontainer's and one that we support; all else is named by the locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert SpecifierSet(project["requires-python"]).contains(python())
    dockerfile = (ROOT / "devcontainer" / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^FROM python:(\d+\.\d+)", dockerfile, re.MULTILINE) == [python()]
    assert not re.search(r"\d\.\d|==", POST_BUILD.read_text("utf-8"))


def test_all_goes_into_the_environment_of_the_server(tmp_path: Path) -> None:
    """What make would do in another environment touches that one only, and installs the lock."""
    environment = tmp_path / "notebook"
    planned = call("make", "--dry-run", "--always-make", "demo", f"VENV={environment}")
    assert f"{environment}/bin/jupyter mlops demo" in planned
    assert f"--python {environment}/bin/python --compile-bytecode --requirements" in planned
    assert "requirements/demo.txt" in planned
    assert ".venv" not in planned
    assert not environment.exists()


def test_the_address_leads_into_the_example() -> None:
    """The address that README.md shows opens a notebook which the example has."""
    text = (ROOT / "README.md").read_text("utf-8")
    (path,) = re.findall(r"\?urlpath=lab/tree/([\w./-]+)", text)
    folder, name = path.split("/")
    assert f"(cd {folder} &&" in POST_BUILD.read_text("utf-8")
    assert f"DEMO_DIR ?= {folder}\n" in (ROOT / "Makefile").read_text("utf-8")
    assert (ROOT / "example_notebooks" / name).is_file()


@pytest.mark.skipif(REPO2DOCKER is None, reason="REPO2DOCKER_PYTHON names no Python that has it")
def test_repo2docker_takes_it_so() -> None:
    """It finds the folder, takes its Python, and runs the script at the end of the build."""
    plan = call(str(REPO2DOCKER), "-c", PLAN, PYTHONPATH="")
    assert f"\nPythonBuildPack .binder {python()}\n" in f"\n{plan}"
    assert f"environment-2epy-2d{python().replace('.', '-2e')}-2dlinux" in plan
    assert re.findall(r"^RUN \./(.*)$", plan, re.MULTILINE) == [".binder/postBuild"]
    assert "pip install" not in plan
