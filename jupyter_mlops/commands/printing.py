"""Print results: tables that fit the width for a person, JSON for a program."""

from __future__ import annotations

import math
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..reports import Report, as_text, hint_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ..reports import Table

#: Columns of a table that is not printed on a terminal.
_WIDE = 1000

_COLOURS = {"✓": "green", "✗": "red", "◐": "cyan", "⊘": "dim", "○": "dim"}


def print_json(record: Any) -> None:
    """Print a record as one JSON document."""
    sys.stdout.write(json_text(record) + "\n")
    sys.stdout.flush()


def json_text(record: Any) -> str:
    """Write a record as strict JSON: there is no NaN in it."""
    import msgspec

    encoded = msgspec.json.encode(finite(msgspec.to_builtins(record, builtin_types=(datetime,))))
    return msgspec.json.format(encoded, indent=2).decode()


def finite(record: Any) -> Any:
    """Encode floats that JSON lacks, as everywhere: ``{"$float": "nan"}``."""
    if isinstance(record, float) and not math.isfinite(record):
        return {"$float": repr(record)}
    if isinstance(record, dict):
        return {key: finite(each) for key, each in record.items()}
    if isinstance(record, (list, tuple)):
        return [finite(each) for each in record]
    return record


def print_report(report: Report, prefix: str) -> None:
    """Print a report on standard output, coloured and fitted to the width on a terminal."""
    if not sys.stdout.isatty():
        lines = [as_text(report, width=_WIDE), *hint_lines(report, prefix)]
        sys.stdout.write("\n".join(filter(None, map(_safe_lines, lines))) + "\n")
        sys.stdout.flush()
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    for line in filter(None, (report.headline, *report.details)):
        console.print(coloured(line), soft_wrap=True)
    if report.table is not None and report.table.rows:
        _print_table(console, report.table)
    for line in hint_lines(report, prefix):
        console.print(_safe(line), soft_wrap=True, style="dim")


def _print_table(console: Console, table: Table) -> None:
    from rich import box
    from rich.table import Table as RichTable

    fitting = table.fitting(console.width)
    made = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for column in fitting.columns:
        made.add_column(
            _safe(column.title), justify="right" if column.right else "left", overflow="fold"
        )
    for row in fitting.rows:
        made.add_row(*map(coloured, row))
    console.print(made)


def coloured(line: str) -> Text:
    """Give the shapes of the states their colours."""
    from rich.text import Text

    text = Text(_safe(line))
    for i, character in enumerate(line):
        if character in _COLOURS:
            text.stylize(_COLOURS[character], i, i + 1)
    return text


def _safe_lines(text: str) -> str:
    return "\n".join(map(_safe, text.split("\n")))


def _safe(line: str) -> str:
    """Keep control characters of names and errors away from the terminal."""
    return "".join(c if c.isprintable() else "·" for c in line)
