"""Folders that become projects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.repositories import call


def make_mine(folder: Path) -> Path:
    """Make a git repository of files, some of which ours would be called, too."""
    (folder / "src").mkdir(parents=True)
    for name, data in {
        ".gitignore": b"*.log\r\n/runs",
        "README.md": b"# Mine\n",
        "pyproject.toml": b"[project]\nname = 'mine'\nversion = '1'\n",
        "src/model.py": b"x = 1\n",
        "run.sh": b"#!/bin/sh\n",
    }.items():
        (folder / name).write_bytes(data)
    (folder / ".gitignore").chmod(0o600)
    call("git", "init", "--quiet", folder=folder)
    call("git", "add", "--all", folder=folder)
    call("git", "commit", "--quiet", "--message", "Mine", folder=folder)
    return folder


def content(folder: Path) -> dict[str, Any]:
    """Return all files of a folder with their modes and what they hold, those of git too."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    } | {f"{path.relative_to(folder)}/": "" for path in folder.rglob("*") if path.is_dir()}
