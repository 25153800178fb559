"""Environments with another MLflow than ours, installed from the package index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: A released MLflow whose database has another schema.
OTHER = "3.14.0"


def make_environment(folder: Path, *packages: str) -> Path:
    """Make an environment with packages and ipykernel, and return its Python.

    Skips the test if the packages cannot be installed, as without a network.
    """
    python = folder / "env" / "bin" / "python"
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(folder / "env")],
        ["pip", "install", "--quiet", "--python", str(python), "ipykernel", *packages],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "uv", *command], capture_output=True, text=True, check=False
        )
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            pytest.skip(f"{' '.join(packages)} cannot be installed: {why}")
    return python
