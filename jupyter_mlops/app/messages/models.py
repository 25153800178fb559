"""Model cards, and what is asked of versions."""

from __future__ import annotations

from typing import Any

import msgspec

from ...core.cards import PartName, PartStatus
from .base import Moment, Request, View
from .tracking import ModelVersionView


class PartView(View):
    """One of the eight parts of a card."""

    name: PartName
    status: PartStatus
    #: What would complete it, in one line; None if it is complete.
    line: str | None
    facts: dict[str, Any]


class AliasView(View):
    """That an alias was pointed at a version."""

    alias: str
    version: int
    by: str
    at: Moment
    why: str | None


class CardView(View):
    """The complete record of a model version."""

    version: ModelVersionView
    complete: int
    parts: list[PartView]
    #: The card as Markdown.
    markdown: str
    #: Which aliases were pointed at this version, oldest first.
    aliases: list[AliasView] = msgspec.field(default_factory=list)
    #: Folder of the record that git tracks, if there is one.
    record: str | None = None


class ModelsQuery(Request):
    """Which versions; what is not named does not matter."""

    name: str | None = None
    owner: str | None = None
    task: str | None = None
    stakeholder: str | None = None
    #: ``NAME=VALUE``, or a name.
    tag: str | None = None
    #: A comparison of a metric, such as ``auc > 0.7``.
    where: str | None = None
    #: A column that the model takes.
    feature: str | None = None
    #: A file that it was made from.
    data: str | None = None


class AnnotateRequest(Request):
    """Tag a version, and write notes on it."""

    tags: dict[str, str] = msgspec.field(default_factory=dict)
    notes: str | None = None


class VersionsQuery(Request):
    """Two versions, with a comma between them."""

    versions: str


class DifferenceView(View):
    """One fact that two versions differ in, or share."""

    part: str
    name: str
    first: Any
    second: Any
    differs: bool


class ComparisonView(View):
    """Two versions side by side, what differs first."""

    model: str
    first: int
    second: int
    differences: list[DifferenceView]


class NodeView(View):
    """Something in a lineage."""

    id: str
    #: ``data``, ``feature``, ``run``, ``version`` or ``endpoint``.
    kind: str
    name: str
    about: str | None = None


class LineageView(View):
    """What was made from what: edges lead from the source to what was made of it."""

    nodes: list[NodeView]
    edges: list[tuple[str, str]]


class LineageQuery(Request):
    """Where to begin: a node's id, such as ``data:flights.parquet`` or ``version:flights/3``."""

    node: str
