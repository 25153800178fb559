"""Model versions, as the Python API returns them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypedDict

from ..app import messages as m
from ..app import model_operations
from ..app import operations as ops
from ..app.client import connect
from ..app.projects import Project
from ..core.exceptions import NotFound
from ..core.values import decode
from ..reports import Report
from ..reports import models as reports
from .base import Message, Shown


class Wanted(TypedDict, total=False):
    """Which versions of models are wanted."""

    name: str
    owner: str
    task: str
    stakeholder: str
    #: ``NAME=VALUE``, or a name.
    tag: str
    #: A comparison of a metric, such as ``auc > 0.7``.
    where: str
    #: A column that the model takes.
    feature: str
    #: A file that it was made from.
    data: str


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

    @property
    def notices(self) -> list[str]:
        """What registering it could not do, or what that will cost, a line each."""
        return list(self._view.notices)

    @property
    def card(self) -> ModelCard:
        """Its card. Raises `NotFound` if it has none."""
        return model_card(self._project, self.name, self.version)

    def set_alias(self, alias: str, *, why: str | None = None) -> Self:
        """Point an alias at this version; it leaves the version that it pointed at before."""
        body = m.AliasRequest(version=self.version, why=why)
        client = connect(self._project)
        self._view = client.call(ops.SET_ALIAS, body=body, name=self.name, alias=alias)
        return self

    def tag(self, tags: Mapping[str, str], *, notes: str | None = None) -> Self:
        """Tag this version, and write notes on it."""
        body = m.AnnotateRequest(tags=dict(tags), notes=notes)
        client = connect(self._project)
        self._view = client.call(
            model_operations.ANNOTATE_MODEL, body=body, name=self.name, version=str(self.version)
        )
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


class ModelCard(Shown):
    """The complete record of a model version, in eight parts."""

    def __init__(self, view: m.CardView) -> None:
        self._view = view

    @property
    def complete(self) -> int:
        """Number of parts that are complete."""
        return self._view.complete

    @property
    def markdown(self) -> str:
        """The card as Markdown."""
        return self._view.markdown

    def __getitem__(self, part: str) -> dict[str, Any]:
        """Return the facts of a part, such as ``card["data"]``."""
        return next(each.facts for each in self._view.parts if each.name == part)

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.card_report(self._view)

    def record(self) -> m.CardView:
        """Return what to tell a program."""
        return self._view


def list_models(project: Project, query: m.ModelsQuery | None = None) -> ModelList:
    """Return the versions of the models of a project that a query asks for; without one, all."""
    views = connect(project).call(ops.LIST_MODELS, query=query)
    return ModelList(ModelVersion(project, view) for view in views)


def model_card(project: Project, name: str, version: int | None = None) -> ModelCard:
    """Return the card of a version, of the latest one unless it is named. Raises `NotFound`."""
    client = connect(project)
    if version is None:
        found = client.call(ops.LIST_MODELS, query=m.ModelsQuery(name=name))
        if not found:
            raise NotFound(f"There is no model {name}. See: jupyter mlops models list")
        version = found[0].version
    return ModelCard(client.call(model_operations.MODEL_CARD, name=name, version=str(version)))


def compare_models(project: Project, name: str, first: int, second: int) -> Message:
    """Return two versions of a model side by side."""
    query = m.VersionsQuery(versions=f"{first},{second}")
    view = connect(project).call(model_operations.COMPARE_MODELS, query=query, name=name)
    return Message(reports.comparison_report(view), view)


def lineage(project: Project, node: str) -> Message:
    """Return what something was made from, and what was made of it."""
    view = connect(project).call(model_operations.LINEAGE, query=m.LineageQuery(node=node))
    return Message(reports.lineage_report(view, node), view)


def reproduce_model(
    project: Project,
    name: str,
    version: int,
    *,
    here: bool,
    tolerance: float,
    note: Callable[[str], None],
) -> Message:
    """Build a version again from its record; return the verdict."""
    from ..app.reproducing import reproduce

    verdict = reproduce(project, name, version, here=here, tolerance=tolerance, note=note)
    return Message(reports.verdict_report(verdict), verdict.record())


def register_model(project: Project, name: str, request: m.RegisterRequest) -> ModelVersion:
    """Make the model of a run, or of a sweep's best one, a version of the model ``name``."""
    client = connect(project)
    view = client.call(ops.REGISTER_MODEL, body=request, timeout=None, name=name)
    return ModelVersion(project, view)
