"""What to say about runs that are compared: side by side, by their curves and by their cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..app import messages as m
from ..core import formats
from ..core.comparing import common_steps
from ..core.values import decode
from . import drawing, states
from .form import Column, Report, Table

#: Runs that have a column each; of more, each is a row.
MAX_COLUMNS = 5
MAX_ROWS = 30
#: Axes of parallel coordinates.
MAX_AXES = 12
#: Steps of curves in a table.
STEPS = 15
#: Facts that are told although they are the same in all runs.
_ALWAYS = ("status", "duration")


def comparison_report(view: m.CompareView, *, rows: int = MAX_ROWS) -> Report:
    """Report runs side by side: what differs first."""
    counted = formats.counted(view.total, "run")
    shown = f"the first {len(view.runs):,} of {counted}" if len(view.runs) < view.total else counted
    parts = [
        _of(len(_differing(each)), formats.counted(len(each), noun))
        for each, noun in ((view.parameters, "parameter"), (view.metrics, "metric"))
        if each
    ]
    headline = " · ".join([shown[0].upper() + shown[1:], *parts])
    if len(view.runs) <= MAX_COLUMNS:
        return Report(headline=headline, table=_columns(view), hints=_hints(view))
    details = [*_same(view)]
    if len(view.runs) > rows:
        details.append(f"The first {rows} of {formats.counted(len(view.runs), 'run')}:")
    return Report(
        headline=headline,
        details=tuple(details),
        table=_rows(view, view.runs[:rows]),
        hints=_hints(view),
    )


def _of(number: int, all_of_them: str) -> str:
    return f"{number:,} of {all_of_them} {'differs' if number == 1 else 'differ'}"


def _differing(rows: Iterable[m.CompareRow]) -> list[m.CompareRow]:
    return [row for row in rows if row.differs]


def _columns(view: m.CompareView) -> Table:
    """Make a table with a column for each run: what differs, then what is the same."""
    facts = [row for row in view.facts if row.differs or row.name in _ALWAYS]
    groups = (("params.", view.parameters), ("metrics.", view.metrics), ("", facts))
    rows = [(prefix, row) for prefix, each in groups for row in each]
    ordered = [each for each in rows if each[1].differs] + [
        each for each in rows if not each[1].differs
    ]
    columns = (Column(""), Column("differs"), *(Column(run.id, right=True) for run in view.runs))
    cells = (
        [
            f"{prefix}{row.name}",
            "≠" if row.differs else "=",
            *(_cell(row, run.id) for run in view.runs),
        ]
        for prefix, row in ordered
    )
    return Table.of(columns, cells)


def _rows(view: m.CompareView, runs: Sequence[m.RunView]) -> Table:
    """Make a table with a row for each run, and a column for each thing that differs."""
    parameters, metrics = _differing(view.parameters), _differing(view.metrics)
    columns = [
        Column("run"),
        Column("status"),
        *(Column(row.name, right=True, spare=at > 5) for at, row in enumerate(parameters)),
        *(Column(row.name, right=True, spare=at > 1) for at, row in enumerate(metrics)),
        Column("duration", right=True),
    ]
    cells = (
        [
            run.id,
            states.marked(run),
            *(_cell(row, run.id) for row in (*parameters, *metrics)),
            states.took(run),
        ]
        for run in runs
    )
    return Table.of(columns, cells)


def _same(view: m.CompareView) -> list[str]:
    """Tell the parameters that all runs share."""
    same = {row.name: next(iter(row.values.values())) for row in view.parameters if not row.differs}
    return [f"The same in all: {formats.pairs(same, limit=200)}"] if same else []


def _cell(row: m.CompareRow, run_id: str) -> str:
    if run_id not in row.values:
        return "·"
    return fact(row.name, row.values[run_id])


def fact(name: str, value: Any) -> str:
    """Write a fact by its name: seconds, bytes and hashes as everywhere."""
    if name in ("duration", "cpu_time") and isinstance(value, (int, float)):
        return formats.duration(value)
    if name == "peak_memory" and isinstance(value, int):
        return formats.size(value)
    if isinstance(value, str) and name.endswith(("hash", "sha256", "commit")):
        return value[:12]
    return formats.value(value)


def _hints(view: m.CompareView) -> tuple[tuple[str, str], ...]:
    hints = []
    ids = " ".join(run.id for run in view.runs[:2])
    if len(view.runs) == 2 and all(run.output for run in view.runs):
        hints.append(("Compare the notebooks", f"mlops runs compare {ids} --cells"))
    return tuple(hints)


def curves_report(view: m.CurvesView, ids: str) -> Report:
    """Report a metric of several runs by step, a column for each run."""
    if not view.series:
        return Report(headline=f"No run has a metric {view.key}.", details=tuple(view.notes))
    shown = view.series[:MAX_COLUMNS]
    steps = common_steps((line.steps for line in shown), STEPS)
    values = [dict(zip(line.steps, line.values, strict=True)) for line in shown]
    columns = (Column("step", right=True), *(Column(line.run_id, right=True) for line in shown))
    rows = (
        [str(step), *(formats.value(each[step]) if step in each else "" for each in values)]
        for step in steps
    )
    runs = formats.counted(len(view.series), "run")
    more = f", the first {len(shown)} of them" if len(shown) < len(view.series) else ""
    return Report(
        headline=f"{view.key} of {runs} by step{more}",
        details=tuple(view.notes),
        table=Table.of(columns, rows),
        hints=(("All values", f"mlops runs compare {ids} --curve {view.key} --json"),),
    )


def drawn_curves(view: m.CurvesView) -> str:
    """Draw a metric of several runs by step, over one another."""
    lines = [
        drawing.Line(line.run_id, list(zip(line.steps, map(_float, line.values), strict=True)))
        for line in view.series
    ]
    return drawing.curves(view.key, "step", lines)


def _float(value: Any) -> float:
    return float(decode(value))  # type: ignore[arg-type]  # a metric's value is a number


def drawn_parallel(view: m.CompareView) -> str:
    """Draw each run as a line through the parameters and metrics that differ."""
    rows = [*_differing(view.parameters), *_differing(view.metrics)][:MAX_AXES]
    axes = {row.name: {run.id: decode(row.values.get(run.id)) for run in view.runs} for row in rows}
    return drawing.parallel(axes, [run.id for run in view.runs]) if len(axes) > 1 else ""


_SIGNS = {"same": " ", "added": "+", "removed": "-"}


def cells_headline(view: m.CellsView) -> str:
    """Say in one line how many cells differ between two notebooks."""
    differing = [cell for cell in view.cells if cell.change != "same"]
    count = formats.counted(len(view.cells), "cell")
    return f"{view.left} and {view.right}: {_of(len(differing), count)}"


def cell_lines(cell: m.CellDiff) -> list[str]:
    """Tell what differs of a cell, one line each."""
    where = " → ".join(str(at) for at in dict.fromkeys((cell.left, cell.right)) if at is not None)
    lines = [f"Cell {where} ({cell.cell_type}) {cell.change}: {cell.title}".rstrip(": ")]
    lines += [f"  {_SIGNS[line.change]} {line.text}" for line in cell.source]
    for output in cell.outputs:
        mimes = dict.fromkeys(side.mime for side in (output.left, output.right) if side)
        sizes = [formats.size(side.size) for side in (output.left, output.right) if side]
        text = f"  output {output.change}: {' → '.join(mimes)}"
        lines.append(text if output.lines else f"{text}, {' → '.join(sizes)}")
        lines += [f"    {_SIGNS[line.change]} {line.text}" for line in output.lines]
    return lines


def gallery_report(view: m.GalleryView) -> Report:
    """Report which runs of a sweep put out images at a cell."""
    if view.cell is None:
        return Report(headline="No cell put out an image.")
    columns = (
        Column("run"),
        Column("parameters"),
        Column("metric", right=True),
        Column("images"),
    )
    rows = (
        [
            item.run.id,
            formats.pairs(item.run.parameters, limit=40),
            formats.value(item.run.value) if item.run.value is not None else "",
            item.problem or ", ".join(f"{i.mime} {formats.size(i.size)}" for i in item.images),
        ]
        for item in view.items
    )
    others = ", ".join(str(each.cell) for each in view.cells if each.cell != view.cell)
    return Report(
        headline=f"Cell {view.cell} of {formats.counted(view.total, 'run')}",
        details=(f"Cells with images besides: {others}",) if others else (),
        table=Table.of(columns, rows),
    )
