"""Answers of the worker, made up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jupyter_mlops.app import messages as m
from jupyter_mlops.core.runs import Status, SweepKind

TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def run_view(index: int = 1, **changes: Any) -> m.RunView:
    """A run that succeeded."""
    fields: dict[str, Any] = {
        "id": f"k3m9x2ab-{index}",
        "sweep_id": "k3m9x2ab",
        "kind": SweepKind.SWEEP,
        "index": index,
        "notebook": "train.ipynb",
        "parameters": {"depth": index, "seed": 0},
        "status": Status.SUCCEEDED,
        "reason": None,
        "error": None,
        "metrics": {"auc": 0.5, "loss": 0.1},
        "metric": "auc",
        "value": 0.5,
        "maximize": True,
        "attempts": 1,
        "cell": 3,
        "cells": 3,
        "created_at": TIME,
        "started_at": TIME,
        "finished_at": TIME,
        "duration": 4.2,
        "output": f"runs/train/k3m9x2ab/k3m9x2ab-{index}.ipynb",
        "experiment": "train",
        "mlflow_run_id": "0" * 32,
    }
    return m.RunView(**fields | changes)


def sweep_view(**changes: Any) -> m.SweepView:
    """A sweep that has finished."""
    fields: dict[str, Any] = {
        "id": "k3m9x2ab",
        "kind": SweepKind.SWEEP,
        "notebook": "train.ipynb",
        "space": {"depth": "1..3"},
        "mode": "grid",
        "total": 3,
        "counts": m.Counts(succeeded=3),
        "status": Status.SUCCEEDED,
        "metric": "auc",
        "maximize": True,
        "best": m.BestView("k3m9x2ab-2", 0.731, {"depth": 2, "seed": 0}),
        "experiment": "train",
        "executor": "local",
        "cpus": 1,
        "priority": 0,
        "created_at": TIME,
        "started_at": TIME,
        "finished_at": TIME,
        "duration": 12.0,
        "remaining": None,
        "mlflow_run_id": "1" * 32,
        "source_changed": False,
    }
    return m.SweepView(**fields | changes)
