"""Use cases of the feature catalog, as the worker carries them out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..catalog import findings
from ..catalog.place import Place
from ..catalog.reading import Catalog, Reader
from ..catalog.storing import Offline
from ..core.exceptions import TrackingUnavailable
from ..core.features import Computation, Definition, Why
from ..core.models import ModelVersion
from ..store import Store
from . import feature_views as views
from . import messages as m
from .feature_access import check_readable, is_readable, local_user
from .feature_records import Records
from .lineage import ingredients_in
from .places import place_of
from .projects import Project, find_project
from .recorder import Recorder


@dataclass(frozen=True)
class Listed:
    """The catalog at a moment, with what searching it needs."""

    place: Place
    catalog: Catalog
    records: Records
    access: dict[str, tuple[str, ...]]
    #: What is searched for words, by full names.
    texts: dict[str, str] = field(default_factory=dict)

    def readable(self, definition: Definition, user: str) -> bool:
        """Whether a user may read the values of a feature."""
        return is_readable(self.catalog, self.access, definition, user)

    def check(self, definitions: Iterable[Definition], user: str) -> None:
        """Raise `NotReadable` for the first feature whose values a user may not read."""
        check_readable(self.catalog, self.access, definitions, user)


class FeatureUseCases:
    """What can be asked of features without computing any."""

    def __init__(self, project: Project, store: Store, recorder: Recorder) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        self._reader: Reader | None = None
        self._listed: Listed | None = None

    async def list_features(self, query: m.FeaturesQuery) -> m.FeaturesView:
        """Search the catalog."""
        return await asyncio.to_thread(self._list, query)

    async def get_feature(self, name: str, query: m.FeatureQuery) -> m.FeatureDetail:
        """Tell all that is known of a feature."""
        listed = await asyncio.to_thread(self.listed)
        definition = listed.catalog.find(name)
        trained, problem = await self._trained(definition) if query.models else (None, None)
        user = query.user or local_user()
        return await asyncio.to_thread(self._detail, listed, definition, user, trained, problem)

    async def _trained(
        self, definition: Definition
    ) -> tuple[list[ModelVersion] | None, str | None]:
        """Return the models that were trained with a feature, or why they cannot be known."""
        try:
            versions = await self._recorder.call(lambda _, registry: registry.versions())
        except TrackingUnavailable as error:
            return None, error.message
        name = definition.full_name
        return [each for each in versions if name in ingredients_in(each.tags)], None

    def listed(self) -> Listed:
        """Return the catalog as it is now; the project's settings are read again, too."""
        project = find_project(self._project.root)
        place = place_of(project)
        if self._reader is None or self._reader.place != place:
            self._reader = Reader(place)
        catalog = self._reader.read()
        access = project.settings.features.access
        known = self._listed
        if known is None or known.catalog is not catalog or known.access != access:
            texts = {name: _text(each) for name, each in catalog.definitions.items()}
            same = known is not None and known.place == place
            records = known.records if known and same else Records(Offline(place))
            known = self._listed = Listed(place, catalog, records, access, texts)
        return known

    def _list(self, query: m.FeaturesQuery) -> m.FeaturesView:
        listed = self.listed()
        user = query.user or local_user()
        changed = _Changed(listed.place)
        found = [each for each in _searched(listed, query.text) if _matches(listed, each, query)]
        end = None if query.limit is None else query.offset + query.limit
        return m.FeaturesView(
            features=[
                self._view(listed, each, user, changed) for each in found[query.offset : end]
            ],
            found=len(found),
            total=len(listed.catalog.definitions),
            problems=[
                m.FeatureProblem(where=each.where, path=each.path, line=each.line)
                for each in listed.catalog.problems
            ],
            entities=sorted({", ".join(each.entity) for each in found}),
            owners=sorted({each.owner for each in found if each.owner}),
            tags=sorted({tag for each in found for tag in each.tags}),
            types=sorted({kind for each in found if (kind := listed.records.known_type(each))}),
        )

    def _view(
        self, listed: Listed, definition: Definition, user: str, changed: _Changed
    ) -> m.FeatureView:
        computed = listed.records.latest(definition.full_name)
        state = None if definition.on_demand else _state(definition, computed, changed)
        readable = listed.readable(definition, user)
        return views.feature(definition, computed, state, readable=readable)

    def _detail(
        self,
        listed: Listed,
        definition: Definition,
        user: str,
        trained: list[ModelVersion] | None,
        problem: str | None,
    ) -> m.FeatureDetail:
        name = definition.full_name
        view = self._view(listed, definition, user, _Changed(listed.place))
        computed = listed.records.latest(name)
        seen = computed if computed is not None and view.readable else None
        catalog = listed.catalog
        above, below = catalog.ancestors(definition), catalog.descendants(definition)
        sources = [listed.place.sources[each] for each in catalog.origins(definition)]
        lookback = definition.lookback
        return m.FeatureDetail(
            feature=view,
            description=definition.description,
            code=definition.code,
            path=definition.path,
            line=definition.line,
            inputs=list(definition.inputs),
            request=list(definition.request),
            upstream=[each.full_name for each in above],
            downstream=[each.full_name for each in below],
            edges=_edges(definition, above, below),
            twins=catalog.twins(definition),
            sources=[views.source(listed.place, each) for each in sources],
            models=None if trained is None else [_model(each, name, computed) for each in trained],
            models_problem=problem,
            endpoints=self._endpoints(trained or []),
            checks=list(definition.checks),
            lookback=lookback.total_seconds() if lookback else None,
            partition=definition.partition,
            snippet=views.snippet(definition),
            computation=views.computation(seen) if seen else None,
            statistics=views.statistics(seen.statistics) if seen else None,
            online_rows=seen.online_rows if seen else None,
            checked=views.finding(findings.last(listed.place, name, "check")),
            drift=views.finding(findings.last(listed.place, name, "drift")),
        )

    def _endpoints(self, trained: list[ModelVersion]) -> list[str]:
        """Return the endpoints that serve one of these versions."""
        versions = {(each.name, each.version) for each in trained}
        served = self._store.endpoints.all()
        return [each.name for each in served if (each.name, each.version) in versions]


class _Changed:
    """When sources were changed last, each looked at once."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._known: dict[str, datetime | None] = {}

    def at(self, name: str) -> datetime | None:
        if name not in self._known:
            self._known[name] = views.changed_at(self._place, self._place.sources[name])
        return self._known[name]


def _state(definition: Definition, computed: Computation | None, changed: _Changed) -> Why:
    """Return what computing a feature would be for, as far as a look can tell."""
    if computed is None:
        return Why.NEW
    if computed.code_hash != definition.code_hash:
        return Why.CODE
    times = (changed.at(name) for name in definition.sources)
    if any(each is not None and each > computed.computed_at for each in times):
        return Why.SOURCES
    return Why.FRESH


def _edges(
    definition: Definition, above: Sequence[Definition], below: Sequence[Definition]
) -> list[tuple[str, str]]:
    """Return what is made from what, from the sources to the last feature that is made from one."""
    lower = {each.full_name for each in (definition, *below)}
    edges = [
        (origin, f"feature:{each.full_name}")
        for each in (definition, *above)
        for origin in (
            *(f"source:{name}" for name in each.reads),
            *(f"feature:{name}" for name in each.takes),
        )
    ]
    return edges + [
        (f"feature:{name}", f"feature:{each.full_name}")
        for each in below
        for name in each.takes
        if name in lower
    ]


def _text(definition: Definition) -> str:
    """Return what of a feature is searched for words."""
    parts = [
        definition.full_name,
        definition.description,
        *definition.entity,
        definition.owner or "",
        *definition.tags,
        definition.type or "",
    ]
    return "\n".join(parts).lower()


def _searched(listed: Listed, text: str | None) -> list[Definition]:
    """Return features that contain all words; those first whose name does."""
    words = (text or "").lower().split()
    every = listed.catalog.definitions
    if not words:
        return list(every.values())
    found = [name for name, text in listed.texts.items() if all(word in text for word in words)]
    found.sort(key=lambda name: not all(word in name.lower() for word in words))
    return [every[name] for name in found]


def _matches(listed: Listed, definition: Definition, query: m.FeaturesQuery) -> bool:
    entity = definition.entity
    return (
        (query.entity is None or query.entity in (*entity, ", ".join(entity)))
        and (query.owner is None or query.owner == definition.owner)
        and (query.tag is None or query.tag in definition.tags)
        and (query.type is None or query.type == listed.records.type_of(definition))
    )


def _model(version: ModelVersion, name: str, computed: Computation | None) -> m.FeatureModel:
    joined = ingredients_in(version.tags)[name]
    return m.FeatureModel(
        name=version.name,
        version=version.version,
        aliases=list(version.aliases),
        feature_version=joined,
        changed=computed is not None and joined is not None and computed.version != joined,
    )
