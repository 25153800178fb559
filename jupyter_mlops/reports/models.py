"""What to say about registered models."""

from __future__ import annotations

from collections.abc import Sequence

from ..app import messages as m
from ..core import formats
from .form import Column, Report, Table


def models_report(versions: Sequence[m.ModelVersionView]) -> Report:
    """Report model versions as a list."""
    if not versions:
        return Report(
            headline="No model is registered yet.",
            hints=(("Register the best of a sweep", "mlops register NAME SWEEP"),),
        )
    columns = (
        Column("model"),
        Column("version", right=True),
        Column("aliases"),
        Column("run"),
        Column("metrics", spare=True),
        Column("registered", right=True),
    )
    rows = (
        [
            version.name,
            f"v{version.version}",
            " ".join(f"@{alias}" for alias in version.aliases),
            version.run_id or "",
            formats.pairs(version.metrics, limit=50),
            formats.ago(version.created_at),
        ]
        for version in versions
    )
    return Report(
        headline=formats.counted(len(versions), "model version"), table=Table.of(columns, rows)
    )


def model_report(version: m.ModelVersionView) -> Report:
    """Report one model version."""
    aliases = "".join(f" @{alias}" for alias in version.aliases)
    details = []
    if version.run_id:
        details.append(f"From run {version.run_id}")
    if version.metrics:
        details.append(formats.pairs(version.metrics, limit=200))
    return Report(
        headline=f"{version.name} v{version.version}{aliases}",
        details=tuple(details),
        hints=(("All models", "mlops models list"),),
    )
