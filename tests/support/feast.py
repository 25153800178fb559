"""Feast, which lives in an environment of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

#: Its Python, as `make` installs it from requirements/feast.txt.
PYTHON = Path(sys.prefix) / "feast" / "bin" / "python"


def installed() -> bool:
    """Whether there is Feast."""
    return (PYTHON.parents[1] / ".made").exists()


def python() -> Path:
    """Return the Python that has Feast. Skips the test if there is none."""
    if not installed():
        pytest.skip("Feast is not installed (make test and make bench do it).")
    return PYTHON
