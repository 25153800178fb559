"""What a result tells a person: a headline, details, a table, and where to look next.

One form for the shell, the notebook's HTML and plain text, so that a thing looks the same in all.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    #: Numbers stand right.
    right: bool = False
    #: Left out first where there is little room.
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text under titles."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, columns: Iterable[Column], rows: Iterable[Sequence[str]]) -> Table:
        """Make a table, leaving out columns in which every cell is empty."""
        columns, cells = tuple(columns), [tuple(row) for row in rows]
        kept = [i for i in range(len(columns)) if not cells or any(row[i] for row in cells)]
        return cls(
            tuple(columns[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in cells)
        )

    def widths(self) -> list[int]:
        """Return how many characters each column needs."""
        return [
            max(len(column.title), *(len(row[i]) for row in self.rows), 0)
            for i, column in enumerate(self.columns)
        ]

    def fitting(self, width: int, gap: int = 2) -> Table:
        """Leave out spare columns, the last one first, until the table fits the width."""
        widths = self.widths()
        kept = list(range(len(self.columns)))
        for i in reversed(range(len(self.columns))):
            if sum(widths[k] + gap for k in kept) - gap <= width:
                break
            if self.columns[i].spare:
                kept.remove(i)
        return Table(
            tuple(self.columns[i] for i in kept),
            tuple(tuple(row[i] for i in kept) for row in self.rows),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What to show of a result, from the most to the least important."""

    headline: str
    details: tuple[str, ...] = ()
    table: Table | None = None
    #: Where to look next: a purpose, and what to type. Commands of ours begin with ``mlops``.
    hints: tuple[tuple[str, str], ...] = ()


def hint_lines(report: Report, prefix: str) -> list[str]:
    """Write the hints as lines; ``prefix`` is how ``mlops`` is called: ``jupyter `` or ``%``."""
    return [
        f"{purpose}: {prefix if command.startswith('mlops ') else ''}{command}"
        for purpose, command in report.hints
    ]


def as_text(report: Report, *, width: int = 100) -> str:
    """Write a report as plain text."""
    lines = [line for line in (report.headline, *report.details) if line]
    if report.table is not None and report.table.rows:
        lines += _text_rows(report.table.fitting(width))
    return "\n".join(lines)


def _text_rows(table: Table) -> list[str]:
    widths = table.widths()
    rows = [tuple(column.title for column in table.columns), *table.rows]
    return [
        "  ".join(
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in rows
    ]


def as_html(report: Report) -> str:
    """Write a report as HTML. Every text is escaped; there is no script and no link."""
    parts = [f"<div><p><strong>{html.escape(report.headline)}</strong></p>"]
    if report.details:
        parts.append(f"<p>{'<br>'.join(map(html.escape, report.details))}</p>")
    if report.table is not None and report.table.rows:
        parts.append(_html_table(report.table))
    parts.append("</div>")
    return "\n".join(parts)


def _html_table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        made = "".join(
            f'<{tag}{scope if tag == "th" else ""} style="text-align: {_side(column)}">'
            f"{html.escape(cell)}</{tag}>"
            for cell, column in zip(cells, table.columns, strict=True)
        )
        return f"<tr>{made}</tr>"

    scope = ' scope="col"'
    head = row([column.title for column in table.columns], "th")
    body = "\n".join(row(cells, "td") for cells in table.rows)
    style = "font-variant-numeric: tabular-nums"
    return f'<table style="{style}"><thead>{head}</thead><tbody>\n{body}\n</tbody></table>'


def _side(column: Column) -> str:
    return "right" if column.right else "left"
