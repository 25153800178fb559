"""Endpoints: models that are served."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ...core.endpoints import EndpointStatus, Environment
from ...core.exports import Target
from ...core.runs import Status
from .base import Count, Moment, Name, Path, Request, View


class MonitorRequest(Request):
    """What an endpoint keeps of its requests, and who else is asked."""

    #: Columns of the requests; the predictions are kept beside them.
    columns: list[Name]
    #: Share of the requests that is kept; 0 keeps none.
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    #: Version that is asked the same, whose predictions are kept but not answered.
    challenger: Count | None = None


class ServeRequest(Request):
    """Serve a version of a model, in place of the one that is served."""

    #: The version's number or an alias; neither means the latest one.
    version: Count | None = None
    alias: Name | None = None
    #: None leaves it as it is.
    monitor: MonitorRequest | None = None
    environment: Environment | None = None


class ColumnView(View):
    """A column that a model asks for."""

    name: str
    #: MLflow's word, such as ``double``, ``long``, ``string``.
    type: str
    required: bool


class EndpointView(View):
    """A model that is served, and how it does."""

    #: The model's name.
    name: str
    version: int
    #: The alias by which the version was asked for.
    alias: str | None
    status: EndpointStatus
    #: The version that is being loaded to take its place.
    next: int | None
    #: The version to which one may go back.
    previous: int | None
    #: What went wrong last.
    error: str | None
    #: Below the Jupyter server's base URL.
    address: str
    #: All that were answered, and those of them that were refused or failed.
    requests: int
    failures: int
    #: Seconds within which a half, and 95 %, of the last requests were answered.
    p50: float | None
    p95: float | None
    #: How often its process was started again.
    restarts: int
    #: The columns that are kept of its requests, the share, and the version that challenges it.
    monitored: list[str]
    share: float
    challenger: int | None
    #: Where the model is loaded.
    environment: Environment
    #: What its process prints.
    log: str
    created_at: Moment
    #: Since when this version is served.
    since: Moment


class EndpointDetail(View):
    """An endpoint, and what may be asked of it."""

    endpoint: EndpointView
    #: The columns of its signature; none if it takes something else than a table.
    columns: list[ColumnView]
    #: A request that was kept with the model.
    example: Any


class ModelRunRequest(Request, kw_only=True):
    """What a version of a model is to do, as a queued run."""

    #: Table of a database.
    table: Name | None = None
    version: Count | None = None
    alias: Name | None = None
    #: Cores and bytes of the run.
    cpus: Count | None = None
    memory: Count | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None
    priority: int = 0
    kernel: Name | None = None
    #: Variables for the kernel; kept in memory, never stored.
    environment: dict[str, str] | None = None
    #: The attempt from within which this is submitted, if any.
    parent_attempt: str | None = None


class RowsRequest(ModelRunRequest, kw_only=True):
    """Rows of a file that a version of a model is to predict."""

    #: A file, a pattern, or a database with ``table``; relative to the project's folder.
    input: Path


class PredictRequest(RowsRequest, kw_only=True):
    """Write the predictions of a file's rows to another file."""

    output: Path
    #: Rows to take from the beginning; None means all.
    rows: Count | None = None
    #: Rows that are predicted at a time; None means by the number of columns.
    chunk: Count | None = None
    #: Whether the input's columns are left out of the output.
    only_predictions: bool = False


class CheckRequest(RowsRequest, kw_only=True):
    """Compare a model's predictions online and in a batch."""

    rows: Count = 1000
    #: By how much two numbers may differ.
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class MonitoringRequest(ModelRunRequest, kw_only=True):
    """Compare what an endpoint keeps with the training data, and with true labels."""

    #: The training data; None means the sample of them that was logged with the model.
    input: Path | None = None
    #: File of true labels, the columns that tell which request each belongs to, and its own.
    labels: Path | None = None
    on: list[Name] = msgspec.field(default_factory=list)
    label: Name | None = None
    #: Distance of a feature, from 0 to 1, above which the run fails; None fails never.
    allowed: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class DriftView(View):
    """How far the values of a feature are from those of the training data."""

    feature: str
    #: From 0, the same distribution, to 1.
    distance: float


class QualityView(View):
    """A metric of what was predicted, once the truth is known."""

    metric: str
    #: Of the version that is served and of its challenger, and what the model's card says.
    served: float | None
    challenger: float | None
    card: float | None
    #: Days in UTC, such as ``2026-03-01``, and what the served version reached on each.
    days: list[str]
    values: list[float | None]


class MonitoringView(View):
    """What the last comparison of an endpoint's requests has found."""

    #: The run that has compared; None if there is none yet.
    run_id: str | None
    status: Status | None
    finished_at: Moment | None
    #: Why it failed, for example because of drift above what was allowed.
    error: str | None
    #: Requests that were compared.
    rows: int
    #: The distance above which it fails.
    allowed: float | None
    #: The farthest features first.
    drifts: list[DriftView]
    qualities: list[QualityView]


class EndpointLog(View):
    """What an endpoint's processes have printed last."""

    #: Relative to the project's folder.
    path: str
    text: str


class ExportRequest(Request):
    """Write what it takes to deploy a version of a model elsewhere."""

    target: Target
    #: The version's number or an alias; neither means the latest one.
    version: Count | None = None
    alias: Name | None = None
    #: An empty or new folder; None means one below ``exports`` in the project.
    output: Path | None = None
    #: Name of the image, where one is pulled.
    image: Name | None = None
    #: Type of the machine; None means a small one.
    machine: Name | None = None
    #: SageMaker's execution role, and where the packed model will lie.
    role: Name | None = None
    data: Name | None = None


class ExportView(View):
    """What was written. Nothing was deployed."""

    name: str
    version: int
    target: Target
    folder: str
    #: How the targets call it.
    label: str
    image: str | None
    data: str | None
