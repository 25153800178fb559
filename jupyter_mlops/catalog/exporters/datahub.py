"""A file of metadata change proposals, as DataHub's ``file`` source reads it.

A group's features that describe the same entity are one feature table there, with the entity's
columns as its primary keys. Features come from the datasets of the project's sources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ...core.features import Source
from ..place import Place
from ..reading import Catalog
from .facts import Facts, gather, notes
from .writing import Exported, write

#: What is written.
FILE = "features.json"
PLATFORM = "urn:li:dataPlatform:jupyter-mlops"

_ENVIRONMENT = "PROD"
#: DataHub's words for what values are like, as its own source for Feast chooses them.
_KINDS = {
    "bool": "BINARY",
    "double": "CONTINUOUS",
    "float": "CONTINUOUS",
    "halffloat": "CONTINUOUS",
    "string": "TEXT",
    "binary": "BYTE",
}
_STARTS = {
    "int": "ORDINAL",
    "uint": "ORDINAL",
    "decimal": "CONTINUOUS",
    "timestamp": "TIME",
    "date": "TIME",
    "time": "TIME",
    "duration": "INTERVAL",
    "list": "SEQUENCE",
    "map": "MAP",
    "struct": "MAP",
}
#: DataHub's names of platforms, where they are not those of addresses.
_PLATFORMS = {"postgresql": "postgres", "gs": "gcs", "abfs": "abs", "": "file"}
_RESERVED = re.compile(r"[,()␟]")

Proposal = dict[str, Any]


@dataclass(slots=True)
class _Table:
    """Features of one group that describe the same entity."""

    name: str
    entity: tuple[str, ...]
    features: list[Facts] = field(default_factory=list)

    @property
    def urn(self) -> str:
        """What DataHub calls it."""
        return f"urn:li:mlFeatureTable:({PLATFORM},{_encoded(self.name)})"

    def part(self, kind: str, name: str) -> str:
        """Return what DataHub calls a feature or a key of it."""
        return f"urn:li:{kind}:({_encoded(self.name)},{_encoded(name)})"


def export(place: Place, catalog: Catalog, folder: Path) -> Exported:
    """Write all features, and return the file. Raises `InvalidInput`, `Conflict`, `NotFound`."""
    facts = gather(place, catalog)
    project = place.root.resolve().name
    datasets = {
        name: dataset
        for name, source in place.sources.items()
        if (dataset := _dataset(project, source)) is not None
    }
    proposals = [*_platform()]
    for table in _tables(project, facts):
        proposals += _proposals(table, datasets)
    text = json.dumps(proposals, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    unnamed = sorted({each for one in facts for each in one.definition.sources} - datasets.keys())
    said = notes(facts, catalog)
    if unnamed:
        said.append(f"Without links, since they have no name there: {', '.join(unnamed)}.")
    return Exported(files=write(folder, {FILE: text}), notes=tuple(said))


def _tables(project: str, facts: Iterable[Facts]) -> list[_Table]:
    found: dict[tuple[str, tuple[str, ...]], _Table] = {}
    for each in facts:
        group, entity = each.definition.group, each.definition.entity
        name = f"{project}.{group}.by_{'_'.join(entity)}"
        found.setdefault((group, entity), _Table(name, entity)).features.append(each)
    return list(found.values())


def _platform() -> Iterator[Proposal]:
    info = {
        "name": PLATFORM.rpartition(":")[2],
        "displayName": "jupyter-mlops",
        "type": "OTHERS",
        "datasetNameDelimiter": ".",
    }
    yield _proposal("dataPlatform", PLATFORM, "dataPlatformInfo", info)


def _proposals(table: _Table, datasets: Mapping[str, str]) -> Iterator[Proposal]:
    keys = {name: table.part("mlPrimaryKey", name) for name in table.entity}
    features = {each.definition.name: table.part("mlFeature", each.definition.name)
                for each in table.features}  # fmt: skip
    properties = {
        "description": f"Features of {' and '.join(table.entity)}, "
        f"defined in {table.features[0].definition.path}.",
        "customProperties": {"group": table.features[0].definition.group},
        "mlFeatures": list(features.values()),
        "mlPrimaryKeys": list(keys.values()),
    }
    yield from _entity("mlFeatureTable", table.urn, properties)
    everywhere = [name for each in table.features for name in each.definition.sources]
    for name, urn in keys.items():
        types = (each.types[name] for each in table.features if name in each.types)
        properties = {
            "dataType": _kind(next(types, None)),
            "sources": _linked(everywhere, datasets),
            "customProperties": {},
        }
        yield from _entity("mlPrimaryKey", urn, properties)
    for each in table.features:
        yield from _feature(each, features[each.definition.name], datasets)


def _feature(facts: Facts, urn: str, datasets: Mapping[str, str]) -> Iterator[Proposal]:
    definition, computation = facts.definition, facts.computation
    known = {"computed_at": computation.computed_at.isoformat()} if computation else {}
    properties = {
        "description": definition.description,
        "dataType": _kind(facts.type),
        "version": {"versionTag": facts.version},
        "sources": _linked(definition.sources, datasets),
        "customProperties": {**facts.tags(), **known},
    }
    yield from _entity("mlFeature", urn, properties)
    if definition.owner:
        owner = f"urn:li:corpuser:{_encoded(definition.owner)}"
        owners = [{"owner": owner, "type": "TECHNICAL_OWNER"}]
        yield _proposal("mlFeature", urn, "ownership", {"owners": owners})
    if definition.tags:
        tags = [{"tag": f"urn:li:tag:{_encoded(each)}"} for each in definition.tags]
        yield _proposal("mlFeature", urn, "globalTags", {"tags": tags})


def _entity(kind: str, urn: str, properties: Mapping[str, Any]) -> Iterator[Proposal]:
    yield _proposal(kind, urn, f"{kind}Properties", properties)
    yield _proposal(kind, urn, "status", {"removed": False})


def _proposal(kind: str, urn: str, aspect: str, value: Mapping[str, Any]) -> Proposal:
    return {
        "entityType": kind,
        "entityUrn": urn,
        "changeType": "UPSERT",
        "aspectName": aspect,
        "aspect": {"json": dict(value)},
    }


def _linked(names: Sequence[str], datasets: Mapping[str, str]) -> list[str]:
    return [datasets[name] for name in dict.fromkeys(names) if name in datasets]


def _kind(type_: str | None) -> str:
    text = type_ or ""
    start = re.match(r"[a-z]*", text)
    return _KINDS.get(text) or _STARTS.get(start[0] if start else "", "UNKNOWN")


def _dataset(project: str, source: Source) -> str | None:
    """Return what DataHub calls a source; None for what has no name, such as a query."""
    if source.url is not None:
        platform, name = _in_database(source.url, source.table)
    else:
        platform, mark, rest = (source.path or "").rpartition("://")
        name = rest if mark else f"{project}/{rest}"
        if source.table:
            name = f"{name}.{source.table}"
    if not name:
        return None
    platform = _PLATFORMS.get(platform, platform)
    return (
        f"urn:li:dataset:(urn:li:dataPlatform:{_encoded(platform)},{_encoded(name)},{_ENVIRONMENT})"
    )


def _in_database(url: str, table: str | None) -> tuple[str, str]:
    """Return a table's platform, and its name there without what is secret in its address."""
    address = urlsplit(url)
    platform = address.scheme.partition("+")[0]
    if not platform or table is None:
        return platform, ""
    parts = [*(unquote(each) for each in address.path.split("/") if each), table]
    if platform == "postgresql" and "." not in table:
        parts.insert(-1, "public")
    return platform, ".".join(parts)


def _encoded(name: str) -> str:
    """Return a name without letters that URNs are made with."""
    return _RESERVED.sub(lambda found: "".join(f"%{each:02X}" for each in found[0].encode()), name)
