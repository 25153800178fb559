"""Searches of runs, and runs side by side."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .base import View
from .runs import RunsQuery, RunView

Query = Annotated[str, msgspec.Meta(max_length=2_000)]


class SearchQuery(RunsQuery):
    """Which runs, in which order; without one the newest sweep is first."""

    #: Like ``metrics.auc > 0.9 and params.depth = 3``.
    where: Query | None = None
    #: Like ``-metrics.auc,params.depth``: a minus puts the highest first.
    sort: Query | None = None


class RunPage(View):
    """A page of runs."""

    runs: list[RunView]
    #: Number of runs on all pages.
    total: int
    offset: int
    #: Why there may be fewer than expected, such as a name that no run has.
    notes: list[str] = msgspec.field(default_factory=list)


class FieldsView(View):
    """What runs can be searched and sorted by; parameters and metrics are those of recent runs."""

    facts: list[str]
    parameters: list[str]
    metrics: list[str]
