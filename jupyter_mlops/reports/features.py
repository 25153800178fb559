"""What to say about features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ..app import messages as m
from ..core import formats
from ..core.features import Definition, Why, format_duration
from .form import Column, Report, Table

#: What a state is called, and what computing would be for.
_STATES = {
    Why.FRESH: "fresh",
    Why.NEW: "never computed",
    Why.CODE: "stale: code",
    Why.SOURCES: "stale: sources",
    Why.MISSING: "stale: files are gone",
}
#: Widest bar of a histogram, in characters.
_BAR = 30
#: Bars that are drawn at most.
_BARS = 20


def features_report(page: m.FeaturesView) -> Report:
    """Report features as a list, and what is wrong with others."""
    problems = tuple(f"✗ {each.line}" for each in page.problems)
    if not page.total:
        return Report(
            headline="No feature is defined yet.",
            details=problems,
            hints=(("Define one in a cell", "%%mlops feature NAME"),),
        )
    if not page.features:
        return Report(
            headline=f"None of {formats.counted(page.total, 'feature')} fits.", details=problems
        )
    columns = (
        Column("feature"),
        Column("about"),
        Column("entity"),
        Column("type", spare=True),
        Column("owner", spare=True),
        Column("state"),
        Column("computed", right=True, spare=True),
    )
    rows = (
        [
            each.name,
            _short(each.summary),
            ", ".join(each.entity),
            each.type or "",
            each.owner or "",
            state(each),
            formats.ago(each.computed_at) if each.computed_at else "",
        ]
        for each in page.features
    )
    return Report(
        headline=_headline(page),
        details=problems,
        table=Table.of(columns, rows),
        hints=(("All that is known of one", "mlops features show NAME"),),
    )


def state(view: m.FeatureView) -> str:
    """Return the state of a feature, in words."""
    return "on demand" if view.state is None else _STATES[view.state]


def feature_report(view: m.FeatureDetail) -> Report:
    """Report all that is known of a feature."""
    feature = view.feature
    details = [*view.description.splitlines()[:6], ""] if view.description else []
    details += [f"{name}: {text}" for name, text in _facts(view) if text]
    if view.checked is not None:
        details.append(f"Checked {formats.ago(view.checked.at)}: {view.checked.line}")
    if view.drift is not None:
        details.append(f"Drift {formats.ago(view.drift.at)}: {view.drift.line}")
    details += ["", *view.code.splitlines()]
    table = _bars(view.statistics) if view.statistics else None
    return Report(
        headline=f"{feature.name} · {state(feature)}",
        details=tuple(details),
        table=table,
        hints=_hints(view),
    )


def defined_report(
    path: str, diff: Sequence[str], defined: Sequence[Definition], problems: Sequence[str]
) -> Report:
    """Report what became of a module into which functions were written."""
    names = ", ".join(each.full_name for each in defined)
    what = f"Wrote {path}" if diff else f"{path} says so already"
    stored = next((each.full_name for each in defined if not each.on_demand), None)
    hint = (("Compute it", f"mlops features compute {stored}"),) if stored else ()
    return Report(
        headline=f"{what}: {names or 'no feature, for none has an entity'}",
        details=(*(f"✗ {each}" for each in problems), *diff),
        hints=hint,
    )


def export_report(view: m.FeatureExportView) -> Report:
    """Report what was written for another system."""
    return Report(
        headline=f"{formats.counted(len(view.files), 'file')} for {view.format}: {view.folder}",
        details=tuple(view.notes),
    )


def _facts(view: m.FeatureDetail) -> list[tuple[str, str]]:
    feature, done, known = view.feature, view.computation, view.statistics
    return [
        ("Entity", ", ".join(feature.entity)),
        ("Time", feature.timestamp or ""),
        ("Holds for", _span(feature.ttl)),
        ("Owner", feature.owner or ""),
        ("Tags", ", ".join(feature.tags)),
        ("Sensitivity", _sensitivity(feature)),
        ("Type", feature.type or ""),
        ("Cost", _cost(view)),
        ("Newest value", f"{feature.last:%Y-%m-%d %H:%M} UTC" if feature.last else ""),
        ("Missing", f"{feature.missing:.1%}" if feature.missing is not None else ""),
        ("Values", _values(known) if known else ""),
        ("Online", _online(view)),
        ("From the request", ", ".join(view.request)),
        ("From features", ", ".join(view.upstream)),
        ("From sources", ", ".join(_source(each) for each in view.sources)),
        ("Used by features", ", ".join(view.downstream)),
        ("Used by models", view.models_problem or ", ".join(map(_model, view.models or ()))),
        ("Served by", ", ".join(view.endpoints)),
        ("Same code as", ", ".join(view.twins)),
        ("Checks", "; ".join(view.checks)),
        ("Version", f"{done.version}, {formats.ago(done.at)}" if done else ""),
        ("Defined in", f"{view.path}, line {view.line}"),
    ]


def _hints(view: m.FeatureDetail) -> tuple[tuple[str, str], ...]:
    name = view.feature.name
    if view.feature.state in (None, Why.FRESH):
        return (("Use it", view.snippet.splitlines()[-1]),)
    return (("Compute it", f"mlops features compute {name}"),)


def _headline(page: m.FeaturesView) -> str:
    shown = formats.counted(len(page.features), "feature")
    if len(page.features) < page.found:
        return f"{shown} of {page.found:,}"
    return shown if page.found == page.total else f"{shown} of {page.total:,} fit"


def _cost(view: m.FeatureDetail) -> str:
    """Say what it took, like ``12 s, 310 MB for 337,000 rows``, and what the author says."""
    done = view.computation
    said = view.feature.cost
    if done is None:
        return said or ""
    memory = f", {formats.size(done.peak_memory)}" if done.peak_memory else ""
    measured = f"{formats.duration(done.seconds)}{memory} for {formats.counted(done.rows, 'row')}"
    return f"{measured} ({said})" if said else measured


def _values(known: m.StatisticsView) -> str:
    parts = []
    if known.minimum is not None and known.maximum is not None:
        parts.append(f"{formats.number(known.minimum)} to {formats.number(known.maximum)}")
    if known.mean is not None:
        parts.append(f"mean {formats.number(known.mean)}")
    if known.distinct is not None:
        parts.append(f"{known.distinct:,} distinct")
    return ", ".join(parts)


def _online(view: m.FeatureDetail) -> str:
    if view.online_rows is None or view.feature.online_at is None:
        return ""
    return f"{view.online_rows:,} entities, {formats.ago(view.feature.online_at)}"


def _sensitivity(feature: m.FeatureView) -> str:
    if feature.sensitivity is None or feature.readable:
        return feature.sensitivity or ""
    who = f"; ask {feature.owner}" if feature.owner else ""
    return f"{feature.sensitivity}: you may not read its values{who}"


def _source(view: m.SourceView) -> str:
    late = ", late" if view.late else ""
    return f"{view.name} ({view.place}{late})"


def _model(view: m.FeatureModel) -> str:
    aliases = "".join(f" @{each}" for each in view.aliases)
    changed = ", before a change" if view.changed else ""
    return f"{view.name} v{view.version}{aliases}{changed}"


def _span(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(timedelta(seconds=seconds))


def _bars(known: m.StatisticsView) -> Table | None:
    """Draw the histogram."""
    if known.counts:
        names = [
            f"{formats.number(low)} to {formats.number(high)}"
            for low, high in zip(known.edges, known.edges[1:], strict=False)
        ]
        bars = list(zip(names, known.counts, strict=True))
    else:
        bars = list(known.values)
    if not bars:
        return None
    most = max(count for _, count in bars) or 1
    columns = (Column("value", right=bool(known.counts)), Column("rows", right=True), Column(""))
    rows = ((name, f"{n:,}", "█" * round(n / most * _BAR)) for name, n in bars[:_BARS])
    return Table.of(columns, rows)


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
