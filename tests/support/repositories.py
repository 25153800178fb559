"""Folders that git and DVC keep."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def make_repository(folder: Path, **files: str) -> Path:
    """Make a git and DVC repository of some files, whose names have _ for a dot, and commit it."""
    folder.mkdir(parents=True, exist_ok=True)
    call("git", "init", "--quiet", folder=folder)
    call("dvc", "init", "--quiet", folder=folder)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    call("git", "add", "--all", folder=folder)
    call("git", "commit", "--quiet", "--message", "Begin", folder=folder)
    return folder


def call(program: str, *arguments: str, folder: Path, check: bool = True) -> str:
    """Run git or DVC in a folder and return all that it printed."""
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not check or not done.returncode, done.stdout
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    """Return variables under which DVC uses nothing of the user's, and finds our own programs."""
    own = folder.parent / f"{folder.name}.dvc"
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_GLOBAL_CONFIG_DIR": str(own / "global"),
        "DVC_SYSTEM_CONFIG_DIR": str(own / "system"),
        "DVC_SITE_CACHE_DIR": str(own / "site"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_TEST": "1",
    }
