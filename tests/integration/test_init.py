"""`jupyter mlops init`, with git and DVC: all is written, or nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell

from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import MlopsError
from tests.support import workers
from tests.support.commands import Command, caller
from tests.support.repositories import call
from tests.support.scaffolds import content, make_mine
from tests.support.terminal import Terminal

MLOPS = (sys.executable, "-m", "jupyter_mlops")


@pytest.fixture
def mlops(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, called by a script: nobody answers questions."""
    return caller(capsys)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A git repository with files of the user's own."""
    return make_mine(tmp_path / "mine")


def test_a_new_folder(mlops: Command, tmp_path: Path) -> None:
    """A new folder becomes a project under git and DVC, with nothing left to commit."""
    folder = tmp_path / "deep" / "new"
    done = mlops("init", str(folder), "--json")
    assert done.code == 0, done.err
    record = done.record
    assert (record["folder"], record["written"]) == (str(folder), True)
    written = {each["path"] for each in record["files"]}
    assert {each for each in written if (folder / each).is_file()} == written
    assert call("git", "status", "--porcelain", folder=folder) == ""
    assert call("git", "log", "--format=%an %s", folder=folder) == "A Tester Begin\n"
    assert call("git", "branch", "--show-current", folder=folder) == "main\n"
    assert call("dvc", "stage", "list", "--name-only", folder=folder) == "prepare\ntrain\n"
    assert find_project(folder / "train.ipynb").settings.experiment == "new"
    assert (folder.stat().st_mode & 0o777) == (tmp_path / "deep").stat().st_mode & 0o777
    assert not list(tmp_path.rglob(".mlops-init-*"))


def test_an_empty_folder(mlops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder, if it is empty, is filled at once."""
    monkeypatch.chdir(tmp_path)
    done = mlops("init")
    assert done.code == 0, done.err
    assert re.match(rf"Made {tmp_path} a project: \d+ files, git, DVC[,.]", done.out)
    assert f"cd {tmp_path} && jupyter mlops pipeline run" in done.out
    assert call("git", "status", "--porcelain", folder=tmp_path) == ""


def test_a_second_time(mlops: Command, tmp_path: Path) -> None:
    """There is nothing left to do, whatever the project has become meanwhile."""
    assert mlops("init", str(tmp_path)).code == 0
    before = content(tmp_path)
    again = mlops("init", str(tmp_path))
    assert (again.code, content(tmp_path)) == (0, before)
    assert "has all of it already" in again.out
    (tmp_path / "train.ipynb").write_text("{}", "utf-8")
    (tmp_path / "params.yaml").write_text("mine: 1", "utf-8")
    before = content(tmp_path)
    assert mlops("init", str(tmp_path), "--yes").code == 0
    assert content(tmp_path) == before


def test_dry_writes_nothing(mlops: Command, mine: Path, tmp_path: Path) -> None:
    """With --dry all is said and nothing done."""
    before = content(tmp_path)
    for folder in (mine, tmp_path / "new"):
        done = mlops("init", str(folder), "--dry")
        assert done.code == 0, done.err
        assert done.out.startswith(f"Would make {folder} a project: ")
        assert re.search(r"^dvc.yaml +new", done.out, re.MULTILINE)
        assert mlops("init", str(folder), "--dry", "--json").record["written"] is False
    assert content(tmp_path) == before


def test_what_is_there_stays_byte_for_byte(mlops: Command, mine: Path) -> None:
    """A project gets what it lacks; its files stay, but for what is added at their end."""
    before = content(mine)
    head = call("git", "rev-parse", "HEAD", folder=mine)
    done = mlops("init", str(mine), "--yes", "--json")
    assert done.code == 0, done.err
    after = content(mine)
    added = {".gitignore", "pyproject.toml"}
    for name, (mode, data) in ((k, v) for k, v in before.items() if not k.endswith("/")):
        if name in added:
            assert (after[name][0], after[name][1].startswith(data)) == (mode, True)
            assert after[name][1] != data
        elif name != ".git/config":
            assert after[name] == (mode, data)
    assert b"\r\n.mlops/\r\n" in after[".gitignore"][1]
    assert after[".gitignore"][1].count(b"runs") == 1
    assert call("git", "rev-parse", "HEAD", folder=mine) == head
    assert call("git", "diff", "--cached", "--name-only", folder=mine) == ""
    assert find_project(mine).settings.experiment == "mine"
    assert call("dvc", "stage", "list", "--name-only", folder=mine) == "prepare\ntrain\n"
    assert not [name for name in after if "mlops-init" in name]
    call("git", "add", "--all", folder=mine)
    call("git", "commit", "--quiet", "--message", "A project", folder=mine)
    assert "has all of it" in mlops("init", str(mine)).out


def test_force_replaces(mlops: Command, mine: Path) -> None:
    """With --force what is another one gives way; git still has it."""
    assert mlops("init", str(mine), "--force", "--yes").code == 0
    assert (mine / "README.md").read_text("utf-8").startswith("# mine\n\nA project of")
    assert (mine / ".gitignore").read_bytes().startswith(b"*.log\r\n")
    assert call("git", "show", "HEAD:README.md", folder=mine) == "# Mine\n"


def test_below_a_repository(mlops: Command, mine: Path) -> None:
    """A project in a folder of a git repository belongs to that one, which is left as it is."""
    before = content(mine)
    folder = mine / "models" / "churn"
    done = mlops("init", str(folder), "--json")
    assert (done.code, done.record["git"], done.record["dvc"]) == (0, "above", "begin")
    assert not {".git", ".github", ".devcontainer"} & {each.name for each in folder.iterdir()}
    assert call("dvc", "stage", "list", "--name-only", folder=folder) == "prepare\ntrain\n"
    assert call("git", "status", "--porcelain", folder=mine) == "?? models/\n"
    assert find_project(folder / "train.ipynb").root == folder
    after = content(mine)
    assert {k for k in before if after[k] != before[k]} <= {".git/config"}
    assert "has all of it" in mlops("init", str(folder)).out


def test_an_empty_clone(mlops: Command, tmp_path: Path) -> None:
    """A repository without a commit, as one clones a new one, is filled; nothing is committed."""
    call("git", "init", "--quiet", "--initial-branch=trunk", folder=tmp_path)
    done = mlops("init", str(tmp_path), "--yes", "--json")
    assert (done.code, done.record["git"]) == (0, "there")
    assert "?? dvc.yaml" in call("git", "status", "--porcelain", folder=tmp_path)
    assert call("git", "branch", "--show-current", folder=tmp_path) == "trunk\n"


def test_what_a_kill_leaves_is_completed(mlops: Command, mine: Path) -> None:
    """If the machine ends amid the moves, the same command again does the rest."""
    assert mlops("init", str(mine), "--yes").code == 0
    whole = content(mine)
    call("git", "checkout", "--quiet", ".", folder=mine)
    for name in ("train.ipynb", "ci/report.py", ".devcontainer/setup.sh"):
        (mine / name).unlink()
    assert mlops("init", str(mine), "--yes").code == 0
    after = content(mine)
    theirs = {name: each[-1:] for name, each in whole.items() if not name.startswith(".git/")}
    assert {name: after[name][-1:] for name in theirs} == theirs


# -- who is asked ----------------------------------------------------------------------------------


def test_a_script_is_refused(mlops: Command, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can be asked, what will be written is shown and the word to say is told."""
    before = content(mine)
    done = mlops("init", str(mine))
    assert done.code == 2
    assert re.search(r"^dvc.yaml +new", done.err, re.MULTILINE)
    assert f"then: jupyter mlops init {mine} --yes" in done.err.splitlines()[-1]
    monkeypatch.chdir(mine)
    line = mlops("init", "--force").err.splitlines()[-1]
    assert "Look: jupyter mlops init --force --dry; then: jupyter mlops init --force --yes" in line
    assert content(mine) == before


def test_a_cell_is_refused(mine: Path) -> None:
    """A cell never asks; with --yes it writes."""
    shell: Any = InteractiveShell.instance()
    try:
        shell.run_line_magic("load_ext", "jupyter_mlops")
        with pytest.raises(MlopsError, match=f"then: %mlops init {mine} --yes"):
            shell.run_line_magic("mlops", f"init {mine}")
        assert not (mine / "dvc.yaml").exists()
        shell.run_line_magic("mlops", f"init {mine} --yes")
        assert (mine / "dvc.yaml").exists()
    finally:
        InteractiveShell.clear_instance()


def test_a_terminal_is_asked(mine: Path) -> None:
    """On a terminal one sees what will be written, and is asked."""
    before = content(mine)
    with Terminal([*MLOPS, "init"], mine) as terminal:
        terminal.expect(r"Write this\? \[y/N\]")
        terminal.type("n")
        assert terminal.wait() == 0
        assert "Nothing was written." in terminal.text
    assert content(mine) == before
    with Terminal([*MLOPS, "init", "--force"], mine) as terminal:
        terminal.expect(r"README.md +replaced")
        terminal.expect(r"Write this, and replace 1 file\? \[y/N\]")
        terminal.type("y")
        assert terminal.wait() == 0
        assert "Look at what is new:" in terminal.text


# -- what git does with notebooks ------------------------------------------------------------------


def test_git_is_set_up_for_notebooks(
    mlops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not installed is not set up, and said; once it is there, init sets it up."""
    monkeypatch.setattr("jupyter_mlops.app.scaffold_plan._program", lambda _name: None)
    folder = tmp_path / "new"
    done = mlops("init", str(folder), "--json")
    assert done.record["settings"] == {}
    assert any("nbstripout, nbdime" in each for each in done.record["remarks"])
    programs = tmp_path / "programs"
    programs.mkdir()
    strip = programs / "nbstripout"
    strip.write_text("#!/bin/sh\nsed s/secret/stripped/\n", "utf-8")
    strip.chmod(0o755)
    monkeypatch.setattr(
        "jupyter_mlops.app.scaffold_plan._program",
        lambda name: str(strip) if name == "nbstripout" else None,
    )
    assert mlops("init", str(folder), "--yes").code == 0
    (folder / "a.ipynb").write_text("secret\n", "utf-8")
    call("git", "add", "a.ipynb", folder=folder)
    assert call("git", "show", ":a.ipynb", folder=folder) == "stripped\n"


# -- what is made, at work -------------------------------------------------------------------------


def test_files_are_valid(mlops: Command, tmp_path: Path) -> None:
    """The workflows keep the schemas of those who read them; all other files can be read."""
    assert mlops("init", str(tmp_path)).code == 0
    for schema, path in {
        "github-workflows": ".github/workflows/mlops.yml",
        "circle-ci": ".circleci/config.yml",
    }.items():
        check = ["check-jsonschema", "--builtin-schema", f"vendor.{schema}", path]
        assert "ok" in call(*check, folder=tmp_path)
    hooks = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert {each["repo"] for each in hooks} == {"local"}
    for script in ("setup.sh", "start.sh"):
        call("sh", "-n", f".devcontainer/{script}", folder=tmp_path)


@pytest.mark.slow
def test_the_project_works(mlops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline runs, its notebook is a tracked run, and a sweep of it registers a model."""
    folder = tmp_path / "new"
    assert mlops("init", str(folder)).code == 0
    monkeypatch.chdir(folder)
    try:
        done = mlops("pipeline", "run", "--json")
        assert done.code == 0, done.out + done.err
        (run,) = mlops("runs", "list", "--json").record
        assert (run["notebook"], run["stage"]) == ("train.ipynb", "train")
        assert run["parameters"] == {"depth": 2, "rate": 0.1, "trees": 60}
        assert run["metrics"]["auc"] > 0.97
        assert call("git", "status", "--porcelain", "--", "train.ipynb", folder=folder) == ""
        again = mlops("pipeline", "run", "--json").record
        assert {each["state"] for each in again["stages"]} == {"fresh"}
        assert "up to date" in call("dvc", "status", folder=folder)
        sweep = mlops("sweep", "train.ipynb", "depth=1,2", "--metric", "auc", "--json")
        assert sweep.code == 0, sweep.err
        version = mlops("register", "tumours", sweep.record["id"], "--json").record
        assert (version["name"], version["version"]) == ("tumours", 1)
        call("git", "add", "--all", folder=folder)
        assert "has all of it" in mlops("init").out
    finally:
        workers.stop(folder)
