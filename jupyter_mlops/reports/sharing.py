"""Which cells the runs of a sweep share, and what sharing more of them would save."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..app import messages as m
from ..core import formats
from . import Column, Report, Table

#: Seconds below which a cell is not worth a line.
_WORTH = 0.1
#: Characters of a cell that are shown.
_CODE = 40

_ANSWERS = {
    "shared": "yes",
    "refused": "no: see above",
    "suggested": "could be",
    "free": "could be",
}


def sharing_report(view: m.SharingView) -> Report:
    """Report which cells are executed once, which could be, and what that would save."""
    columns = (
        Column("cell", right=True),
        Column("code", spare=True),
        Column("in each run", right=True),
        Column("shared"),
    )
    rows = (
        (str(each.cell), _code(each.source), formats.duration(each.seconds), _answer(each))
        for each in view.cells
        if _is_worth_a_line(each, view)
    )
    return Report(
        headline=f"{formats.counted(view.runs, 'run')} of {view.notebook}, {view.slots} at a time",
        details=tuple(_lines(view)),
        table=Table.of(columns, rows),
    )


def _lines(view: m.SharingView) -> Iterator[str]:
    if not view.cells:
        yield "Only cells of Python notebooks can be shared."
        return
    yield from (each.why for each in view.cells if each.state == "refused")
    shared = [each for each in view.cells if each.state == "shared"]
    if shared:
        yield f"Executed once for all runs: {_cells(shared)}."
    suggested = [each for each in view.cells if each.state == "suggested"]
    if not view.measured:
        yield "No earlier run has measured the cells: what sharing saves is known after the first."
    elif suggested:
        yield from _suggestion(view, suggested)
    else:
        yield f"No {'other ' if shared else ''}cell is worth sharing."


def _suggestion(view: m.SharingView, suggested: Sequence[m.SharingCell]) -> Iterator[str]:
    one = len(suggested) == 1
    names = _cells(suggested).capitalize()
    does, takes = ("does", "takes") if one else ("do", "take")
    seconds = formats.duration(view.seconds)
    yield f"{names} {does} not depend on parameters and {takes} {seconds} of each run."
    saves = f"saves about {formats.about(view.saved)}" if view.saved >= 1 else "saves nothing"
    runs = "this run" if view.runs == 1 else f"these {view.runs:,} runs"
    them = "it" if one else "them"
    cores = formats.counted(view.cores, "core")
    yield f"The tag shared on {them} {saves} in {runs} on {cores}."


def _cells(cells: Sequence[m.SharingCell]) -> str:
    """Write ``cell 3`` or ``cells 1, 2 and 5``."""
    numbers = [str(each.cell) for each in cells]
    if len(numbers) == 1:
        return f"cell {numbers[0]}"
    return f"cells {', '.join(numbers[:-1])} and {numbers[-1]}"


def _is_worth_a_line(cell: m.SharingCell, view: m.SharingView) -> bool:
    if cell.state == "parameters":
        return False
    chosen = cell.tagged or cell.state in ("shared", "suggested")
    unmeasured = cell.state == "free" and not view.measured
    return chosen or unmeasured or (cell.seconds or 0.0) >= _WORTH


def _code(source: str) -> str:
    """Return the first line of a cell that says something."""
    lines = (line.strip() for line in source.splitlines())
    first = next((line for line in lines if line and not line.startswith(("#", "%%"))), "")
    return first if len(first) <= _CODE else f"{first[: _CODE - 1]}…"


def _answer(cell: m.SharingCell) -> str:
    if cell.state not in _ANSWERS:
        return f"no, it {cell.why}"
    answer = _ANSWERS[cell.state]
    return f"{answer}, it {cell.why}" if cell.why and cell.state == "shared" else answer
