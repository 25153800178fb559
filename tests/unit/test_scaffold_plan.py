"""What `init` would write, by what is there."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from jupyter_mlops.app.scaffold_plan import plan_project
from jupyter_mlops.app.scaffold_templates import (
    TEMPLATES,
    add_attributes,
    add_ignored,
    add_settings,
)
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.scaffolds import Action, Plan, PlannedFile, Version


def planned(plan: Plan, path: str) -> PlannedFile:
    """Return the plan for one file."""
    (found,) = (each for each in plan.files if each.path == path)
    return found


def actions(plan: Plan) -> dict[str, Action]:
    """Return what becomes of each file."""
    return {each.path: each.action for each in plan.files}


def git(folder: Path, *arguments: str) -> None:
    """Call git in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with a file of the user's own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("\\end", "utf-8")
    return folder


def test_a_new_folder_gets_all(tmp_path: Path) -> None:
    """Everything is new, and planning alone writes nothing."""
    plan = plan_project(tmp_path / "new")
    assert {each.path for each in TEMPLATES} <= set(actions(plan))
    assert set(actions(plan).values()) == {Action.CREATE}
    assert (plan.fresh, plan.git, plan.dvc) == (True, Version.BEGIN, True)
    assert not list(tmp_path.iterdir())


def test_names_are_text(tmp_path: Path) -> None:
    """A folder may be called anything; its name ends in no file as anything but text."""
    name = "a\"b\\c'\n$(x) @LOCK@ #é"
    plan = plan_project(tmp_path / name)
    settings = tomllib.loads((planned(plan, "pyproject.toml").content or b"").decode())
    shown = name.replace("\n", "-")
    assert settings["tool"]["jupyter-mlops"] == {"experiment": shown}
    container = json.loads(planned(plan, ".devcontainer/devcontainer.json").content or b"")
    assert container["name"] == shown
    assert (planned(plan, "README.md").content or b"").decode().startswith(f"# {shown}\n")


def test_what_is_there_stays(mine: Path) -> None:
    """Another file of the same name stays, and what only goes with ours is left out."""
    (mine / "params.yaml").write_text("depth: 1\n", "utf-8")
    (mine / "requirements.txt").write_text("numpy\n", "utf-8")
    (mine / "README.md").write_text("Mine.\n", "utf-8")
    plan = plan_project(mine)
    found = actions(plan)
    assert {found[each] for each in ("params.yaml", "requirements.txt", "README.md")} == {
        Action.KEEP
    }
    out = ("dvc.yaml", "prepare.py", "train.ipynb", "requirements.in")
    assert {found[each] for each in out} == {Action.LEAVE_OUT}
    assert "params.yaml" in planned(plan, "dvc.yaml").reason
    assert found["ci/report.py"] is found[".gitignore"] is Action.CREATE
    text = " ".join(plan.remarks)
    assert "Add to requirements.txt" in text
    assert "There is no dvc.yaml yet" in text


def test_force_replaces(mine: Path) -> None:
    """What is another one gives way if that is asked for; what takes additions never does."""
    for name in ("params.yaml", "README.md", ".gitignore"):
        (mine / name).write_text("mine\n", "utf-8")
    found = actions(plan_project(mine, force=True))
    assert found["params.yaml"] is found["README.md"] is Action.REPLACE
    assert found["dvc.yaml"] is Action.CREATE
    assert found[".gitignore"] is Action.ADD


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "environment.yml"])
def test_a_second_lock_is_none(mine: Path, name: str) -> None:
    """Where another program locks the environment, that stays the truth."""
    (mine / name).touch()
    plan = plan_project(mine)
    assert planned(plan, "requirements.txt").action is Action.LEAVE_OUT
    assert planned(plan, "requirements.in").reason == f"{name} is there"
    assert any("write it, with" in each for each in plan.remarks)


def test_settings_are_in_one_place(mine: Path) -> None:
    """A project with mlops.toml gets no second table."""
    (mine / "mlops.toml").write_text('experiment = "x"\n', "utf-8")
    assert planned(plan_project(mine), "pyproject.toml").action is Action.LEAVE_OUT
    (mine / "pyproject.toml").write_text("[project]\n", "utf-8")
    assert planned(plan_project(mine), "pyproject.toml").action is Action.KEEP


def test_links_and_folders_are_left_alone(mine: Path, tmp_path: Path) -> None:
    """Nothing is written through a link, nor in place of a folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (mine / ".github").symlink_to(elsewhere)
    (mine / ".gitignore").symlink_to(elsewhere / "gone")
    (mine / "ci").touch()
    (mine / "README.md").mkdir()
    plan = plan_project(mine, force=True)
    found = actions(plan)
    assert found[".gitignore"] is found["README.md"] is Action.KEEP
    assert found["ci/report.py"] is found[".github/workflows/mlops.yml"] is Action.LEAVE_OUT
    assert found[".circleci/config.yml"] is Action.LEAVE_OUT
    assert planned(plan, "ci/report.py").reason == "ci is no folder here"


def test_inside_a_repository(mine: Path) -> None:
    """Below the root of a git repository nothing is written that nobody would find there."""
    git(mine, "init", "--quiet")
    plan = plan_project(mine / "below")
    assert (plan.git, plan.dvc) == (Version.ABOVE, True)
    found = actions(plan)
    assert found[".github/workflows/mlops.yml"] is Action.LEAVE_OUT
    assert found[".devcontainer/devcontainer.json"] is Action.LEAVE_OUT
    assert found["dvc.yaml"] is found[".gitignore"] is Action.CREATE
    assert str(mine) in planned(plan, ".circleci/config.yml").reason


def test_a_repository_that_ignores_the_folder(mine: Path) -> None:
    """It does not count: the project has a repository of its own."""
    git(mine, "init", "--quiet")
    (mine / ".gitignore").write_text("below/\n", "utf-8")
    assert plan_project(mine / "below").git is Version.BEGIN


def test_committed_outputs_are_told(mine: Path) -> None:
    """The filter would take outputs out of notebooks: that is said before."""
    (mine / "a.ipynb").write_text('{"output_type": "stream"}', "utf-8")
    git(mine, "init", "--quiet")
    git(mine, "add", "a.ipynb")
    git(mine, "commit", "--quiet", "--message", "Mine")
    assert any("Committed with outputs: a.ipynb" in each for each in plan_project(mine).remarks)


# -- what is refused -------------------------------------------------------------------------------


def test_a_file_is_refused(mine: Path) -> None:
    """A file in the folder's place, or above it, is one line."""
    for folder in (mine / "thesis.tex", mine / "thesis.tex" / "below"):
        with pytest.raises(InvalidInput, match="is a file"):
            plan_project(folder)


def test_strange_paths_are_refused(tmp_path: Path) -> None:
    """What the system does not take for a path is one line, too."""
    for folder in (tmp_path / ("x" * 300) / "y", tmp_path / "a\0b"):
        with pytest.raises(InvalidInput, match="cannot be used"):
            plan_project(folder)


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git there is no project."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInput, match=r"git is not installed. Install git 2\.28"):
        plan_project(tmp_path / "new")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("git version 2.27.9.windows.1", r"git 2\.27 is too old. Install git 2\.28"),
        ("git version 1.99", r"git 1\.99 is too old"),
        ("nonsense", "does not tell its version"),
    ],
)
def test_an_old_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, why: str) -> None:
    """An old git is told from a new one by its version, as a number."""
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho {told}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInput, match=why):
        plan_project(tmp_path / "new")


@pytest.mark.parametrize(
    ("name", "text"),
    [("mlops.toml", ""), ("pyproject.toml", '[tool.jupyter-mlops]\nexperiment = "x"\n')],
)
def test_a_project_inside_a_project(mine: Path, name: str, text: str) -> None:
    """It would split the outer one in two."""
    (mine / name).write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=f"lies inside the project {mine}.*init {mine}"):
        plan_project(mine / "deep" / "below")
    assert plan_project(mine).changes


def test_inside_a_dvc_repository(mine: Path) -> None:
    """The outer repository would not see the stages of the inner one."""
    (mine / ".dvc").mkdir()
    with pytest.raises(InvalidInput, match="lies inside the DVC repository"):
        plan_project(mine / "below")


def test_a_dirty_tree(mine: Path) -> None:
    """What is added must not mix with what is not committed; files unknown to git do not count."""
    git(mine, "init", "--quiet")
    git(mine, "add", "--all")
    git(mine, "commit", "--quiet", "--message", "Mine")
    (mine / "unknown.txt").touch()
    assert plan_project(mine).changes
    (mine / "thesis.tex").write_text("new", "utf-8")
    with pytest.raises(InvalidInput, match=r"not committed \(thesis.tex\). Commit them first"):
        plan_project(mine)
    git(mine, "mv", "-f", "thesis.tex", "book.tex")
    with pytest.raises(InvalidInput, match=r"not committed \(book.tex\)"):
        plan_project(mine)


@pytest.mark.parametrize("text", ["[broken", '[tool.jupyter-mlops]\nno-such = "x"\n'])
def test_broken_settings(mine: Path, text: str) -> None:
    """A pyproject.toml that cannot be read is mended first."""
    (mine / "pyproject.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=r"pyproject.toml: .*Mend the file"):
        plan_project(mine)


# -- additions -------------------------------------------------------------------------------------


def test_lines_are_added_once() -> None:
    """What is there stays byte for byte, and what is there in another form is not added."""
    wanted = "# State.\n.mlops/\nruns/\n# Python.\n__pycache__/\n"
    assert add_ignored(b"", wanted) == wanted.encode()
    assert add_ignored(b"/.mlops\n", wanted) == (
        b"/.mlops\n\n# State.\nruns/\n# Python.\n__pycache__/\n"
    )
    once = add_ignored(b"a\xff\r\nb", wanted)
    assert once.startswith(b"a\xff\r\nb\r\n\r\n# State.\r\n")
    assert add_ignored(once, wanted) == once
    assert b"\nruns/" not in add_ignored(b"!runs/\n", wanted).removeprefix(b"!runs/\n")


def test_attributes_that_are_decided_stay() -> None:
    """Another filter or diff of notebooks is the user's choice."""
    wanted = "# Why.\n*.ipynb filter=nbstripout\n*.ipynb diff=jupyternotebook\n"
    assert add_attributes(b"*.ipynb -filter diff=mine\n", wanted) == b"*.ipynb -filter diff=mine\n"
    assert add_attributes(b"*.ipynb !diff text\n", wanted) == (
        b"*.ipynb !diff text\n\n# Why.\n*.ipynb filter=nbstripout\n"
    )


def test_the_table_of_settings() -> None:
    """It is added where TOML takes it."""
    wanted = '# Why.\n[tool.jupyter-mlops]\nexperiment = "x"\n'
    after = add_settings(b"[project]\nname = 'a'", wanted)
    assert after == b"[project]\nname = 'a'\n\n" + wanted.encode()
    assert add_settings(after, wanted) == after
    for closed in (b"tool = {}\n", b"[tool]\njupyter-mlops = {}\n"):
        assert add_settings(closed, wanted) == closed
