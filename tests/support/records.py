"""Records for tests, with what a test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jupyter_mlops.core.resources import Capacity
from jupyter_mlops.core.runs import Sweep, SweepKind, new_id


def a_sweep(**changes: Any) -> Sweep:
    """Return a sweep of one core per run."""
    base = Sweep(
        id=new_id(),
        kind=SweepKind.SWEEP,
        notebook="train.ipynb",
        notebook_hash="0" * 64,
        space={"x": "1, 2"},
        mode="grid",
        total=2,
        experiment="train",
        metric="auc",
        maximize=True,
        cpus=1,
        memory=None,
        gpus=0,
        timeout=None,
        retries=0,
        priority=0,
        executor="local",
        kernel="python3",
        kernel_argv=("python", "-m", "ipykernel_launcher"),
        created_at=datetime.now(UTC),
    )
    return replace(base, **changes)


def a_machine(cores: int = 4, **changes: Any) -> Capacity:
    """Return what a machine grants that has 8 GB and no GPU."""
    return replace(Capacity(cores=cores, memory=8_000_000_000), **changes)
