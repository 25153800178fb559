"""``mlops.features``: training sets, values online, and the catalog, in a notebook or a script."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from .app import feature_work
from .app import messages as m
from .app.feature_access import check_readable, local_user
from .app.places import place_of
from .app.projects import Project, find_project
from .catalog.place import Place
from .catalog.reading import Catalog, Reader
from .results.features import Feature, FeatureList, find_feature, list_features

Path_ = str | os.PathLike[str]

#: Catalogs that were read in this process, by the folder of their project.
_readers: dict[Path, Reader] = {}


def training_set(  # by name, and each with a default
    entities: Any,
    features: Sequence[str],
    *,
    timestamp: str | None = None,
    label: str | None = None,
    as_: Literal["pandas", "polars", "arrow"] | None = None,
    project: Path_ | None = None,
) -> Any:
    """Join features to a table of entities, each row with what was known at its time.

    ``mlops.features.training_set(flights, ["flights.carrier_delay_yesterday", …])`` adds a column
    for each feature. No row is dropped, repeated or moved; a feature that was not known yet, or
    older than its ``ttl``, is missing. ``timestamp`` is the column of the rows' times, needed only
    if it is called otherwise than the features'. With ``label`` a line is printed for each column
    that looks as if it told the label. ``entities`` is a table of pandas, polars or Arrow, and so
    is what is returned, unless ``as_`` says otherwise. Which features were joined, and in which
    versions, is noted with the run.

    Raises `NotFound`, `InvalidInput`, and `NotReadable` for what you may not read.
    """
    from .catalog.joining import training_set as join

    place, catalog = _checked(project, features)
    made = join(place, catalog, entities, features, timestamp=timestamp, label=label, as_=as_)
    feature_work.record(place, catalog, made.ingredients)
    feature_work.tell_leaks(made)
    return made.table


def online(
    keys: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    features: Sequence[str],
    *,
    project: Path_ | None = None,
) -> Any:
    """Return the newest values of features for an entity, or for several.

    ``mlops.features.online({"tailnum": "N14228"}, ["planes.age"])`` is a dict of the features by
    their names; for a list of keys it is a list. What features need of the request stands among the
    keys. A value that is unknown, or older than its ``ttl``, is None.

    Raises `NotFound`, `InvalidInput`, and `NotReadable` for what you may not read.
    """
    from .catalog.online import online as ask

    place, catalog = _checked(project, features)
    return ask(place, catalog, keys, features)


def compute(
    features: Sequence[str] = (),
    *,
    force: bool = False,
    online: bool = False,
    engine: str = "pandas",
    project: Path_ | None = None,
) -> None:
    """Compute features, all unless some are named, in this process.

    What has not changed is not computed again; a line for each says why it is, or is not. With
    ``online`` the newest values are put into the online store, too. ``engine`` is pandas, dask, ray
    or spark.
    ``jupyter mlops features compute`` does it as a run, and knows of windows of time.

    Raises `FeatureFailed`, and what was computed before stays as it was.
    """
    from .catalog.computing import compute as compute_features
    from .catalog.online import fill_online

    place, catalog = _catalog(project)
    names = features or [n for n, each in catalog.definitions.items() if not each.on_demand]
    compute_features(place, catalog, names, force=force, told=print, engine=engine)
    if online:
        fill_online(place, catalog, names, told=print)


def find(
    text: str | None = None,
    *,
    entity: str | None = None,
    owner: str | None = None,
    tag: str | None = None,
    type: str | None = None,  # noqa: A002
    project: Path_ | None = None,
) -> FeatureList:
    """Search the catalog: ``mlops.features.find("delay", owner="ops")``."""
    query = m.FeaturesQuery(text=text, entity=entity, owner=owner, tag=tag, type=type)
    return list_features(_project(project), query)


def get(name: str, *, project: Path_ | None = None) -> Feature:
    """Return all that is known of a feature. Raises `NotFound`."""
    return find_feature(_project(project), name)


def _checked(path: Path_ | None, features: Sequence[str]) -> tuple[Place, Catalog]:
    """Return the catalog, features being readable by who works here."""
    place, catalog = _catalog(path)
    access = _project(path).settings.features.access
    check_readable(catalog, access, catalog.checked(features), local_user())
    return place, catalog


def _catalog(path: Path_ | None) -> tuple[Place, Catalog]:
    project = _project(path)
    place = place_of(project)
    reader = _readers.get(project.root)
    if reader is None or reader.place != place:
        reader = _readers[project.root] = Reader(place)
    return place, reader.read()


def _project(path: Path_ | None) -> Project:
    return find_project(path if path is not None else Path.cwd())


__all__ = ["Feature", "FeatureList", "compute", "find", "get", "online", "training_set"]
