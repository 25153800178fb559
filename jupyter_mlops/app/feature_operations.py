"""What the worker can be asked about features."""

from __future__ import annotations

from typing import Any

from . import messages as m
from .operation import Operation

LIST_FEATURES = Operation(
    "list_features",
    "GET",
    "/features",
    "read",
    "The catalog of features, searched by name, text, entity, owner, tag and type",
    m.FeaturesView,
    query=m.FeaturesQuery,
)
GET_FEATURE = Operation(
    "get_feature",
    "GET",
    "/features/{name}",
    "read",
    "All that is known of a feature",
    m.FeatureDetail,
    query=m.FeatureQuery,
)
COMPUTE_FEATURES = Operation(
    "compute_features",
    "POST",
    "/feature-runs/compute",
    "execute",
    "Compute features, those alone that are not fresh, as a queued run",
    m.SweepView,
    body=m.ComputeRequest,
)
JOIN_FEATURES = Operation(
    "join_features",
    "POST",
    "/feature-runs/join",
    "execute",
    "Join features to the rows of a file, each as it was known then, as a queued run",
    m.SweepView,
    body=m.JoinRequest,
)
CHECK_FEATURES = Operation(
    "check_features",
    "POST",
    "/feature-runs/check",
    "execute",
    "Compare a sample of features online and offline, as a queued run",
    m.SweepView,
    body=m.CompareFeaturesRequest,
)
WATCH_FEATURES = Operation(
    "watch_features",
    "POST",
    "/feature-runs/drift",
    "execute",
    "Compare features with what they were when a model was trained, as a queued run",
    m.SweepView,
    body=m.DriftRequest,
)
EXPORT_FEATURES = Operation(
    "export_features",
    "POST",
    "/feature-exports",
    "execute",
    "Write the catalog for Feast, DataHub or Amundsen",
    m.FeatureExportView,
    body=m.FeatureExportRequest,
)

OPERATIONS: tuple[Operation[Any], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Operation)
)
