"""Conditions on two files of metrics, and what was decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

COMPARE = 'metrics("a.json").auc > metrics("b.json").auc'


def auc(folder: Path, **values: float) -> None:
    """Write metrics files."""
    for name, value in values.items():
        (folder / f"{name}.json").write_text(json.dumps({"auc": value}), "utf-8")


def decision(folder: Path, name: str = "decision.json") -> Any:
    """Read a decision, which is strict JSON."""
    return json.loads((folder / name).read_text("utf-8"), parse_constant=pytest.fail)
