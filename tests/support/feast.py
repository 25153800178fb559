"""Feast, which lives in an environment of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

#: Its Python, as `make` installs it from requirements/feast.txt.
PYTHON = Path(sys.prefix) / "feast" / "bin" / "python"


def python() -> Path:
    """Return the Python that has Feast. Skips the test if there is none."""
    if not (PYTHON.parents[1] / ".made").exists():
        pytest.skip("Feast is not installed (make test and make bench do it).")
    return PYTHON
