"""`jupyter mlops init` where it cannot: nothing is half-written, and one line says why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.app import scaffold_writing
from jupyter_mlops.app.scaffold_plan import plan_project
from jupyter_mlops.core.exceptions import Conflict, InvalidInput
from tests.support.commands import Command, caller
from tests.support.scaffolds import content, make_mine


@pytest.fixture
def mlops(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, called by a script: nobody answers questions."""
    return caller(capsys)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A git repository with files of the user's own."""
    return make_mine(tmp_path / "mine")


@pytest.mark.parametrize(
    ("broken", "new"),
    [
        ("begin_dvc", True),
        ("set_setting", True),
        ("begin_dvc", False),
        ("_place", False),
        ("copy2", False),
        ("set_setting", False),
    ],
)
def test_what_fails_leaves_nothing(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, new: bool
) -> None:
    """Whatever fails, at whatever moment, everything is as it was."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "nbstripout").touch(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    owner: Any = {"copy2": shutil, "set_setting": scaffold_writing.git}.get(
        broken, scaffold_writing
    )
    original, calls = getattr(owner, broken), []

    def fail(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == (1 if broken == "begin_dvc" else 2):
            raise OSError(28, "No space left on device")
        return original(*arguments, **options)

    plan = plan_project(tmp_path / "deep" / "new" if new else mine)
    before = content(tmp_path)
    monkeypatch.setattr(owner, broken, fail)
    with pytest.raises(InvalidInput, match=r"No space left on device. Nothing was changed"):
        scaffold_writing.write_project(plan)
    assert content(tmp_path) == before


def test_what_changes_meanwhile(mine: Path) -> None:
    """A file that somebody has changed since it was looked at is not lost."""
    plan = plan_project(mine)
    (mine / ".gitignore").write_text("other\n", "utf-8")
    before = content(mine)
    with pytest.raises(Conflict, match="has changed meanwhile"):
        scaffold_writing.write_project(plan)
    assert content(mine) == before
    (mine / ".gitignore").write_bytes(b"*.log\r\n/runs")
    (mine / "train.ipynb").touch()
    with pytest.raises(Conflict, match="has appeared meanwhile"):
        scaffold_writing.write_project(plan)
    assert not (mine / "dvc.yaml").exists()


def test_what_a_killed_one_left_aside(mlops: Command, mine: Path) -> None:
    """Its folder goes with the next one; that of one which still runs stays."""
    with subprocess.Popen(["true"]) as ended:
        pass
    left, used = (mine / f".mlops-init-{pid}-x" for pid in (ended.pid, os.getpid()))
    for each in (left, used):
        each.mkdir()
        (each / "file").touch()
    assert mlops("init", str(mine), "--yes").code == 0
    assert (left.exists(), used.exists()) == (False, True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with a folder on it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a file system")
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk(mlops: Command, disk: Path) -> None:
    """A disk without room is one line, and stays as it was."""
    (disk / "mine.txt").touch()
    for folder in (disk, disk / "new"):
        done = mlops("init", str(folder), "--yes")
        assert done.code == 2
        assert len(done.err.splitlines()) == 1
        assert list(content(disk)) == ["mine.txt"]


def test_a_read_only_folder(mlops: Command, disk: Path) -> None:
    """It is told before anything is begun."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for folder in (disk, disk / "new"):
        done = mlops("init", str(folder), "--yes")
        assert (done.code, done.err) == (
            2,
            f"Error: {disk} cannot be written. Name another folder.\n",
        )


def test_bad_input_is_one_line(
    mlops: Command, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be is refused with one line, exit code 2 and nothing written."""
    (mine / "run.sh").write_text("changed", "utf-8")
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "mlops.toml").touch()
    before = content(tmp_path)
    for folder, why in {
        mine: "not committed (run.sh)",
        mine / "run.sh": "is a file",
        tmp_path / "outer" / "inner": "lies inside the project",
    }.items():
        done = mlops("init", str(folder), "--yes")
        assert (done.code, why in done.err, len(done.err.splitlines())) == (2, True, 1)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in mlops("init", str(tmp_path / "new")).err
    assert content(tmp_path) == before


def test_no_network_is_needed(tmp_path: Path) -> None:
    """In a machine without any network a project is made all the same."""
    alone = ["unshare", "--net"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us leave its network")
    command = [*alone, sys.executable, "-m", "jupyter_mlops", "init", str(tmp_path / "new")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Install all of it, by network:" in done.stdout
