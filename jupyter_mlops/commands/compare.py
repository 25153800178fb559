"""``runs compare``: runs side by side, their curves, their notebooks, and their plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .base import Command
from .types import RunType

if TYPE_CHECKING:
    from ..results import CellDiffs, Comparison, Curves, Gallery


@click.command("compare", cls=Command)
@click.argument("ids", type=RunType(), nargs=-1, required=True, metavar="ID...")
@click.option("--curve", metavar="METRIC", help="A metric by step, the runs beside one another.")
@click.option("--cells", is_flag=True, help="Two output notebooks, cell by cell.")
@click.option("--gallery", metavar="CELL", help="The images of a cell of a sweep: number or tag.")
def compare(
    ids: tuple[str, ...], curve: str | None, cells: bool, gallery: str | None
) -> Comparison | Curves | CellDiffs | Gallery:
    """Set runs side by side: parameters, metrics and facts, what differs first.

    The ID of a sweep stands for all of its runs, the best ones first.

    \b
    Examples:
      jupyter mlops runs compare k3m9x2ab-1 k3m9x2ab-4
      jupyter mlops runs compare k3m9x2ab --curve loss
      jupyter mlops runs compare k3m9x2ab-1 k3m9x2ab-4 --cells
      jupyter mlops runs compare k3m9x2ab --gallery 5
    """
    from ..api import compare as compare_runs

    if sum((curve is not None, cells, gallery is not None)) > 1:
        raise click.UsageError("Choose one of --curve, --cells and --gallery.")
    if gallery is not None:
        return _gallery(ids, gallery)
    found = compare_runs(*ids)
    if curve is not None:
        return found.curves(curve)
    return found.cells() if cells else found


def _gallery(ids: tuple[str, ...], cell: str) -> Gallery:
    from ..api import get
    from ..results import SweepResult

    found = get(ids[0])
    if len(ids) > 1 or not isinstance(found, SweepResult):
        raise click.UsageError("--gallery shows one sweep. Name it alone.")
    return found.gallery(int(cell) if cell.isdecimal() else cell)
