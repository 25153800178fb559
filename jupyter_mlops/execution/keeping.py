"""Outputs that stay although their cells are executed again, to restore the kernel's state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import nbformat

from ..core.executors import Kept
from .journal import CellChanged, Cleared, Record, Shown, Text


class Keeping:
    """The code cells whose outputs were put out by an earlier attempt."""

    def __init__(self, kept: Kept | None) -> None:
        """Read them. Raises `OSError` if they are gone."""
        self._cells: dict[int, nbformat.NotebookNode] = {}
        if kept is not None:
            nb = nbformat.read(kept.notebook, as_version=4)
            code = (cell for cell in nb.cells if cell.cell_type == "code")
            self._cells = {
                number: cell for number, cell in enumerate(code, start=1) if number < kept.before
            }

    def holds(self, number: int | None) -> bool:
        """Whether the outputs of a code cell, counted from 1, are kept."""
        return number in self._cells

    def records(self, places: Mapping[int, int]) -> Iterator[Record]:
        """Yield what the journal says of them; ``places`` are their numbers by place."""
        for place, number in places.items():
            cell = self._cells.get(number)
            if cell is not None:
                yield CellChanged(place, cell.metadata, cell.execution_count)
                for output in cell.outputs:
                    yield _record(place, output)

    def give_up(self, first: int, places: Mapping[int, int], cells: list[Any]) -> Iterator[Record]:
        """Keep nothing of a cell and those behind it; yield what the journal says of that."""
        for place, number in places.items():
            if number >= first and self._cells.pop(number, None) is not None:
                yield Cleared(place)
                yield CellChanged(place, cells[place].metadata, None)


def _record(place: int, output: nbformat.NotebookNode) -> Record:
    if output.output_type == "stream":
        return Text(place, output.name, output.text)
    return Shown(place, dict(output))
