"""Endpoints, as the Python API returns them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from ..app import messages as m
from ..app import operations as ops
from ..app import serving_operations
from ..app.client import connect
from ..app.projects import Project
from ..core.exceptions import EndpointFailed, NotFound
from ..reports import Report
from ..reports import endpoints as reports
from .base import Shown

#: Seconds after which an endpoint is looked at, though no event tells of it.
_LOOK_EVERY = 5.0


class Endpoint(Shown):
    """A model that is served."""

    def __init__(self, project: Project, view: m.EndpointView) -> None:
        self._project = project
        self.view = view

    def wait(self) -> Self:
        """Return when the version answers that was asked for. Raises `EndpointFailed`."""
        client = connect(self._project)
        seq = client.call(ops.STATUS).seq
        self._refresh()
        while self.view.next is not None:
            for event in client.events(seq, beat=_LOOK_EVERY):
                seq = event.seq if event is not None else seq
                if event is None or event.kind == "endpoint":
                    break
            self._refresh()
        if self.view.error is not None:
            raise EndpointFailed(f"{self.view.name} {self.view.error}")
        return self

    def _refresh(self) -> None:
        for each in connect(self._project).call(serving_operations.LIST_ENDPOINTS):
            if each.name == self.view.name:
                self.view = each
                return
        raise NotFound(f"{self.view.name} is no longer served.")

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.endpoint_report(self.view)

    def record(self) -> m.EndpointView:
        """Return what to tell a program."""
        return self.view


class EndpointList(list[Endpoint], Shown):
    """Endpoints, as a list and as a table."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        super().__init__(endpoints)

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.endpoints_report(self.record())

    def record(self) -> list[m.EndpointView]:
        """Return what to tell a program."""
        return [each.record() for each in self]

    __repr__ = Shown.__repr__


def list_endpoints(project: Project) -> EndpointList:
    """Return the models that a project serves."""
    views = connect(project).call(serving_operations.LIST_ENDPOINTS)
    return EndpointList(Endpoint(project, view) for view in views)


def serve_model(project: Project, name: str, request: m.ServeRequest) -> Endpoint:
    """Begin to serve a version of a model."""
    view = connect(project).call(
        serving_operations.SERVE_MODEL, body=request, timeout=None, name=name
    )
    return Endpoint(project, view)


def roll_back(project: Project, name: str) -> Endpoint:
    """Begin to serve the version that was served before."""
    return Endpoint(
        project, connect(project).call(serving_operations.ROLL_BACK, timeout=None, name=name)
    )


def stop_endpoint(project: Project, name: str) -> None:
    """Stop serving a model. Raises `NotFound`."""
    connect(project).call(serving_operations.STOP_ENDPOINT, timeout=None, name=name)
