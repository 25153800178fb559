"""What somebody reads whose machine lacks what the set-up needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL = shutil.which("sh") or "/bin/sh"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs, the only one in PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sed", "env", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def set_up(programs: Path, venv: Path) -> list[str]:
    """Run the first step of the set-up, which fails; return what it says, line by line."""
    python = {"PYTHON": os.path.realpath(sys.executable), "PIP_CONFIG_FILE": os.devnull}
    # Nobody listens there, as where there is no network.
    index = {"PIP_INDEX_URL": "http://127.0.0.1:9"}
    done = subprocess.run(
        [SHELL, "scripts/create-venv.sh", str(venv)],
        cwd=ROOT,
        env={"PATH": str(programs), **python, **index},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()


def write_node(programs: Path, version: str) -> None:
    """Write a program that says that it is a Node."""
    node = programs / "node"
    fits = int(version.split(".", maxsplit=1)[0]) >= 20
    node.write_text(
        f'#!{SHELL}\n[ "$1" = --version ] && echo v{version} && exit\nexit {int(not fits)}\n'
    )
    node.chmod(0o755)


def test_no_node(programs: Path, tmp_path: Path) -> None:
    """It says what to install, and has made nothing."""
    assert set_up(programs, tmp_path / "venv") == ["Node is missing: install Node 20 or newer."]
    assert not (tmp_path / "venv").exists()


def test_an_old_node(programs: Path, tmp_path: Path) -> None:
    """It says which one there is."""
    write_node(programs, "18.19.0")
    expected = ["Node v18.19.0 is too old: install Node 20 or newer."]
    assert set_up(programs, tmp_path / "venv") == expected


def test_offline(programs: Path, tmp_path: Path) -> None:
    """The last line says what could not be fetched, and that the same can be run again."""
    write_node(programs, "20.11.0")
    last = set_up(programs, tmp_path / "venv")[-1]
    assert last.startswith("uv==")
    assert last.endswith("Is there a network? Run the same again when there is.")
