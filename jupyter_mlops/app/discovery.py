"""Which versions of models somebody looks for."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from ..core.exceptions import InvalidInput
from ..core.values import decode
from . import messages as m
from .lineage import DATA, FEATURES, names_in

_COMPARISON = re.compile(r"\s*(.+?)\s*(<=|>=|==|!=|=|<|>)\s*(\S+)\s*")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


def matches(version: m.ModelVersionView, query: m.ModelsQuery) -> bool:
    """Whether a version is looked for. Raises `InvalidInput` for a comparison that is none."""
    tags = version.tags
    return (
        (query.name is None or query.name == version.name)
        and (query.owner is None or query.owner == tags.get("owner"))
        and (query.task is None or query.task == tags.get("task"))
        and (query.stakeholder is None or query.stakeholder in _words(tags.get("stakeholders")))
        and (query.tag is None or _has_tag(tags, query.tag))
        and (query.feature is None or _takes(tags, query.feature))
        and (query.data is None or query.data in names_in(tags, DATA))
        and (query.where is None or _compares(version.metrics, query.where))
    )


def _takes(tags: dict[str, str], feature: str) -> bool:
    """Whether a version takes a column, or a feature of the catalog by its full or short name."""
    names = names_in(tags, FEATURES)
    return feature in names or any(each.rpartition(".")[2] == feature for each in names)


def _words(text: str | None) -> list[str]:
    return [each.strip() for each in (text or "").split(",")]


def _has_tag(tags: dict[str, str], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in tags and (not equals or tags[name] == value)


def _compares(metrics: dict[str, Any], text: str) -> bool:
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"where: {text!r} is no comparison. Write it like: auc > 0.7", field="where"
        )
    name, sign, number = match.groups()
    try:
        limit = float(number)
    except ValueError:
        raise InvalidInput(f"where: {number!r} is not a number.", field="where") from None
    value: Any = decode(metrics[name]) if name in metrics else None
    return value is not None and _OPERATORS[sign](float(value), limit)
