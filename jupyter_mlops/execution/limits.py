"""Keeping outputs within limits: what is too large for a notebook goes to files beside it."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Callable, Iterable
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ..core import formats

#: Bytes that one item of a display may have in the notebook.
ITEM_LIMIT = 20_000_000

#: Bytes of a message that can hold no such item.
_HARMLESS = ITEM_LIMIT // 8


class Limits:
    """Divides the outputs of the cells of one notebook between it and files beside it."""

    def __init__(self, output: Path, stream_limit: int, item_limit: int = ITEM_LIMIT) -> None:
        """``stream_limit`` is in bytes per cell and stream."""
        self._output = output
        self._stream_limit = stream_limit
        self._item_limit = item_limit
        self._cell = 0
        self._room: dict[str, int] = {}
        self._open: dict[str, BinaryIO] = {}
        self._displays: dict[str | None, int] = {}
        self._written: set[str] = set()
        #: Bytes of text that the disk had no space for.
        self.lost = 0

    def begin(self, cell: int) -> None:
        """Begin a code cell, counted from 1."""
        self.end()
        self._cell = cell

    def end(self) -> None:
        """Close what the cell wrote."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._room.clear()
        self._displays.clear()
        self.lost = 0

    def cleared(self) -> None:
        """Begin anew, since the notebook no longer has what the cell printed so far."""
        self._room.clear()

    def text(self, name: str, text: str) -> tuple[str, str | None]:
        """Return what of a text the notebook takes, and the file where the stream goes on.

        The file is named only when its first text comes.
        """
        room = self._room.get(name, self._stream_limit)
        if room < 0:
            self._spill(name, text)
            return "", None
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        self._room[name] = room - size
        if size <= room:
            return text, None
        kept = _beginning(text, room)
        self._spill(name, text[len(kept) :])
        return kept, self._name(f"{name}.log")

    def bundle(self, data: dict[str, Any], display: str | None) -> dict[str, Any]:
        """Return a mime bundle with its too large items replaced by where they are."""
        large = {kind: item for kind, item in data.items() if self._too_large(item)}
        if not large:
            return data
        number = self._number(display)
        places = [self._place(kind, item, number) for kind, item in sorted(large.items())]
        kept = {kind: item for kind, item in data.items() if kind not in large}
        plain = kept.get("text/plain")
        text = "".join(plain) if isinstance(plain, list) else plain
        return kept | {"text/plain": "\n".join([*places, text] if text else places)}

    def error(self, traceback: list[str]) -> list[str]:
        """Return a traceback, or where it is if it is too large."""
        if sum(map(len, traceback)) <= self._item_limit:
            return traceback
        return [self._place("text/plain", "\n".join(traceback), self._number(None))]

    def remove_others(self, kept: Callable[[int], bool]) -> None:
        """Remove such files of an earlier attempt of the same run, but those of kept cells."""
        for path in files_beside(self._output):
            if path.name not in self._written and not kept(_cell_of(path, self._output)):
                path.unlink(missing_ok=True)

    def _too_large(self, item: Any) -> bool:
        if isinstance(item, str):
            return len(item) > self._item_limit
        return len(msgspec.json.encode(item)) > self._item_limit

    def _number(self, display: str | None) -> int:
        """Number what is displayed in the cell; what replaces it has the same number."""
        last = self._displays.get(None, 0)
        number = self._displays.get(display) if display else None
        if number is None:
            self._displays[None] = number = last + 1
            if display:
                self._displays[display] = number
        return number

    def _place(self, kind: str, item: Any, number: int) -> str:
        """Write an item to a file and tell where."""
        content = _content(kind, item)
        name = self._name(f"{number}{mimetypes.guess_extension(kind) or '.txt'}")
        size = formats.size(len(content))
        try:
            self._output.with_name(name).write_bytes(content)
        except OSError as error:
            return f"[{kind}, {size}: lost, since it could not be written: {error.strerror}.]"
        return f"[{kind}, {size}: {name}]"

    def _spill(self, name: str, text: str) -> None:
        content = text.encode("utf-8", "replace")
        try:
            if name not in self._open:
                path = self._output.with_name(self._name(f"{name}.log"))
                self._open[name] = path.open("wb", buffering=0)
            written = self._open[name].write(content)
        except OSError:
            written = 0
        self.lost += len(content) - written

    def _name(self, rest: str) -> str:
        name = f"{self._output.stem}.cell{self._cell}.{rest}"
        self._written.add(name)
        return name


def files_beside(output: Path) -> Iterable[Path]:
    """Return the files that hold what was too large for an output notebook."""
    return output.parent.glob(f"{escape(output.stem)}.cell*.*")


def _cell_of(path: Path, output: Path) -> int:
    """Return the number of the cell that a file beside a notebook belongs to; 0 if unknown."""
    number = path.name.removeprefix(f"{output.stem}.cell").partition(".")[0]
    return int(number) if number.isdecimal() else 0


def _beginning(text: str, room: int) -> str:
    """Return the beginning of a text that fits, if possible up to the end of a line."""
    fitting = text.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")
    return fitting[: fitting.rfind("\n") + 1] or fitting


def _content(kind: str, item: Any) -> bytes:
    if isinstance(item, list) and all(isinstance(each, str) for each in item):
        item = "".join(item)
    if not isinstance(item, str):
        return msgspec.json.encode(item)
    if not kind.startswith("text/") and not kind.endswith(("+xml", "/javascript")):
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(item, validate=True)
    return item.encode("utf-8", "replace")
