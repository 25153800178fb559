"""What the worker can be asked about models that are served, and predictions for files."""

from __future__ import annotations

from typing import Any

from . import messages as m
from .operation import Operation

PREDICT_MODEL = Operation(
    "predict_model",
    "POST",
    "/models/{name}/predictions",
    "execute",
    "Predict the rows of a file, as a queued run",
    m.SweepView,
    body=m.PredictRequest,
)
CHECK_MODEL = Operation(
    "check_model",
    "POST",
    "/models/{name}/check",
    "execute",
    "Compare a model's predictions online and in a batch, as a queued run",
    m.SweepView,
    body=m.CheckRequest,
)
MONITOR_MODEL = Operation(
    "monitor_model",
    "POST",
    "/models/{name}/monitoring",
    "execute",
    "Compare an endpoint's requests with the training data and true labels, as a queued run",
    m.SweepView,
    body=m.MonitoringRequest,
)
GET_MONITORING = Operation(
    "get_monitoring",
    "GET",
    "/models/{name}/monitoring",
    "read",
    "What the last comparison of an endpoint's requests has found",
    m.MonitoringView,
)
EXPORT_MODEL = Operation(
    "export_model",
    "POST",
    "/models/{name}/exports",
    "execute",
    "Write what it takes to deploy a version of a model elsewhere; nothing is deployed",
    m.ExportView,
    body=m.ExportRequest,
)
LIST_ENDPOINTS = Operation(
    "list_endpoints",
    "GET",
    "/endpoints",
    "read",
    "The models that are served, and how they do",
    list[m.EndpointView],
)
GET_ENDPOINT = Operation(
    "get_endpoint",
    "GET",
    "/endpoints/{name}",
    "read",
    "A model that is served, and what may be asked of it",
    m.EndpointDetail,
)
ENDPOINT_LOG = Operation(
    "endpoint_log",
    "GET",
    "/endpoints/{name}/log",
    "read",
    "What an endpoint's processes have printed last",
    m.EndpointLog,
)
SERVE_MODEL = Operation(
    "serve_model",
    "PUT",
    "/endpoints/{name}",
    "execute",
    "Serve a version of a model, in place of the one that is served",
    m.EndpointView,
    body=m.ServeRequest,
)
ROLL_BACK = Operation(
    "roll_back",
    "POST",
    "/endpoints/{name}/rollback",
    "execute",
    "Serve the version that was served before",
    m.EndpointView,
)
STOP_ENDPOINT = Operation(
    "stop_endpoint", "DELETE", "/endpoints/{name}", "execute", "Stop serving a model", m.Empty
)

OPERATIONS: tuple[Operation[Any], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Operation)
)
