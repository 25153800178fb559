"""Output notebooks as other programs would have written them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from papermill.execute import ERROR_MARKER_TAG, prepare_notebook_metadata

from .files import write_atomically

#: Makes a run's output of what was submitted, and the run's output.
Style = Callable[[nbformat.NotebookNode, nbformat.NotebookNode], str]


def copy(submitted: Path, executed: Path, target: Path, style: Style) -> None:
    """Write a copy of a run's output in another style. Raises `OSError`, `ValueError`."""
    before, after = _read(submitted), _read(executed)
    write_atomically(target, style(before, after).encode("utf-8", "replace"))


def _read(path: Path) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.reads(path.read_text("utf-8"), as_version=4)
    return notebook


def papermill_style(source: str, target: str, parameters: dict[str, Any], *, report: bool) -> Style:
    """Return papermill's style; the paths are those that it was given."""

    def style(before: nbformat.NotebookNode, after: nbformat.NotebookNode) -> str:
        prepare_notebook_metadata(after, source, target, report)
        known = before.metadata.get("papermill", {}).get("parameters", {})
        after.metadata.papermill["parameters"] = parameters or known
        text: str = nbformat.writes(after)
        return text

    return style


def nbconvert_style(before: nbformat.NotebookNode, after: nbformat.NotebookNode) -> str:
    """Return what nbconvert would have written: nothing is added but outputs and times."""
    after.nbformat_minor = before.nbformat_minor
    after.metadata = _restored(before.metadata, after.metadata)
    executed = iter(after.cells)
    after.cells = [
        cell if _is_marker(cell) else _cell(cell, next(executed)) for cell in before.cells
    ]
    return f"{nbformat.writes(after)}\n"


def _is_marker(cell: nbformat.NotebookNode) -> bool:
    """Whether papermill has left the cell after a failure, and takes it away again."""
    return ERROR_MARKER_TAG in cell.metadata.get("tags", [])


def _cell(before: nbformat.NotebookNode, after: nbformat.NotebookNode) -> nbformat.NotebookNode:
    if before.cell_type != "code" or not before.source.strip() or _is_skipped(before):
        return before
    after.metadata = _restored(before.metadata, after.metadata)
    if "id" not in before:
        after.pop("id", None)
    return after


def _is_skipped(cell: nbformat.NotebookNode) -> bool:
    return "skip-execution" in cell.metadata.get("tags", [])


def _restored(before: nbformat.NotebookNode, after: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return metadata without what papermill has added, and with what it has taken."""
    kept = {name: value for name, value in after.items() if name != "papermill"}
    if not kept.get("tags") and "tags" not in before:
        kept.pop("tags", None)
    kept |= {name: before[name] for name in ("papermill", "mlops") if name in before}
    restored: nbformat.NotebookNode = nbformat.from_dict(kept)
    return restored
