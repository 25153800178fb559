"""The demo's folder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from jupyter_mlops.app.demo import MARKER, PREPARE, SPACE, TRAIN, make_demo
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.submission import make_space, read
from jupyter_mlops.core.exceptions import Conflict, InvalidInput


def test_the_example_is_copied(tmp_path: Path) -> None:
    """A new folder becomes a project of its own, with everything that the example needs."""
    demo = make_demo(tmp_path / "deep" / "demo")
    assert not demo.reused
    names = {path.name for path in demo.folder.rglob("*")}
    assert {PREPARE, TRAIN, "quickstart.ipynb", "mlops.toml", "flights_data.py"} <= names
    assert {"dvc.yaml", "params.yaml"} <= names
    assert not {"__pycache__", ".mlops", "runs", "week", "dvc.lock"} & names
    assert find_project(demo.folder / TRAIN).root == demo.folder.resolve()


def test_an_earlier_demo_is_completed(tmp_path: Path) -> None:
    """What the user changed stays, what is missing comes back."""
    folder = make_demo(tmp_path / "demo").folder
    (folder / "flights_features.py").write_text("changed", "utf-8")
    (folder / PREPARE).unlink()
    assert make_demo(folder).reused
    assert (folder / "flights_features.py").read_text("utf-8") == "changed"
    assert (folder / PREPARE).is_file()


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """Nothing is written into a folder that holds anything else."""
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(Conflict, match="is not empty and no earlier demo"):
        make_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    """An empty folder will do."""
    assert (make_demo(tmp_path).folder / MARKER).is_file()


def test_a_file_is_refused(tmp_path: Path) -> None:
    """A file in the folder's place is one line, not a traceback."""
    (tmp_path / "demo").touch()
    with pytest.raises(InvalidInput, match="cannot be written"):
        make_demo(tmp_path / "demo")


def test_the_sweep_has_twelve_points(tmp_path: Path) -> None:
    """The training notebook declares what the demo sweeps, at least a dozen points."""
    demo = make_demo(tmp_path / "demo")
    notebook = read(find_project(demo.folder), TRAIN)
    space = make_space(demo.sweep, notebook.parameters)
    assert space.count >= 12
    assert set(space.names) == set(SPACE)


def git(folder: Path, *arguments: str) -> str:
    """Ask git in a folder."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_copy_is_a_repository(tmp_path: Path) -> None:
    """All of it is in a first commit and DVC is at home, so that metrics can be compared."""
    folder = make_demo(tmp_path / "demo").folder
    assert git(folder, "status", "--porcelain") == ""
    assert {".dvc/config", "dvc.yaml", TRAIN} <= set(git(folder, "ls-files").splitlines())
    head = git(folder, "rev-parse", "HEAD")
    make_demo(folder)
    assert git(folder, "rev-parse", "HEAD") == head


def test_another_repository_is_left_alone(tmp_path: Path) -> None:
    """In somebody's git repository there is no second one, and nothing of theirs changes."""
    git(tmp_path, "init", "--quiet")
    folder = make_demo(tmp_path / "demo").folder
    assert not (folder / ".git").exists()
    assert "no_scm = True" in (folder / ".dvc" / "config").read_text("utf-8")
    assert git(tmp_path, "status", "--porcelain") == "?? demo/\n"


def test_the_users_repository_gets_no_commit(tmp_path: Path) -> None:
    """An earlier demo that its user keeps in git is left for the user to commit."""
    folder = make_demo(tmp_path / "demo").folder
    shutil.rmtree(folder / ".dvc")
    (folder / "thesis.tex").touch()
    make_demo(folder)
    assert (folder / ".dvc").is_dir()
    assert "?? thesis.tex" in git(folder, "status", "--porcelain").splitlines()
    assert git(folder, "rev-list", "--count", "HEAD") == "1\n"


def test_nothing_points_git_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from a hook of another repository, the demo's own is made."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    folder = make_demo(tmp_path / "demo").folder
    assert (folder / ".git").is_dir()
    assert not (tmp_path / "other").exists()


def test_an_ignored_folder_is_a_repository(tmp_path: Path) -> None:
    """Where the git repository around it does not look, the demo has its own."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("demo/\n", "utf-8")
    assert (make_demo(tmp_path / "demo").folder / ".git").is_dir()


def test_git_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git, DVC keeps the versions alone."""
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = make_demo(tmp_path / "demo").folder
    assert "no_scm = True" in (folder / ".dvc" / "config").read_text("utf-8")
