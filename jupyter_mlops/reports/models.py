"""What to say about registered models."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from ..app import messages as m
from ..core import formats
from ..core.cards import PartName
from ..core.verdicts import Verdict
from .form import Column, Report, Table

#: Longest text of a cell.
_SHORT = 60


def models_report(versions: Sequence[m.ModelVersionView]) -> Report:
    """Report model versions as a list."""
    if not versions:
        return Report(
            headline="No model is registered yet.",
            hints=(("Register the best of a sweep", "mlops register NAME SWEEP"),),
        )
    columns = (
        Column("model"),
        Column("version", right=True),
        Column("aliases"),
        Column("card", right=True),
        Column("run"),
        Column("metrics", spare=True),
        Column("registered", right=True),
    )
    rows = (
        [
            version.name,
            f"v{version.version}",
            " ".join(f"@{alias}" for alias in version.aliases),
            _complete(version.complete),
            version.run_id or "",
            formats.pairs(version.metrics, limit=50),
            formats.ago(version.created_at),
        ]
        for version in versions
    )
    return Report(
        headline=formats.counted(len(versions), "model version"), table=Table.of(columns, rows)
    )


def model_report(version: m.ModelVersionView) -> Report:
    """Report one model version."""
    aliases = "".join(f" @{alias}" for alias in version.aliases)
    details = []
    if version.run_id:
        details.append(f"From run {version.run_id}")
    if version.metrics:
        details.append(formats.pairs(version.metrics, limit=200))
    if version.complete is not None:
        details.append(f"Card: {_complete(version.complete)} parts are complete")
    if version.description:
        details.append(version.description)
    details += version.notices
    show = f"mlops models show {shlex.quote(version.name)} {version.version}"
    return Report(
        headline=f"{version.name} v{version.version}{aliases}",
        details=tuple(details),
        hints=(("Its card", show), ("All models", "mlops models list")),
    )


def card_report(card: m.CardView) -> Report:
    """Report the card of a version: how complete each part is, and what would complete it."""
    version = card.version
    aliases = "".join(f" @{alias}" for alias in version.aliases)
    details = [f"{_complete(card.complete)} parts are complete"]
    if version.run_id:
        details.append(f"From run {version.run_id}, {formats.ago(version.created_at)}")
    if card.record:
        details.append(f"Record: {card.record}")
    if version.description:
        details.append(f"Notes: {version.description}")
    details += [_alias_line(each) for each in card.aliases]
    columns = (Column("part"), Column("state"), Column("what is known, or would complete it"))
    rows = [
        [each.name.value, each.status.value, each.line or _summary(each)] for each in card.parts
    ]
    return Report(
        headline=f"{version.name} v{version.version}{aliases}",
        details=tuple(details),
        table=Table.of(columns, rows),
    )


def comparison_report(view: m.ComparisonView) -> Report:
    """Report what two versions differ in."""
    differing = [each for each in view.differences if each.differs]
    columns = (
        Column("part"),
        Column("fact"),
        Column(f"v{view.first}", spare=True),
        Column(f"v{view.second}", spare=True),
    )
    rows = [[each.part, each.name, _short(each.first), _short(each.second)] for each in differing]
    same = len(view.differences) - len(differing)
    return Report(
        headline=f"{view.model} v{view.first} and v{view.second} differ in {len(differing)} facts",
        details=(f"{formats.counted(same, 'fact')} are the same.",),
        table=Table.of(columns, rows),
    )


def lineage_report(view: m.LineageView, node: str) -> Report:
    """Report what something was made from, and what was made of it."""
    columns = (Column("what"), Column("name"), Column("made from", spare=True))
    sources: dict[str, list[str]] = {}
    for source, target in view.edges:
        sources.setdefault(target, []).append(source)
    rows = [
        [each.kind, each.name, _short(", ".join(sources.get(each.id, ())))] for each in view.nodes
    ]
    return Report(headline=f"Lineage of {node}", table=Table.of(columns, rows))


def verdict_report(verdict: Verdict) -> Report:
    """Report what came of building a version again."""
    details = [f"Environment: {verdict.environment}; tolerance {verdict.tolerance:g}"]
    if verdict.predictions and verdict.largest_difference is not None:
        asked = formats.counted(verdict.predictions, "prediction")
        details.append(f"{asked} differ by {verdict.largest_difference:g} at most")
    details += verdict.remarks
    columns = (Column("metric"), Column("before", right=True), Column("now", right=True))
    rows = [
        [each.name, *(_metric(value, each.same) for value in (each.before, each.now))]
        for each in verdict.metrics
    ]
    return Report(
        headline=f"{verdict.model} v{verdict.version} built again: {verdict.outcome}",
        details=tuple(details),
        table=Table.of(columns, rows),
    )


def _metric(value: Any, same: bool) -> str:
    """Return a metric, with all its digits where they matter."""
    return formats.value(value) if same else _short(value)


def _complete(number: int | None) -> str:
    return "" if number is None else f"{number}/{len(PartName)}"


def _alias_line(alias: m.AliasView) -> str:
    why = f": {alias.why}" if alias.why else ""
    return f"@{alias.alias} by {alias.by}, {formats.ago(alias.at)}{why}"


def _summary(part: m.PartView) -> str:
    """Return the most telling facts of a complete part."""
    known = {
        name: value
        for name, value in part.facts.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }
    told = [f"{name} {_short(value)}" for name, value in list(known.items())[:3]]
    composed = {
        name: value
        for name, value in part.facts.items()
        if isinstance(value, list | dict) and value
    }
    for name, value in list(composed.items())[:3]:
        # Only what has a plural is a collection.
        told.append(formats.counted(len(value), name[:-1]) if name.endswith("s") else name)
    return ", ".join(told)


def _short(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
