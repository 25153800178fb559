"""What is exported of features: what their functions say, and what was computed last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...core.exceptions import InvalidInput, NotFound
from ...core.features import Computation, Definition, format_duration
from ..place import Place
from ..reading import Catalog
from ..storing import Offline

_LIST = re.compile(r"(?:large_|fixed_size_)?list<\w+: (.+?)>(?:\[\d+\])?")
_DICTIONARY = re.compile(r"dictionary<values=(\w+),.*>")
_SIMPLE = {"large_string": "string", "string_view": "string", "large_binary": "binary"}
#: What people annotate, and Arrow's word for it.
_ANNOTATED = {"float": "double", "int": "int64", "str": "string", "bool": "bool"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """A feature, and what is stored of it."""

    definition: Definition
    #: None if nothing is stored.
    computation: Computation | None
    #: Arrow's words for the types of its stored columns.
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version of its values; that of its code if nothing is stored."""
        return self.computation.version if self.computation else self.definition.code_hash[:12]

    @property
    def type(self) -> str | None:
        """Arrow's word for the type of its values, if known."""
        if self.computation is not None:
            return plain(self.computation.type)
        annotated = self.definition.type
        return _ANNOTATED.get(annotated, annotated) if annotated else None

    def tags(self) -> dict[str, str]:
        """What is said of it, word by word."""
        definition = self.definition
        said = {
            "group": definition.group,
            "version": self.version,
            "code_hash": definition.code_hash,
            "defined_in": f"{definition.path}:{definition.line}",
            "entity": ", ".join(definition.entity),
            "timestamp": definition.timestamp,
            "ttl": format_duration(definition.ttl) if definition.ttl else None,
            "lookback": format_duration(definition.lookback) if definition.lookback else None,
            "type": self.type,
            "sensitivity": definition.sensitivity,
            "cost": definition.cost,
            "sources": ", ".join(definition.sources),
            "upstream": ", ".join(definition.upstream),
            "request": ", ".join(definition.request),
            "checks": "; ".join(definition.checks),
            "tags": ", ".join(definition.tags),
        }
        return {word: value for word, value in said.items() if value}


def gather(place: Place, catalog: Catalog) -> list[Facts]:
    """Return all features, with what is stored. Raises `InvalidInput` if there is none."""
    if not catalog.definitions:
        raise InvalidInput("There is no feature to export. See: jupyter mlops features list")
    offline = Offline(place)
    return [_facts(offline, each) for each in catalog.definitions.values()]


def notes(facts: Iterable[Facts], catalog: Catalog) -> list[str]:
    """Return what is wrong in the catalog, and what was changed since it was computed."""
    found = [f"Left out: {each.line}" for each in catalog.problems]
    for each in facts:
        name = each.definition.full_name
        if each.computation and each.computation.code_hash != each.definition.code_hash:
            found.append(f"{name} was changed since it was computed. Compute it, and export again.")
    return found


def plain(type_: str) -> str:
    """Return the type of the values, whichever way Arrow keeps them."""
    if found := _DICTIONARY.fullmatch(type_):
        return plain(found[1])
    if found := _LIST.fullmatch(type_):
        return f"list<{plain(found[1])}>"
    return _SIMPLE.get(type_, type_)


def _facts(offline: Offline, definition: Definition) -> Facts:
    name = definition.full_name
    computation = None if definition.on_demand else offline.latest(name)
    if computation is None:
        return Facts(definition=definition, computation=None)
    try:
        files = offline.files(name, computation.version)
    except NotFound:
        return Facts(definition=definition, computation=None)
    import pyarrow.parquet as pq

    types = {each.name: plain(str(each.type)) for each in pq.read_schema(files[0])} if files else {}
    return Facts(definition=definition, computation=computation, types=types)
