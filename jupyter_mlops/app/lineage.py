"""What was made from what: data, features, runs, versions, endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.exceptions import NotFound
from ..core.models import ModelVersion
from . import messages as m

#: Tags of a version: the columns that it takes, by their full names if they are features of the
#: catalog, and the files that it was made from.
FEATURES, DATA = "mlops.features", "mlops.data"
#: And the version of each feature of the catalog, by its full name.
INGREDIENTS = "mlops.ingredients"


class _Chain:
    """One version with what it was made from, and what serves it.

    Several versions may share data and features; what one was made from is told by its own chain
    alone.
    """

    def __init__(self, version: ModelVersion, endpoints: Iterable[str]) -> None:
        self.nodes: dict[str, m.NodeView] = {}
        self.edges: dict[tuple[str, str], None] = {}
        aliases = " ".join(f"@{alias}" for alias in version.aliases) or None
        made = self._node("version", f"{version.name}/{version.version}", aliases)
        run = self._node("run", version.run_id) if version.run_id else None
        if run is not None:
            self._edge(run, made)
        data = [self._node("data", each) for each in names_in(version.tags, DATA)]
        features = [self._node("feature", each) for each in names_in(version.tags, FEATURES)]
        for feature in features:
            self._edge(feature, run or made)
        for source in data:
            for target in features or [run or made]:
                self._edge(source, target)
        for each in endpoints:
            self._edge(made, self._node("endpoint", each))

    def reached(self, node: str) -> set[str]:
        """Return what a node was made from, and what was made of it."""
        return self._reached(node, forward=True) | self._reached(node, forward=False)

    def _reached(self, node: str, *, forward: bool) -> set[str]:
        found, pending = {node}, [node]
        while pending:
            here = pending.pop()
            for source, target in self.edges:
                origin, end = (source, target) if forward else (target, source)
                if origin == here and end not in found:
                    found.add(end)
                    pending.append(end)
        return found

    def _node(self, kind: str, name: str, about: str | None = None) -> str:
        node = m.NodeView(id=f"{kind}:{name}", kind=kind, name=name, about=about)
        self.nodes[node.id] = node
        return node.id

    def _edge(self, source: str, target: str) -> None:
        self.edges[source, target] = None


def lineage(
    node: str, versions: Iterable[ModelVersion], endpoints: Iterable[tuple[str, int]]
) -> m.LineageView:
    """Return what a node was made from, and what was made of it. Raises `NotFound`.

    A node without a kind is a model: ``NAME``, ``NAME@ALIAS`` or ``NAME@v3``. ``endpoints`` are
    the names of models that are served, with the version.
    """
    served = list(endpoints)
    versions = list(versions)
    node = _meant(node, versions)
    nodes: dict[str, m.NodeView] = {}
    edges: dict[tuple[str, str], None] = {}
    for version in versions:
        chain = _Chain(version, [n for n, v in served if (n, v) == (version.name, version.version)])
        if node in chain.nodes:
            kept = chain.reached(node)
            nodes |= {each: chain.nodes[each] for each in chain.nodes if each in kept}
            edges |= {(a, b): None for a, b in chain.edges if a in kept and b in kept}
    if node not in nodes:
        raise NotFound(
            f"Nothing is known of {node}. Write it like NAME@ALIAS, version:NAME/1, run:ID, "
            "data:PATH, feature:COLUMN or endpoint:NAME."
        )
    return m.LineageView(nodes=list(nodes.values()), edges=list(edges))


def _meant(node: str, versions: Iterable[ModelVersion]) -> str:
    """Return the version that the name of a model stands for; any other node as it is."""
    name, _, which = node.partition("@")
    meant = [
        each.version
        for each in versions
        if each.name == name and (not which or which in (*each.aliases, f"v{each.version}"))
    ]
    return f"version:{name}/{max(meant)}" if meant else node


def names_in(tags: Mapping[str, str], tag: str) -> list[str]:
    """Return the names that a tag of a version holds as JSON; none if it holds anything else."""
    try:
        found = json.loads(tags.get(tag) or "[]")
    except ValueError:
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def feature_tags(columns: Iterable[str], features: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what a version takes: columns, features of the catalog by their full names."""
    names = [each["feature"] for each in features]
    full = {each.rpartition(".")[2]: each for each in names}
    return list(dict.fromkeys([*(full.get(each, each) for each in columns), *names]))


def ingredients_in(tags: Mapping[str, str]) -> dict[str, str | None]:
    """Return the features of the catalog that a version was trained with, with their versions."""
    try:
        found = json.loads(tags.get(INGREDIENTS) or "[]")
        return {str(name): version for name, version in found}
    except (ValueError, TypeError):
        return {}
