"""Model versions, as the Python API returns them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from ..app import messages as m
from ..app import operations as ops
from ..app.client import connect
from ..app.projects import Project
from ..core.values import decode
from ..reports import Report
from ..reports import models as reports
from .base import Shown


class ModelVersion(Shown):
    """One version of a registered model."""

    def __init__(self, project: Project, view: m.ModelVersionView) -> None:
        self._project = project
        self._view = view

    @property
    def name(self) -> str:
        """The model's name."""
        return self._view.name

    @property
    def version(self) -> int:
        """The number of the version, from 1."""
        return self._view.version

    @property
    def aliases(self) -> list[str]:
        """The aliases that point at it."""
        return list(self._view.aliases)

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics of the run that made it."""
        return {name: decode(each) for name, each in self._view.metrics.items()}

    @property
    def run_id(self) -> str | None:
        """The run that made it; None if it came from elsewhere."""
        return self._view.run_id

    @property
    def uri(self) -> str:
        """What MLflow calls it: ``mlflow.pyfunc.load_model(version.uri)``."""
        return f"models:/{self.name}/{self.version}"

    def set_alias(self, alias: str) -> Self:
        """Point an alias at this version; it leaves the version that it pointed at before."""
        body = m.AliasRequest(version=self.version)
        client = connect(self._project)
        self._view = client.call(ops.SET_ALIAS, body=body, name=self.name, alias=alias)
        return self

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.model_report(self._view)

    def record(self) -> m.ModelVersionView:
        """Return what to tell a program."""
        return self._view


class ModelList(list[ModelVersion], Shown):
    """Model versions, as a list and as a table."""

    def __init__(self, versions: Iterable[ModelVersion]) -> None:
        super().__init__(versions)

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.models_report(self.record())

    def record(self) -> list[m.ModelVersionView]:
        """Return what to tell a program."""
        return [version.record() for version in self]

    __repr__ = Shown.__repr__


def list_models(project: Project) -> ModelList:
    """Return every version of every model of a project."""
    views = connect(project).call(ops.LIST_MODELS)
    return ModelList(ModelVersion(project, view) for view in views)


def register_model(project: Project, name: str, request: m.RegisterRequest) -> ModelVersion:
    """Make the model of a run, or of a sweep's best one, a version of the model ``name``."""
    view = connect(project).call(ops.REGISTER_MODEL, body=request, name=name)
    return ModelVersion(project, view)
