"""What features are made from: functions, sources, other features and columns of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..core.exceptions import InvalidInput
from ..core.features import Definition, Period, Problem, parse_duration
from . import modules as m
from .hashing import Hashes, shape
from .place import Place

#: Modules by the names of their groups.
Groups = dict[str, m.Module]


@dataclass(slots=True)
class _Made:
    """What a feature is made from."""

    #: Nodes of its group, those first that others need.
    nodes: dict[str, None] = field(default_factory=dict)
    upstream: dict[str, None] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    request: dict[str, None] = field(default_factory=dict)
    #: Nodes that are being followed, which must not be met again.
    path: list[str] = field(default_factory=list)


class _Graph:
    """The nodes of all groups, and where the names of arguments lead."""

    def __init__(self, groups: Groups, sources: Mapping[str, Any]) -> None:
        self._groups = groups
        self._sources = sources
        self._elsewhere: dict[str, list[str]] = {}
        self._asks: dict[tuple[str, str], bool] = {}
        for group, module in groups.items():
            for node in module.nodes.values():
                if node.said.get("entity"):
                    self._elsewhere.setdefault(node.name, []).append(f"{group}.{node.name}")

    def follow(self, group: str, node: m.Node) -> _Made:
        """Return what a feature is made from. Raises `InvalidInput`."""
        made = _Made()
        on_demand = self._asks_request(group, node.name)
        self._visit(group, node, made, on_demand=on_demand)
        made.nodes.pop(node.name)
        if made.request and made.sources:
            raise InvalidInput(
                f"{group}.{node.name} needs both the request ({', '.join(made.request)}) and the "
                f"source {next(iter(made.sources))}. Make the part that comes from the source a "
                "feature of its own, with an entity."
            )
        return made

    def taken(self, group: str, node: m.Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the features and the sources that a feature takes with no other between."""
        features: dict[str, None] = {}
        sources: dict[str, None] = {}
        seen: set[str] = set()
        waiting = list(reversed(node.inputs))
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            own = self._groups[group].nodes.get(name)
            if own is not None and own.said.get("entity"):
                features[f"{group}.{name}"] = None
            elif own is not None:
                waiting += reversed(own.inputs)
            elif name in self._sources:
                sources[name] = None
            elif len(others := self._elsewhere.get(name, [])) == 1:
                features[others[0]] = None
        return tuple(features), tuple(sources)

    def _visit(self, group: str, node: m.Node, made: _Made, *, on_demand: bool) -> None:
        if node.name in made.path:
            chain = " → ".join([*made.path[made.path.index(node.name) :], node.name])
            raise InvalidInput(f"{group}.{made.path[0]} depends on itself: {chain}.")
        if node.name in made.nodes:
            return
        made.path.append(node.name)
        for name in node.inputs:
            self._enter(group, name, made, on_demand=on_demand)
        made.path.pop()
        made.nodes[node.name] = None

    def _enter(self, group: str, name: str, made: _Made, *, on_demand: bool) -> None:
        """Follow one argument; what is stored is taken from the store where a request is served."""
        own = self._groups[group].nodes.get(name)
        if own is not None:
            is_feature = bool(own.said.get("entity"))
            if is_feature:
                made.upstream[f"{group}.{name}"] = None
            if not (on_demand and is_feature and not self._asks_request(group, name)):
                self._visit(group, own, made, on_demand=on_demand)
        elif name in self._sources:
            made.sources[name] = None
        elif len(others := self._elsewhere.get(name, [])) == 1:
            if self._leads_to_request(group, name):
                raise InvalidInput(
                    f"{group}.{made.path[0]} needs {others[0]}, which is computed from the request "
                    "in another module. Put both into one."
                )
            made.upstream[others[0]] = None
        elif others:
            raise InvalidInput(
                f"{group}.{made.path[0]}: several features are called {name} "
                f"({', '.join(others)}). Rename the argument or one of them."
            )
        else:
            made.request[name] = None

    def _asks_request(self, group: str, name: str) -> bool:
        """Whether a node needs a column of the request, directly or not."""
        key = group, name
        if key not in self._asks:
            self._asks[key] = False  # where it depends on itself, which is told when it is followed
            self._asks[key] = any(self._leads_to_request(group, each) for each in
                                  self._groups[group].nodes[name].inputs)  # fmt: skip
        return self._asks[key]

    def _leads_to_request(self, group: str, name: str) -> bool:
        if name in self._groups[group].nodes:
            return self._asks_request(group, name)
        if name in self._sources:
            return False
        others = self._elsewhere.get(name, [])
        if len(others) == 1:
            other, _, short = others[0].rpartition(".")
            return self._asks_request(other, short)
        return not others


def define(
    groups: Groups, place: Place, hashes: Hashes
) -> tuple[dict[str, Definition], list[Problem]]:
    """Return all features by their full names, and what is wrong with those that are none."""
    graph = _Graph(groups, place.sources)
    found: dict[str, Definition] = {}
    problems = []
    for group, node in _features(groups):
        name = f"{group}.{node.name}"
        try:
            found[name] = _definition(graph, group, groups[group], node, place, hashes)
        except InvalidInput as error:
            line = error.message if error.message.startswith(name) else f"{name}: {error.message}"
            path = groups[group].path.relative_to(place.root).as_posix()
            problems.append(Problem(where=name, path=path, line=line))
    return found, [*problems, *_without_cycles(found)]


def _without_cycles(found: dict[str, Definition]) -> Iterator[Problem]:
    """Remove features that depend on themselves by way of other groups, and say so of each."""
    while True:
        takes = {name: [t for t in each.takes if t in found] for name, each in found.items()}
        try:
            TopologicalSorter(takes).prepare()
        except CycleError as error:
            names = error.args[1][:0:-1]  # each takes the next
        else:
            return
        for position, name in enumerate(names):
            chain = " → ".join([*names[position:], *names[:position], name])
            line = f"{name} depends on itself: {chain}."
            yield Problem(where=name, path=found.pop(name).path, line=line)


def _features(groups: Groups) -> Iterator[tuple[str, m.Node]]:
    for group, module in groups.items():
        wrong = {name for name, _ in module.problems}
        for node in module.nodes.values():
            if node.said.get("entity") and node.name not in wrong:
                yield group, node


def _definition(  # what all features share, and this one
    graph: _Graph, group: str, module: m.Module, node: m.Node, place: Place, hashes: Hashes
) -> Definition:
    said = node.said
    made = graph.follow(group, node)
    takes, reads = graph.taken(group, node)
    functions = [module.nodes[name].function for name in (*made.nodes, node.name)]
    entity = _names(said, "entity")
    timestamp = _text(said, "timestamp")
    partition = _partition(said)
    source = node.function.name if node.extracted else node.name
    return Definition(
        name=node.name,
        group=group,
        path=module.path.relative_to(place.root).as_posix(),
        line=node.function.lineno,
        description=m.description(node.function),
        code=m.code(module, node.function),
        entity=entity,
        timestamp=timestamp,
        ttl=_duration(said, "ttl"),
        lookback=_duration(said, "lookback"),
        partition=partition,
        owner=_text(said, "owner"),
        tags=_names(said, "tags") if said.get("tags") else (),
        sensitivity=_text(said, "sensitivity"),
        cost=_text(said, "cost"),
        type=m.value_type(node.function),
        inputs=node.inputs,
        functions=tuple(made.nodes),
        upstream=tuple(made.upstream),
        sources=tuple(sorted(made.sources)),
        takes=takes,
        reads=reads,
        request=tuple(made.request),
        checks=m.checks(node.function),
        code_hash=hashes.of(module, functions, node.name, *entity, timestamp or "", partition),
        shape=f"{shape(node.function)}{'' if source == node.name else node.name}",
    )


def _text(said: Mapping[str, Any], word: str) -> str | None:
    value = said.get(word)
    if value is None or (isinstance(value, str) and value):
        return value
    raise InvalidInput(f"{word} must be text, not {value!r}.")


def _names(said: Mapping[str, Any], word: str) -> tuple[str, ...]:
    """Return names: a list of them, or text with commas."""
    value = said[word]
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(each, str) for each in parts):
        raise InvalidInput(f"{word} must be a name, or a list of names, not {value!r}.")
    found = tuple(dict.fromkeys(each.strip() for each in parts if each.strip()))
    if not found:
        raise InvalidInput(f"{word} is empty. Name a column.")
    return found


def _duration(said: Mapping[str, Any], word: str) -> timedelta | None:
    text = _text(said, word)
    return None if text is None else parse_duration(text, word)


def _partition(said: Mapping[str, Any]) -> Period:
    text = _text(said, "partition") or Period.MONTH.value
    try:
        return Period(text)
    except ValueError:
        known = ", ".join(Period)
        raise InvalidInput(f"partition: {text!r} is none of {known}.") from None
