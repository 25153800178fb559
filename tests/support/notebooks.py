"""Notebooks for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat


def write_notebook(path: Path, *cells: str, kernel: str = "python3", **metadata: Any) -> Path:
    """Write a notebook of code cells, the first of which declares the parameters."""
    nb = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": kernel, "display_name": kernel, "language": "python"},
            **metadata,
        },
        cells=[nbformat.v4.new_code_cell(source, id=f"c{i}") for i, source in enumerate(cells)],
    )
    if cells:
        nb.cells[0].metadata["tags"] = ["parameters"]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


def tag(path: Path, *cells: int, name: str = "shared") -> None:
    """Tag code cells of a notebook, counted from 1."""
    nb = nbformat.read(path, as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    for cell in cells:
        code[cell - 1].metadata.setdefault("tags", []).append(name)
    nbformat.write(nb, path)
