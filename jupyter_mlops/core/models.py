"""Model versions in the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
