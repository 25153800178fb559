"""One cell's images across runs, from their output notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.exceptions import InvalidInput, NotebookUnreadable
from ..core.runs import Status
from ..core.values import quote
from ..notebooks.files import read_notebook
from . import messages as m

#: Bytes of a notebook that is looked into, of one image, and of all images of an answer.
_NOTEBOOK_LIMIT = 50_000_000
_IMAGE_LIMIT = 5_000_000
_ANSWER_LIMIT = 40_000_000
#: Runs whose cells are looked at to find those with images.
_LOOKED_AT = 3
#: What is drawn as an image, the best one first.
MIMES = ("image/png", "image/svg+xml", "image/jpeg", "image/webp", "image/gif")

Cell = Mapping[str, Any]


def gallery(
    runs: Sequence[tuple[m.RunView, Path]], number: int | None, tag: str | None
) -> tuple[int | None, list[m.GalleryItem], list[m.GalleryCell]]:
    """Return the chosen cell's number, what it put out in each run, and what can be chosen.

    Raises `InvalidInput` if no notebook has the cell.
    """
    notebooks = {run.id: _code_cells(run, path) for run, path in runs}
    readable = [cells for cells in notebooks.values() if not isinstance(cells, str)]
    cells = _choices(readable)
    chosen = _chosen(readable, number, tag) if number or tag else None
    if chosen is None and cells:
        chosen = cells[-1].cell
    left = _ANSWER_LIMIT
    items = []
    for run, _ in runs:
        found = notebooks[run.id]
        if isinstance(found, str):
            items.append(m.GalleryItem(run=run, images=[], problem=found))
            continue
        at = _position(found, chosen, tag)
        images = list(_images(found[at])) if at is not None else []
        for image in images:
            if image.size > left:
                image.data = None
            left -= image.size if image.data is not None else 0
        problem = None if images else _why_none(run, at)
        items.append(m.GalleryItem(run=run, images=images, problem=problem))
    return chosen, items, cells


def _code_cells(run: m.RunView, path: Path) -> list[Cell] | str:
    """Return the code cells of a run's notebook, or why there are none."""
    if not run.notebook or not path.exists():
        return (
            "It has no output notebook yet." if not run.status.finished else "It has no notebook."
        )
    try:
        notebook = read_notebook(path, max_bytes=_NOTEBOOK_LIMIT)
    except NotebookUnreadable as error:
        return error.message
    return [each for each in notebook["cells"] if each.get("cell_type") == "code"]


def _tags(cell: Cell) -> set[str]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return {each for each in tags if isinstance(each, str)} if isinstance(tags, list) else set()


def _choices(notebooks: Iterable[list[Cell]]) -> list[m.GalleryCell]:
    """Return the cells that put out images in the first few notebooks."""
    found: dict[int, m.GalleryCell] = {}
    for cells in list(notebooks)[:_LOOKED_AT]:
        for number, cell in enumerate(cells, start=1):
            if number not in found and any(_images(cell)):
                found[number] = m.GalleryCell(
                    cell=number, tags=sorted(_tags(cell)), title=title_of(cell)
                )
    return [found[number] for number in sorted(found)]


def _chosen(notebooks: Sequence[list[Cell]], number: int | None, tag: str | None) -> int | None:
    if not notebooks:
        return number
    for cells in notebooks:
        at = _position(cells, number, tag)
        if at is not None:
            return at + 1
    if tag is not None:
        raise InvalidInput(f"No code cell has the tag {quote(tag)}. Tag one, or name its number.")
    most = max(map(len, notebooks))
    raise InvalidInput(f"There is no code cell {number}: the notebook has {most}.", field="cell")


def _position(cells: Sequence[Cell], number: int | None, tag: str | None) -> int | None:
    if tag is not None:
        return next((at for at, cell in enumerate(cells) if tag in _tags(cell)), None)
    return number - 1 if number is not None and number <= len(cells) else None


def _why_none(run: m.RunView, at: int | None) -> str:
    if at is None:
        return "Its notebook has no such cell."
    if run.status is Status.SUCCEEDED:
        return "The cell put out no image."
    return f"The cell put out no image; the run is {run.status}."


def _images(cell: Cell) -> Iterator[m.ImageView]:
    """Yield the best form of each image of a cell."""
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        if not isinstance(data, dict):
            continue
        mime = next((each for each in MIMES if each in data), None)
        if mime is not None:
            text = joined(data[mime])
            size = len(text.encode()) if mime.endswith("+xml") else len(text) * 3 // 4
            yield m.ImageView(mime=mime, size=size, data=text if size <= _IMAGE_LIMIT else None)


def joined(text: object) -> str:
    """Return text that a notebook may hold as a list of lines."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def title_of(cell: Cell) -> str:
    """Return the first line of a cell that says something."""
    lines = (line.strip() for line in joined(cell.get("source")).splitlines())
    return next((line[:80] for line in lines if line), "")
