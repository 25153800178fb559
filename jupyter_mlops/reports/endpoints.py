"""What to say about endpoints."""

from __future__ import annotations

from collections.abc import Sequence

from ..app import messages as m
from ..core import formats
from ..core.endpoints import EndpointStatus
from .form import Column, Report, Table

_MARKS = {
    EndpointStatus.STARTING: "◐",
    EndpointStatus.READY: "✓",
    EndpointStatus.RESTARTING: "◐",
    EndpointStatus.FAILED: "✗",
}


def endpoints_report(endpoints: Sequence[m.EndpointView]) -> Report:
    """Report endpoints as a list."""
    if not endpoints:
        return Report(
            headline="No model is served.",
            hints=(("Serve the champion of a model", "mlops models serve NAME@champion"),),
        )
    columns = (
        Column("model"),
        Column("version", right=True),
        Column("state"),
        Column("requests", right=True),
        Column("failed", right=True),
        Column("p50", right=True),
        Column("p95", right=True),
        Column("since", right=True, spare=True),
        Column("trouble", spare=True),
    )
    rows = (
        [
            each.name,
            _version(each),
            _state(each),
            f"{each.requests:,}",
            f"{each.failures:,}",
            _milliseconds(each.p50),
            _milliseconds(each.p95),
            formats.ago(each.since),
            each.error or "",
        ]
        for each in endpoints
    )
    return Report(
        headline=formats.counted(len(endpoints), "endpoint"), table=Table.of(columns, rows)
    )


def endpoint_report(endpoint: m.EndpointView) -> Report:
    """Report one endpoint."""
    details = [f"{_state(endpoint)}, below the Jupyter server's URL at {endpoint.address}"]
    if endpoint.error:
        details.append(endpoint.error)
    if endpoint.requests:
        details.append(
            f"{endpoint.requests:,} requests, {endpoint.failures:,} refused or failed, "
            f"p50 {_milliseconds(endpoint.p50)}, p95 {_milliseconds(endpoint.p95)}"
        )
    back = (
        ((f"Back to v{endpoint.previous}", f"mlops endpoints rollback {endpoint.name}"),)
        if endpoint.previous is not None
        else ()
    )
    return Report(
        headline=f"{endpoint.name} {_version(endpoint)}",
        details=tuple(details),
        hints=(*back, ("All endpoints", "mlops endpoints list")),
    )


def _version(endpoint: m.EndpointView) -> str:
    alias = f" @{endpoint.alias}" if endpoint.alias else ""
    return f"v{endpoint.version}{alias}"


def _state(endpoint: m.EndpointView) -> str:
    following = (
        f" (loads v{endpoint.next})" if endpoint.next not in (None, endpoint.version) else ""
    )
    return f"{_MARKS[endpoint.status]} {endpoint.status}{following}"


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.1f} ms"
