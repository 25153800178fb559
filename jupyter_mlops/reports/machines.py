"""What machines achieve, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from ..app import messages as m
from ..core import formats
from .form import Column, Report, Table


def machine_report(view: m.MachineView, others: Sequence[m.MachineView] = ()) -> Report:
    """Report what a machine achieved, and what others did, as multiples of it."""
    columns = [
        Column("workload"),
        Column(view.host, right=True),
        Column(""),
        Column("used", right=True),
        *(Column(f"{each.host} ({each.cores})", right=True) for each in others),
    ]
    known = [{each.name: each for each in other.measures} for other in others]
    rows = [
        (
            each.name,
            f"{each.value:,.4g}",
            each.unit,
            "" if each.utilisation is None else f"{each.utilisation:.0%}",
            *(_beside(each, other.get(each.name)) for other in known),
        )
        for each in view.measures
    ]
    memory = f", {formats.size(view.memory)} of memory" if view.memory else ""
    processor = f", {view.processor}" if view.processor else ""
    return Report(
        headline=f"{view.host}: {formats.counted(view.cores, 'core')}{memory}{processor}",
        details=tuple(f"Not measured: {each.name}. {each.line}" for each in view.skipped),
        table=Table.of(columns, rows),
        hints=()
        if others
        else (("Compare another machine", "mlops doctor --bench --beside FILE"),),
    )


def _beside(own: m.MeasureView, other: m.MeasureView | None) -> str:
    if other is None or other.unit != own.unit:
        return ""
    return f"{other.value:,.4g} ({other.value / own.value:.2g}x)"
