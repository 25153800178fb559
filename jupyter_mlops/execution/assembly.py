"""Making notebooks of journals: at the end, on demand, and after a crash.

What is written is byte for byte what nbformat would write of the same notebook.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ..core import formats
from ..core.files import remove_unfinished, write_atomically
from .draft import Draft, Item, load_output, load_text
from .journal import CellChanged, Closed, Journal, Marked, Opened

_encoder = msgspec.json.Encoder(order="sorted")


def assemble(path: Path, output: Path, *, abandoned: bool = False) -> bool:
    """Write the notebook that a journal tells of, as far as it goes; False if there is none.

    With ``abandoned`` nobody writes the journal any more: the cell that was executed has failed,
    and the journal is removed. Without, a notebook that is finished meanwhile is left alone.
    Raises `OSError`.
    """
    while True:
        try:
            journal = Journal(path)
        except FileNotFoundError:
            return False
        with journal:
            if not journal.lock():
                continue
            draft = Draft.of(journal)
            if draft.opened is None:
                if abandoned:
                    journal.remove()
                return False
            ended = datetime.fromtimestamp(path.stat().st_mtime, UTC) if abandoned else None
            write(draft, journal, output, ended=ended)
            if abandoned:
                remove_unfinished(output)
                journal.remove()
            return True


def write(draft: Draft, journal: Journal, output: Path, *, ended: datetime | None = None) -> None:
    """Write a notebook; ``ended`` is when its execution was cut off. Raises `OSError`."""
    write_atomically(output, _render(draft, journal, output.parent, ended))


def _render(
    draft: Draft, journal: Journal, folder: Path, ended: datetime | None
) -> Iterator[bytes]:
    notebook = _load(draft.opened, journal, Opened).notebook
    if draft.closed is not None:
        notebook["metadata"] = _load(draft.closed, journal, Closed).metadata
    cells = [
        (_settled(cell, each.changed, journal), each.items)
        for cell, each in zip(notebook.pop("cells"), draft.cells, strict=True)
    ]
    if ended is not None:
        _cut_off(notebook, [cell for cell, _ in cells], ended)
    if draft.marked is not None:
        marked = _load(draft.marked, journal, Marked)
        cells.insert(marked.cell, (marked.before, []))
        cells.insert(0, (marked.top, []))
    yield b'{\n "cells": ['
    for number, (cell, items) in enumerate(cells):
        yield b",\n  " if number else b"\n  "
        yield from _cell(cell, items, journal, folder)
    yield b"\n ],\n" if cells else b"],\n"
    yield _json(notebook, 0)[2:]


def _load(part: Any, journal: Journal, kind: type[Any]) -> Any:
    record = next(journal.load(part))
    if not isinstance(record, kind):
        raise TypeError(f"{type(record).__name__} is no {kind.__name__}.")
    return record


def _settled(cell: dict[str, Any], changed: Any, journal: Journal) -> dict[str, Any]:
    """Return a cell as its last change left it."""
    if changed is None:
        return cell
    record = _load(changed, journal, CellChanged)
    made = cell | {"metadata": record.metadata}
    if cell["cell_type"] == "code":
        made["execution_count"] = record.execution_count
    return made


def _cut_off(notebook: dict[str, Any], cells: list[dict[str, Any]], ended: datetime) -> None:
    """Have a cell that was under way fail."""
    facts = notebook["metadata"]["papermill"]
    for own in (cell["metadata"]["papermill"] for cell in cells):
        if own["status"] == "running":
            own |= {"status": "failed", "exception": True, "end_time": ended.isoformat()}
            own["duration"] = _seconds(own, ended)
    if facts.get("end_time") is None:
        facts |= {"exception": True, "end_time": ended.isoformat()}
        facts["duration"] = _seconds(facts, ended)


def _seconds(facts: dict[str, Any], ended: datetime) -> float | None:
    with suppress(TypeError, ValueError):
        return max(0.0, (ended - datetime.fromisoformat(facts["start_time"])).total_seconds())
    return None


def _cell(
    cell: dict[str, Any], items: list[Item], journal: Journal, folder: Path
) -> Iterator[bytes]:
    source, attachments = cell["source"], cell.get("attachments")
    cell = cell | {"source": source.splitlines(True) if isinstance(source, str) else source}
    if attachments is not None:
        cell["attachments"] = {name: _split(bundle) for name, bundle in attachments.items()}
    text = _json(cell, 2)
    if not items:
        yield text
        return
    # In JSON no text can look like this, and a key of that depth is the cell's own.
    before, _, after = text.partition(b'\n   "outputs": []')
    yield before + b'\n   "outputs": ['
    for number, item in enumerate(items):
        yield b",\n    " if number else b"\n    "
        if item.stream is None:
            output = load_output(item, journal)
            if isinstance(data := output.get("data"), dict):
                output["data"] = _split(data)
            yield _json(output, 4)
        else:
            yield from _stream(item, item.stream, journal, folder)
    yield b"\n   ]" + after


def _stream(item: Item, name: str, journal: Journal, folder: Path) -> Iterator[bytes]:
    head = _json({"name": name, "output_type": "stream"}, 4)
    yield head[: -len(b"\n    }")] + b',\n     "text": ['
    separator = b"\n      "
    for piece in _pieces(item, journal, folder):
        lines = map(_encoder.encode, piece.splitlines(True))
        yield separator + b",\n      ".join(lines)
        separator = b",\n      "
    yield b"]\n    }" if separator[:1] == b"\n" else b"\n     ]\n    }"


def _pieces(item: Item, journal: Journal, folder: Path) -> Iterator[str]:
    """Return the text of a stream in pieces of whole lines, and where the rest of it is."""
    rest = ""
    for text in load_text(item, journal):
        whole, newline, rest = (rest + text).rpartition("\n")
        if newline:
            yield whole + newline
    if rest:
        yield rest
    if item.spill is not None:
        yield _where(item.stream or "", folder / item.spill)


def _where(stream: str, file: Path) -> str:
    try:
        size = formats.size(file.stat().st_size)
    except OSError:
        return f"\n[The rest of {stream} was kept in {file.name}, which is gone.]\n"
    return f"\n[{stream} goes on for {size} in {file.name}.]\n"


_SPLIT = ("application/javascript", "image/svg+xml")


def _split(bundle: dict[str, Any]) -> dict[str, Any]:
    """Split text of several lines as nbformat does."""
    return {
        kind: each.splitlines(True)
        if isinstance(each, str) and (kind.startswith("text/") or kind in _SPLIT)
        else each
        for kind, each in bundle.items()
    }


def _json(value: Any, depth: int) -> bytes:
    text = msgspec.json.format(_encoder.encode(value), indent=1)
    return text.replace(b"\n", b"\n" + b" " * depth) if depth else text
