"""Features as they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from ..catalog.place import ENVIRONMENT, Place
from ..catalog.sources import matching
from ..core.features import Computation, Definition, Finding, Source, Statistics, Why
from . import messages as m


def feature(
    definition: Definition, computed: Computation | None, state: Why | None, *, readable: bool
) -> m.FeatureView:
    """Show a feature in a list; nothing that tells of its values to who may not read them."""
    view = m.FeatureView(
        name=definition.full_name,
        group=definition.group,
        summary=definition.description.partition("\n")[0],
        entity=list(definition.entity),
        timestamp=definition.timestamp,
        owner=definition.owner,
        tags=list(definition.tags),
        type=(computed.type if computed else None) or definition.type,
        sensitivity=definition.sensitivity,
        cost=definition.cost,
        ttl=definition.ttl.total_seconds() if definition.ttl else None,
        on_demand=definition.on_demand,
        readable=readable,
        state=state,
    )
    if computed is not None:
        view.version = computed.version
        view.computed_at = computed.computed_at
        view.online_at = computed.online_at
        if readable:
            view.rows = computed.rows
            view.missing = computed.statistics.missing / computed.rows if computed.rows else None
            view.last = computed.last
    return view


def computation(found: Computation) -> m.ComputationView:
    """Show what it took to compute a feature."""
    return m.ComputationView(
        version=found.version,
        why=found.why,
        at=found.computed_at,
        seconds=found.seconds,
        peak_memory=found.peak_memory,
        rows=found.rows,
        engine=found.engine,
        first=found.first,
        last=found.last,
        partitions=len(found.partitions),
        size=sum(each.size for each in found.partitions),
    )


def statistics(found: Statistics) -> m.StatisticsView:
    """Show what values look like."""
    return m.StatisticsView(
        rows=found.rows,
        missing=found.missing,
        distinct=found.distinct,
        minimum=found.minimum,
        maximum=found.maximum,
        mean=found.mean,
        deviation=found.deviation,
        edges=list(found.edges),
        counts=list(found.counts),
        values=list(found.values),
    )


def source(place: Place, found: Source) -> m.SourceView:
    """Show a source without the secrets of its URL."""
    changed = changed_at(place, found)
    late = (
        changed is not None
        and found.freshness is not None
        and datetime.now(UTC) - changed > found.freshness
    )
    return m.SourceView(
        name=found.name,
        place=_shown(found),
        timestamp=found.timestamp,
        owner=found.owner,
        description=found.description,
        freshness=found.freshness.total_seconds() if found.freshness else None,
        changed_at=changed,
        late=late,
    )


def finding(found: Finding | None) -> m.FeatureFinding | None:
    """Show what a check has found."""
    if found is None:
        return None
    return m.FeatureFinding(at=found.at, good=found.good, line=found.line, facts=dict(found.facts))


def changed_at(place: Place, found: Source) -> datetime | None:
    """Return when the files of a source were changed last; None where that costs more than a look.

    A file that DVC keeps elsewhere is asked for only when it is read.
    """
    times = [each.stat().st_mtime for each in local_files(place, found)]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def local_files(place: Place, found: Source) -> list[Path]:
    """Return the files of a source that lie in the project as they are."""
    if found.path is None or "://" in found.path or found.rev is not None:
        return []
    return matching(place.root, found.path)


def snippet(definition: Definition) -> str:
    """Return the lines that fetch a feature in a notebook."""
    return (
        "import jupyter_mlops as mlops\n"
        f'train = mlops.features.training_set(entities, ["{definition.full_name}"])'
    )


def _shown(found: Source) -> str:
    if found.path is not None:
        return f"{found.path} at {found.rev}" if found.rev else found.path
    url = found.url or ""
    what = found.table or "a query"
    if url.startswith(ENVIRONMENT):
        return f"{what} of ${url.removeprefix(ENVIRONMENT)}"
    parts = urlsplit(url)
    return f"{what} of {parts.scheme}://{parts.hostname or ''}{parts.path}"
