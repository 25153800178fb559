"""The eight parts of a card, from a model's files, its run, and the run's context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.cards import RESERVED, Part, PartName, judge
from .logged import Logged

_PLOTS = (".png", ".svg", ".jpg", ".jpeg", ".pdf", ".html")
#: MLflow's flavors that tell the framework.
_FLAVORS = {"pytorch": "torch"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What is known of the run that made a model."""

    #: Metrics, encoded, and the names of those with several steps.
    metrics: dict[str, Any] = field(default_factory=dict)
    curves: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    #: Paths of what the run kept in the tracker, and its output notebook in the project.
    artifacts: list[str] = field(default_factory=list)
    notebook: str | None = None
    #: MLflow's datasets.
    datasets: list[dict[str, Any]] = field(default_factory=list)
    #: As `jupyter_mlops.app.contexts` keeps it, with the packages by name; empty if unknown.
    context: dict[str, Any] = field(default_factory=dict)
    user: str | None = None


def assemble(
    logged: Logged, origin: Origin, described: Mapping[str, Any], tags: Mapping[str, str]
) -> tuple[Part, ...]:
    """Return the parts. ``described`` is what the model told when it was loaded."""
    definition = _definition(logged, described)
    facts: dict[PartName, dict[str, Any]] = {
        PartName.DEFINITION: definition,
        PartName.PARAMETERS: _files(logged),
        PartName.FUNCTIONS: _functions(logged),
        PartName.DEPENDENCIES: _dependencies(logged, origin),
        PartName.DATA: _data(logged, origin),
        PartName.GENERATION: _generation(origin, definition),
        PartName.ARTIFACTS: _artifacts(origin),
        PartName.TAGS: _tags(logged, origin, definition, tags),
    }
    return tuple(judge(name, each) for name, each in facts.items())


def _definition(logged: Logged, described: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(logged.facts.get("definition") or described.get("definition") or {})
    if not found:
        names = [each for each in logged.flavors if each != "python_function"]
        found = {"framework": _FLAVORS.get(names[0], names[0])} if names else {}
    if described.get("problem") and "class" not in found:
        found["problem"] = described["problem"]
    return found


def _files(logged: Logged) -> dict[str, Any]:
    files = [
        {"path": path, "size": size, "sha256": sha256}
        for path, (sha256, size) in logged.files.items()
    ]
    return {"files": files, "size": sum(each["size"] for each in files)}


def _functions(logged: Logged) -> dict[str, Any]:
    return {**(logged.facts.get("functions") or {}), "signature": logged.signature}


def _dependencies(logged: Logged, origin: Origin) -> dict[str, Any]:
    found = dict(origin.context.get("environment") or logged.facts.get("environment") or {})
    found["requirements"] = logged.requirements
    return found


def _data(logged: Logged, origin: Origin) -> dict[str, Any]:
    given = logged.facts.get("data") or {}
    files = [each for each in origin.context.get("data") or () if each.get("kind") != "code"]
    splits = dict(given.get("splits") or {})
    for each in origin.datasets:
        if each.get("context") and each["context"] not in splits:
            splits[each["context"]] = {"name": each["name"], "digest": each["digest"]}
    return {
        "files": files,
        "splits": splits,
        "datasets": origin.datasets,
        "columns": logged.columns,
        "features": list(origin.context.get("features") or ()),
    }


def _generation(origin: Origin, definition: Mapping[str, Any]) -> dict[str, Any]:
    context = origin.context
    code = [each for each in context.get("data") or () if each.get("kind") == "code"]
    return {
        "run": context.get("run"),
        "notebook": context.get("notebook"),
        "notebook_sha256": context.get("notebook_sha256"),
        "git": context.get("git"),
        "framework": definition.get("framework"),
        "sweep": context.get("sweep"),
        "parameters": origin.parameters,
        "code": code,
        "machine": context.get("machine"),
        "used": context.get("used"),
    }


def _artifacts(origin: Origin) -> dict[str, Any]:
    return {
        "metrics": origin.metrics,
        "curves": origin.curves,
        "plots": [each for each in origin.artifacts if each.lower().endswith(_PLOTS)],
        "notebook": origin.notebook,
        "kept": origin.artifacts,
    }


def _tags(
    logged: Logged, origin: Origin, definition: Mapping[str, Any], tags: Mapping[str, str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if origin.user:
        found["owner"] = origin.user
    if definition.get("task"):
        found["task"] = str(definition["task"])
    own = {name: text for name, text in tags.items() if not name.startswith(RESERVED)}
    return found | dict(logged.facts.get("tags") or {}) | own
