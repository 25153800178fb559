"""A notebook in the making: what the records of its journal come to.

It holds no output, only where each lies, and so takes no memory however much a notebook prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .journal import (
    CellChanged,
    Cleared,
    Closed,
    Journal,
    Marked,
    Opened,
    Part,
    Record,
    Shown,
    Spilled,
    Text,
)

#: Characters that a piece of text has at least, unless it is the last.
_PIECE = 1 << 18


@dataclass(slots=True, eq=False)
class Item:
    """One output of a cell."""

    #: Name of the stream; None for what is displayed, a result or an error.
    stream: str | None
    #: The records that it is made of.
    parts: list[Part] = field(default_factory=list)
    #: Bytes that it takes at least.
    size: int = 0
    display: str | None = None
    #: The record that replaced what is displayed.
    update: Part | None = None
    #: Name of the file where the stream goes on.
    spill: str | None = None

    def add(self, part: Part, size: int) -> None:
        """Add a record. Those that lie in a row become one part."""
        last = self.parts[-1] if self.parts else None
        if isinstance(last, tuple) and isinstance(part, tuple) and last[1] == part[0]:
            self.parts[-1] = (last[0], part[1])
        else:
            self.parts.append(part)
        self.size += size


@dataclass(slots=True)
class CellDraft:
    """A cell in the making."""

    #: The record of its last change; None if it was not reached.
    changed: Part | None = None
    items: list[Item] = field(default_factory=list)


class Draft:
    """A notebook in the making."""

    def __init__(self) -> None:
        #: The records of the beginning, of the end, and of the marks of a failure.
        self.opened: Part | None = None
        self.closed: Part | None = None
        self.marked: Part | None = None
        self.cells: list[CellDraft] = []
        self._displays: dict[str, list[Item]] = {}

    @classmethod
    def of(cls, journal: Journal) -> Draft:
        """Return what a journal comes to."""
        draft = cls()
        for record, span in journal.replay():
            draft.apply(record, span)
        return draft

    def apply(self, record: Record, part: Part) -> None:
        """Take a record, which is kept in ``part``, into account."""
        match record:
            case Text():
                self._stream(record.cell, record.name).add(part, len(record.text))
            case Shown():
                self._show(record, part)
            case CellChanged():
                self.cells[record.cell].changed = part
            case Cleared():
                self._clear(self.cells[record.cell])
            case Spilled():
                self._stream(record.cell, record.name).spill = record.file
            case Opened():
                self.opened = part
                self.cells = [CellDraft() for _ in record.notebook["cells"]]
            case Marked():
                self.marked = part
            case Closed():
                self.closed = part

    def displays(self, display: str) -> bool:
        """Whether anything bears that display id."""
        return bool(self._displays.get(display))

    def records(self, journal: Journal) -> Iterator[Record]:
        """Return the fewest records that come to the same."""
        for part in (self.opened, self.marked, self.closed):
            if part is not None:
                yield from journal.load(part)
        for cell in self.cells:
            if cell.changed is not None:
                yield from journal.load(cell.changed)
        for number, cell in enumerate(self.cells):
            for item in cell.items:
                yield from self._records(number, item, journal)

    def weight(self) -> int:
        """Return how many bytes the outputs take at least."""
        return sum(item.size for cell in self.cells for item in cell.items)

    def _records(self, number: int, item: Item, journal: Journal) -> Iterator[Record]:
        if item.stream is None:
            yield Shown(number, load_output(item, journal), item.display)
            return
        for text in load_text(item, journal):
            yield Text(number, item.stream, text)
        if item.spill is not None:
            yield Spilled(number, item.stream, item.spill)

    def _stream(self, cell: int, name: str) -> Item:
        items = self.cells[cell].items
        if not items or items[-1].stream != name or items[-1].spill is not None:
            items.append(Item(name))
        return items[-1]

    def _show(self, record: Shown, part: Part) -> None:
        size = part[1] - part[0] if isinstance(part, tuple) else 0
        same = self._displays.get(record.display, []) if record.display else []
        for item in same:
            item.update = part
            item.size = size
        if record.cell is None:
            return
        shown = Item(None, [part], size, display=record.display)
        self.cells[record.cell].items.append(shown)
        if record.display:
            self._displays.setdefault(record.display, []).append(shown)

    def _clear(self, cell: CellDraft) -> None:
        for item in cell.items:
            if item.display:
                self._displays[item.display].remove(item)
        cell.items.clear()


def load_text(item: Item, journal: Journal) -> Iterator[str]:
    """Return the text of a stream in pieces that are neither small nor large."""
    pieces: list[str] = []
    size = 0
    for part in item.parts:
        for record in journal.load(part):
            if isinstance(record, Text):
                pieces.append(record.text)
                size += len(record.text)
            if size >= _PIECE:
                yield "".join(pieces)
                pieces, size = [], 0
    if pieces:
        yield "".join(pieces)


def load_output(item: Item, journal: Journal) -> dict[str, object]:
    """Return what is displayed, a result or an error."""
    output = _output(item.parts[0], journal)
    if item.update is not None:
        newer = _output(item.update, journal)
        output |= {"data": newer["data"], "metadata": newer["metadata"]}
    return output


def _output(part: Part, journal: Journal) -> dict[str, object]:
    record = next(journal.load(part))
    if not isinstance(record, Shown):
        raise TypeError(f"{type(record).__name__} is no output.")
    return dict(record.output)
