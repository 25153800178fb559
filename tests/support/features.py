"""Projects with features, and records of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_mlops.catalog.place import Place
from jupyter_mlops.core.features import Computation, Partition, Source, Statistics, Why


def place(root: Path, sources: Mapping[str, Source] | None = None) -> Place:
    """Return where a project's features lie, as its settings would say."""
    return Place(
        root=root,
        modules=root / "features",
        data=root / ".mlops" / "features",
        online=f"sqlite:///{root}/.mlops/online.db",
        sources=sources or {},
    )


def computation(**changes: Any) -> Computation:
    """Return a record of a computation, with what matters changed."""
    made = Computation(
        feature="flights.delay",
        version="a" * 12,
        code_hash="c" * 64,
        sources={"flights": "f" * 64},
        computed_at=datetime(2013, 3, 1, 6, 30, tzinfo=UTC),
        why=Why.NEW,
        seconds=0.5,
        peak_memory=1 << 28,
        rows=3,
        type="double",
        entity=("carrier",),
        timestamp="known",
        first=datetime(2013, 1, 1, tzinfo=UTC),
        last=datetime(2013, 2, 3, tzinfo=UTC),
        partitions=(
            Partition(name="2013-01", rows=2, size=900),
            Partition(name="2013-02", rows=1, size=800),
        ),
        statistics=Statistics(
            rows=3,
            missing=0,
            distinct=3,
            minimum=1.0,
            maximum=3.0,
            mean=2.0,
            deviation=1.0,
            edges=(1.0, 2.0, 3.0),
            counts=(1, 2),
            values=(("a", 2), ("b", 1)),
        ),
    )
    return replace(made, **changes)
