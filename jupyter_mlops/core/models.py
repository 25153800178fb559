"""Model versions in the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelVersion:
    """One version of a registered model."""

    name: str
    version: int
    aliases: tuple[str, ...]
    description: str
    tags: dict[str, str]
    created_at: datetime
    #: Our run that made the model and the tracker's; None if it came from elsewhere.
    run_id: str | None
    mlflow_run_id: str | None
    metrics: dict[str, float]
    parameters: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracked:
    """What the tracker keeps of a run that logged a model."""

    metrics: dict[str, float]
    parameters: dict[str, str]
    #: Paths of its files.
    artifacts: tuple[str, ...] = ()
    #: Name, digest and context of MLflow's datasets.
    datasets: tuple[dict[str, Any], ...] = ()
