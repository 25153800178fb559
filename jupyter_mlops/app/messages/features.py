"""Features: the catalog, what computing told, and what is asked of them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ...core.features import Why
from .base import Count, Moment, Request, View


class FeaturesQuery(Request):
    """Which features; what is not named does not matter."""

    #: Words that the name, description, entity, owner, tags or type contain.
    text: str | None = None
    entity: str | None = None
    owner: str | None = None
    tag: str | None = None
    type: str | None = None
    #: Features to leave out at the beginning, and to return at most.
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Count | None = None
    #: Who asks; the server extension says it for the browser.
    user: str | None = None


class FeatureQuery(Request):
    """Who asks, which the server extension says for the browser, and what for."""

    user: str | None = None
    #: Whether the registry is asked for models, for which a worker that just began takes seconds.
    models: bool = True


class FeatureView(View):
    """A feature in a list."""

    #: Full name, ``group.feature``.
    name: str
    group: str
    #: First line of its description.
    summary: str
    entity: list[str]
    timestamp: str | None
    owner: str | None
    tags: list[str]
    type: str | None
    sensitivity: str | None
    #: What its author says of its cost.
    cost: str | None
    #: How long a value holds, in seconds.
    ttl: float | None
    #: Whether it is computed when it is asked for, from the request.
    on_demand: bool
    #: Whether who asks may read its values; statistics and times of values are left out if not.
    readable: bool
    #: What computing it now would be for: ``fresh`` if nothing has changed; None on demand.
    state: Why | None
    version: str | None = None
    computed_at: Moment | None = None
    rows: int | None = None
    #: Share of values that are missing.
    missing: float | None = None
    #: Time of the newest value.
    last: Moment | None = None
    #: When the online store was filled with it.
    online_at: Moment | None = None


class FeatureProblem(View):
    """What is wrong with a definition."""

    #: Full name of the feature, or the path of the module.
    where: str
    #: The module's path in the project.
    path: str
    line: str


class FeaturesView(View):
    """A page of the catalog."""

    features: list[FeatureView]
    #: Number of features that were looked for, on all pages, and of all that there are.
    found: int
    total: int
    problems: list[FeatureProblem]
    #: What there is to filter by.
    entities: list[str]
    owners: list[str]
    tags: list[str]
    types: list[str]


class StatisticsView(View):
    """What the values of a feature look like."""

    rows: int
    missing: int
    distinct: int | None
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None
    #: Edges of the histogram's bars, one more than counts; empty unless values are numbers.
    edges: list[float]
    counts: list[int]
    #: The most frequent values of anything else, with their counts.
    values: list[tuple[str, int]]


class SourceView(View):
    """A table that features are made from."""

    name: str
    #: Where it is, without secrets.
    place: str
    timestamp: str | None
    owner: str | None
    description: str
    #: How old the newest row may be, in seconds.
    freshness: float | None
    #: When it was changed, where that can be seen at once, and whether that is longer ago.
    changed_at: Moment | None
    late: bool


class ComputationView(View):
    """What it took to compute a feature."""

    version: str
    why: Why
    at: Moment
    seconds: float
    #: Bytes, if known.
    peak_memory: int | None
    rows: int
    engine: str
    first: Moment | None
    last: Moment | None
    partitions: int
    #: Bytes of its files.
    size: int


class FeatureModel(View):
    """A version of a model that was trained with a feature."""

    name: str
    version: int
    aliases: list[str]
    #: The feature's version that was joined, and whether its code was changed since.
    feature_version: str | None
    changed: bool


class FeatureFinding(View):
    """What a check, or a comparison of distributions, has found."""

    at: Moment
    #: Whether all is well.
    good: bool
    line: str
    #: Rows that were compared, and that differ; or the distance, as the line says.
    facts: dict[str, Any]


class FeatureDetail(View):
    """All that is known of a feature."""

    feature: FeatureView
    description: str
    code: str
    path: str
    line: int
    #: Arguments of its function, and those of them that the request gives, directly or not.
    inputs: list[str]
    request: list[str]
    #: Features that it is made from, and that are made from it, directly or not.
    upstream: list[str]
    downstream: list[str]
    #: What among these and the sources is made from what, like ``source:flights``, ``feature:a.b``.
    edges: list[tuple[str, str]]
    #: Other features of the same code.
    twins: list[str]
    sources: list[SourceView]
    #: Versions of models that were trained with it, like ``late-flights/3``, with their aliases.
    #: None if the registry was not asked, or why it does not answer.
    models: list[FeatureModel] | None
    models_problem: str | None
    #: Endpoints that serve them.
    endpoints: list[str]
    checks: list[str]
    #: How far back one value looks, in seconds.
    lookback: float | None
    partition: str
    #: The lines that fetch it in a notebook.
    snippet: str
    computation: ComputationView | None
    statistics: StatisticsView | None
    #: Entities in the online store.
    online_rows: int | None
    #: What the last comparison of its values, and of its distribution, has found.
    checked: FeatureFinding | None = None
    drift: FeatureFinding | None = None


class FeatureRunRequest(Request):
    """What every run over features may be told."""

    #: Names; empty means all.
    features: list[str] = msgspec.field(default_factory=list)
    cpus: Count | None = None
    memory: Count | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0)] | None = None
    priority: int = 0
    kernel: str | None = None
    environment: dict[str, str] | None = None
    parent_attempt: str | None = None
    user: str | None = None


class ComputeRequest(FeatureRunRequest):
    """Compute features, those alone that are not fresh."""

    since: Moment | None = None
    until: Moment | None = None
    #: Computes the window partition by partition.
    backfill: bool = False
    #: Computes also what is fresh.
    force: bool = False
    #: Fills the online store afterwards.
    online: bool = False
    #: Execution engine: ``pandas``, ``dask``, ``ray`` or ``spark``.
    engine: str = "pandas"


class JoinRequest(FeatureRunRequest):
    """Make a training set of the rows of a file."""

    entities: str = ""
    output: str = ""
    timestamp: str | None = None
    label: str | None = None


class CompareFeaturesRequest(FeatureRunRequest):
    """Compute a sample both ways and compare."""

    rows: Count = 1000
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class DriftRequest(FeatureRunRequest):
    """Compare features with what they were when a model was trained."""

    #: ``NAME`` or ``NAME@ALIAS``; unset means all versions with an alias.
    model: str = ""
    version: int | None = None
    alias: str | None = None
    #: Fails if a distance is larger.
    allowed: Annotated[float, msgspec.Meta(ge=0)] | None = None


class FeatureExportRequest(Request):
    """Write the catalog for another system."""

    #: ``feast``, ``datahub`` or ``amundsen``.
    format: str
    output: str
    features: list[str] = msgspec.field(default_factory=list)
    user: str | None = None


class FeatureExportView(View):
    """What was written for another system."""

    format: str
    folder: str
    files: list[str]
    #: What could not be expressed there, a line each.
    notes: list[str]
