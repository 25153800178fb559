"""What to say about a list of runs of any sweeps."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from ..app import messages as m
from ..core import formats
from ..core.exceptions import InvalidInput
from ..core.run_query import Field, fields_of, parse_condition, parse_order
from ..core.runs import SweepKind
from . import states
from .form import Column, Report, Table


def runs_report(
    runs: Sequence[m.RunView],
    *,
    total: int | None = None,
    query: m.SearchQuery | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """Report a page of runs; ``total`` is how many there are, ``query`` what was asked."""
    query = query if query is not None else m.SearchQuery()
    total = len(runs) if total is None else total
    if not runs:
        start = (("Start some", "mlops sweep NB"),)
        return Report(headline=_nothing(total), details=tuple(notes), hints=start)
    extra = _extra(query)
    columns = (
        Column("run"),
        Column("status"),
        Column("notebook"),
        Column("parameters", spare=True),
        Column("metric", right=True),
        *(Column(_title(field), right=True) for field in extra),
        Column("duration", right=True),
        Column("begun", right=True, spare=True),
    )
    table = Table.of(columns, (_list_row(run, extra) for run in runs))
    return Report(
        headline=_headline(len(runs), total, query),
        details=(*_waiting(runs), *states.others(runs), *notes),
        table=table,
        hints=(*_more(len(runs), total, query), ("Look closer", f"mlops runs show {runs[0].id}")),
    )


def _nothing(total: int) -> str:
    if not total:
        return "There are no such runs."
    return f"There are no more than {formats.counted(total, 'run')}."


def _waiting(runs: Sequence[m.RunView]) -> tuple[str, ...]:
    """Say how many of the runs the tracking server lacks."""
    number = sum(run.unsynced for run in runs)
    wait = "waits" if number == 1 else "wait"
    return (f"{number:,} of them {wait} here until the tracking server answers.",) * bool(number)


def _headline(shown: int, total: int, query: m.SearchQuery) -> str:
    count = formats.counted(total, "run")
    if shown < total and query.offset:
        count = f"Runs {query.offset + 1:,} to {query.offset + shown:,} of {total:,}"
    elif shown < total:
        count = f"The {'first' if query.sort or query.sweep else 'newest'} {shown:,} of {count}"
    return f"{count}, sorted by {query.sort}" if query.sort else count


def _more(shown: int, total: int, query: m.SearchQuery) -> tuple[tuple[str, str], ...]:
    """Return the hint that names the next page."""
    if query.offset + shown >= total:
        return ()
    given = {
        "sweep": query.sweep,
        "status": query.status and query.status.value,
        "where": query.where,
        "sort": query.sort,
        "limit": query.limit and str(query.limit),
        "offset": str(query.offset + shown),
    }
    options = (f"--{name} {shlex.quote(each)}" for name, each in given.items() if each)
    return (("More", f"mlops runs list {' '.join(options)}"),)


def _extra(query: m.SearchQuery) -> list[Field]:
    """Return the parameters and metrics that were asked for, each of which has a column."""
    try:
        condition = parse_condition(query.where) if query.where else None
        named = fields_of(condition, parse_order(query.sort) if query.sort else ())
    except InvalidInput:  # a worker of another version knows more
        return []
    return [field for field in named if field.group in ("params", "metrics")]


def _title(field: Field) -> str:
    return f"{field.group}.{field.name}"


def _list_row(run: m.RunView, extra: Sequence[Field]) -> list[str]:
    has_value = run.metric is not None and run.value is not None
    return [
        run.id,
        states.marked(run),
        _what(run),
        formats.pairs(run.parameters, limit=40),
        f"{run.metric} {formats.value(run.value)}" if has_value else "",
        *(_cell(run.parameters if each.group == "params" else run.metrics, each) for each in extra),
        states.took(run),
        formats.ago(run.started_at),
    ]


def _cell(values: dict[str, Any], field: Field) -> str:
    return formats.value(values[field.name]) if field.name in values else ""


def _what(run: m.RunView) -> str:
    """Say what was executed."""
    if run.kind is SweepKind.SESSION:
        return f"{run.notebook} (session)".strip()
    return f"{run.notebook} (stage {run.stage})" if run.stage else run.notebook
