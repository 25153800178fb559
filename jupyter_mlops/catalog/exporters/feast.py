"""A repository for Feast, whose feature views read the files of our values.

It has what works for Feast on one machine: a registry in SQLite, which several may write at once,
and the DuckDB store, which keeps every row of the entities.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ...core.exceptions import InvalidInput
from ...core.features import Computation
from ..place import Place
from ..reading import Catalog
from ..storing import Offline
from .facts import Facts, gather, notes
from .writing import Content, Exported, write

if TYPE_CHECKING:
    import pyarrow as pa

#: Feast's words for types: of a field, and of an entity's key.
_TYPES = {
    "bool": ("Bool", "BOOL"),
    "int8": ("Int32", "INT32"),
    "int16": ("Int32", "INT32"),
    "int32": ("Int32", "INT32"),
    "int64": ("Int64", "INT64"),
    "uint8": ("Int32", "INT32"),
    "uint16": ("Int32", "INT32"),
    "uint32": ("Int64", "INT64"),
    "uint64": ("Int64", "INT64"),
    "halffloat": ("Float32", "FLOAT"),
    "float": ("Float32", "FLOAT"),
    "double": ("Float64", "DOUBLE"),
    "string": ("String", "STRING"),
    "binary": ("Bytes", "BYTES"),
}
_TIME = ("UnixTimestamp", "UNIX_TIMESTAMP")
#: Columns that Feast's DuckDB store adds to a view's own, or drops where it joins.
_TAKEN = frozenset({"rn", "entity_row_id", "event_expire_timestamp"})
_DROPPED = "_y"
#: Names that the module needs for itself.
_IMPORTED = ("Entity", "FeatureView", "Field", "FileSource", "ParquetFormat", "ValueType")
_RESERVED = {*keyword.kwlist, *_IMPORTED, "timedelta", "Array", _TIME[0],
             *(word for word, _ in _TYPES.values())}  # fmt: skip
#: From when on a value holds that never changes.
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

_HEAD = '''\
"""Features of {project}, as Feast knows them. Written by jupyter mlops features export.

Each view reads the files of one version of a feature. After computing, export again, and run
`feast apply` here.
"""
'''


@dataclass(slots=True)
class _Repository:
    """What is written."""

    offline: Offline
    folder: Path
    #: Python of each object, by the names of the variables.
    entities: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: Variables of entities by column and type.
    _known: dict[tuple[str, str], str] = field(default_factory=dict)
    #: Words of feast.types that the views use.
    words: set[str] = field(default_factory=set)

    def entity(self, column: str, type_: str) -> str:
        """Return the variable of an entity, of which there is one for each type of its key."""
        if (column, type_) not in self._known:
            taken = any(known == column for known, _ in self._known)
            name = f"{column}_{type_.lower()}" if taken else column
            variable = _variable(name, {*self.entities, *self.views})
            self._known[column, type_] = variable
            self.entities[variable] = (
                f"Entity(name={name!r}, join_keys=[{column!r}], value_type=ValueType.{type_})"
            )
        return self._known[column, type_]

    def text(self, project: str) -> str:
        """Return the module that defines everything."""
        types = ", ".join(sorted(self.words))
        imports = (
            "\nfrom datetime import timedelta\n\n"
            "from feast import Entity, FeatureView, Field, FileSource, ValueType\n"
            f"from feast.data_format import ParquetFormat\nfrom feast.types import {types}\n\n"
        )
        entities = "".join(f"{name} = {text}\n" for name, text in self.entities.items())
        views = "".join(f"\n{name} = {text}\n" for name, text in self.views.items())
        return _HEAD.format(project=project) + imports + entities + views


def export(place: Place, catalog: Catalog, folder: Path) -> Exported:
    """Write a repository that ``feast apply`` takes, and return its files.

    Features that are not computed, or that depend on the request, are left out, which is noted.
    Raises `InvalidInput`, `Conflict`, `NotFound`.
    """
    facts = gather(place, catalog)
    folder = folder.resolve()
    made = _Repository(Offline(place), folder, notes=notes(facts, catalog))
    for each in facts:
        why = _refusal(each)
        if why is not None or each.computation is None:
            made.notes.append(f"Left out: {each.definition.full_name} {why}")
        else:
            _add(made, each, each.computation)
    if not made.views:
        raise InvalidInput(f"No feature can be exported to Feast. {made.notes[-1]}")
    project = re.sub(r"[^A-Za-z0-9]+", "_", place.root.resolve().name).strip("_") or "features"
    contents: dict[str, Content] = {
        "feature_store.yaml": yaml.safe_dump(_settings(folder, project), sort_keys=False),
        "features.py": made.text(project),
        **made.contents,
    }
    return Exported(files=write(folder, contents), notes=tuple(made.notes))


def _settings(folder: Path, project: str) -> dict[str, object]:
    # Feast reads relative paths from wherever it was started.
    return {
        "project": project,
        "provider": "local",
        "registry": {"registry_type": "sql", "path": f"sqlite:///{folder / 'registry.db'}"},
        "offline_store": {"type": "duckdb"},
        "online_store": {"type": "sqlite", "path": str(folder / "online_store.db")},
        "entity_key_serialization_version": 3,
    }


def _refusal(facts: Facts) -> str | None:
    """Return why a feature cannot be exported, to be read after its name."""
    definition, computation = facts.definition, facts.computation
    if definition.on_demand:
        return (
            f"is computed from the request ({', '.join(definition.request)}) by a function of its "
            "module, which Feast's own environment need not have."
        )
    if computation is None:
        return f"is not computed. Run: jupyter mlops features compute {definition.full_name}"
    if not facts.types:
        return "has no values."
    return _unfit(facts, computation)


def _unfit(facts: Facts, computation: Computation) -> str | None:
    """Return what of a feature's columns Feast cannot read."""
    name = facts.definition.name
    for column in (*computation.entity, computation.timestamp, name):
        if column and (column in _TAKEN or column.endswith(_DROPPED)):
            return f"has a column {column}, which Feast's DuckDB store would lose. Rename it."
    if _type(facts.types[name]) is None:
        return f"has values of type {computation.type}, which Feast lacks."
    for column in computation.entity:
        if facts.types[column] not in _TYPES and not _is_time(facts.types[column]):
            return f"has a key {column} of type {facts.types[column]}, which Feast lacks."
    return None


def _is_time(type_: str) -> bool:
    return type_.startswith("timestamp[")


def _type(type_: str) -> str | None:
    """Return Feast's type for values, as Python."""
    if _is_time(type_):
        return _TIME[0]
    if type_.startswith("list<"):
        inner = _type(type_[len("list<") : -1])
        return f"Array({inner})" if inner and not inner.startswith("Array") else None
    found = _TYPES.get(type_)
    return found[0] if found else None


def _key_type(type_: str) -> str:
    """Return Feast's type for a key."""
    return _TIME[1] if _is_time(type_) else _TYPES[type_][1]


def _add(made: _Repository, facts: Facts, computation: Computation) -> None:
    """Add a feature's view, and the entities that it needs."""
    definition = facts.definition
    entities = [made.entity(each, _key_type(facts.types[each])) for each in computation.entity]
    name = _variable("__".join(definition.full_name.split(".")), {*made.entities, *made.views})
    timestamp = computation.timestamp
    files = made.offline.files(definition.full_name, computation.version)
    path = f"{escape(str(files[0].parent.resolve()))}/*.parquet"
    if timestamp is None:
        timestamp = _free("known_since", facts.types)
        file = f"data/{name}.parquet"
        made.contents[file] = partial(_copy, files, timestamp)
        path = escape(str(made.folder / file))
        made.notes.append(
            f"{definition.full_name} never changes, but Feast wants a time: {file} is a copy with "
            f"one ({_EVER:%Y-%m-%d})."
        )
    type_ = _type(facts.types[definition.name]) or ""
    made.words.update(re.findall(r"\w+", type_))
    made.views[name] = _view(facts, name, entities, type_, path, timestamp)


def _view(
    facts: Facts, name: str, entities: list[str], type_: str, path: str, timestamp: str
) -> str:
    definition = facts.definition
    ttl = definition.ttl or timedelta(0)
    tags = "".join(f"        {word!r}: {value!r},\n" for word, value in facts.tags().items())
    return (
        "FeatureView(\n"
        f"    name={name!r},\n"
        f"    description={definition.description!r},\n"
        f"    owner={definition.owner or ''!r},\n"
        f"    entities=[{', '.join(entities)}],\n"
        f"    ttl={repr(ttl).removeprefix('datetime.')},\n"
        f"    schema=[Field(name={definition.name!r}, dtype={type_})],\n"
        "    source=FileSource(\n"
        f"        name={name!r},\n"
        f"        path={path!r},\n"
        "        file_format=ParquetFormat(),\n"
        f"        timestamp_field={timestamp!r},\n"
        "    ),\n"
        f"    tags={{\n{tags}    }},\n"
        ")"
    )


def _variable(name: str, taken: Iterable[str]) -> str:
    """Return a name that Python takes, and that no other has, however its letters are written."""
    plain = re.sub(r"\W", "_", name)
    if not plain.isidentifier():
        plain = f"_{plain}"
    return _free(f"{plain}_" if plain in _RESERVED else plain, taken)


def _free(name: str, taken: Iterable[str]) -> str:
    known = {each.lower() for each in taken}
    found, number = name, 1
    while found.lower() in known:
        number += 1
        found = f"{name}_{number}"
    return found


def _copy(files: list[Path], timestamp: str, path: Path) -> None:
    """Write values with a time, for whom reads those; who could not read them still cannot."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = pa.timestamp("us", tz="UTC")
    schema = pq.read_schema(files[0]).remove_metadata().append(pa.field(timestamp, kind))
    path.touch(mode=0o600)
    with pq.ParquetWriter(path, schema) as writer:
        for file in files:
            for batch in pq.ParquetFile(file).iter_batches():
                writer.write_batch(_with_time(batch, schema))
    path.chmod(files[0].stat().st_mode & 0o777)


def _with_time(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    times = pa.repeat(pa.scalar(_EVER, schema.types[-1]), len(batch))
    return pa.RecordBatch.from_arrays([*batch.columns, times], schema=schema)
