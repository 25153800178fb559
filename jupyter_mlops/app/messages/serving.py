"""Endpoints: models that are served."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ...core.endpoints import EndpointStatus
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


class RowsRequest(Request):
    """Rows of a file that a version of a model is to predict, as a queued run."""

    #: A file, a pattern, or a database with ``table``; relative to the project's folder.
    input: Path
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


class MonitoringRequest(RowsRequest, kw_only=True):
    """Compare what an endpoint keeps with the training data, and with true labels."""

    #: File of true labels, the columns that tell which request each belongs to, and its own.
    labels: Path | None = None
    on: list[Name] = msgspec.field(default_factory=list)
    label: Name | None = None
    #: Distance of a feature, from 0 to 1, above which the run fails; None fails never.
    allowed: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
