"""Shared cells in a notebook: marked when it is prepared, filled in when it is executed."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import nbformat


class SharedResult(msgspec.Struct, frozen=True):
    """What a shared cell has put out before the kernel was forked."""

    #: Position among the code cells of the notebook as it was submitted.
    position: int
    #: Type and content of each message.
    messages: list[tuple[str, dict[str, Any]]]
    seconds: float
    #: The number that the kernel gave the cell.
    count: int


def mark_shared(nb: nbformat.NotebookNode, positions: Collection[int]) -> None:
    """Mark the code cells at these positions, before parameters are injected."""
    code = (cell for cell in nb.cells if cell.cell_type == "code")
    for position, cell in enumerate(code):
        cell.metadata.pop("mlops", None)
        if position in positions:
            cell.metadata["mlops"] = {"shared": position}


def read_results(path: Path | None) -> dict[int, SharedResult]:
    """Read what a template has left, by position."""
    if path is None:
        return {}
    results = msgspec.json.decode(path.read_bytes(), type=list[SharedResult])
    return {each.position: each for each in results}


def result_of(cell: nbformat.NotebookNode, results: dict[int, SharedResult]) -> SharedResult | None:
    """Return the result of a marked cell; without one it loses its mark."""
    mark = cell.metadata.get("mlops", {}).get("shared")
    found = results.get(mark) if mark is not None else None
    if mark is not None and found is None:
        del cell.metadata["mlops"]
    return found
