"""What clients and the worker say to each other: requests and the views that answer them.

Times are ISO 8601 in UTC, durations seconds, sizes bytes. Paths are relative to the project, with
forward slashes. Parameters and metrics are encoded by `jupyter_mlops.core.values`, so that NaN and
infinity survive JSON.
"""

from __future__ import annotations

from .base import (
    PROTOCOL,
    Count,
    Empty,
    ErrorDetail,
    ErrorView,
    Moment,
    Name,
    Path,
    Request,
    View,
)
from .notebooks import (
    CandidateCell,
    NotebookQuery,
    ParametersView,
    ParameterView,
    PreviewView,
    SpaceRequest,
    SubmitRequest,
)
from .runs import (
    AttemptView,
    BestView,
    Counts,
    ListQuery,
    MetricSeries,
    MetricsQuery,
    PruningView,
    RunDetail,
    RunsQuery,
    RunView,
    SearchView,
    SweepView,
)
from .tracking import (
    AliasRequest,
    FinishRequest,
    LogRequest,
    ModelVersionView,
    Point,
    RegisterRequest,
    SessionRequest,
    SessionView,
)
from .worker import (
    DrainRequest,
    EventsQuery,
    EventView,
    Finding,
    HealthView,
    ProjectQuery,
    ProjectView,
    StatusView,
)

__all__ = [
    "PROTOCOL",
    "AliasRequest",
    "AttemptView",
    "BestView",
    "CandidateCell",
    "Count",
    "Counts",
    "DrainRequest",
    "Empty",
    "ErrorDetail",
    "ErrorView",
    "EventView",
    "EventsQuery",
    "Finding",
    "FinishRequest",
    "HealthView",
    "ListQuery",
    "LogRequest",
    "MetricSeries",
    "MetricsQuery",
    "ModelVersionView",
    "Moment",
    "Name",
    "NotebookQuery",
    "ParameterView",
    "ParametersView",
    "Path",
    "Point",
    "PreviewView",
    "ProjectQuery",
    "ProjectView",
    "RegisterRequest",
    "Request",
    "PruningView",
    "RunDetail",
    "RunView",
    "RunsQuery",
    "SessionRequest",
    "SessionView",
    "SearchView",
    "SpaceRequest",
    "StatusView",
    "SubmitRequest",
    "SweepView",
    "View",
]
