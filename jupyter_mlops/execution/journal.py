"""The journal of an attempt: an append-only file of what becomes of its notebook.

Each line is a record. Lines are written as they come and never changed, so that whatever happens
to the process that writes, all but the line it was at can be read. Whoever holds the lock of the
file may replace it, or the notebook that is made of it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec

# -- records --------------------------------------------------------------------------------------


class Opened(msgspec.Struct, tag="opened"):
    """Execution begins. The notebook has no outputs, and no values of secret parameters."""

    notebook: dict[str, Any]


class CellChanged(msgspec.Struct, tag="cell"):
    """A cell began or ended. ``cell`` counts all cells from 0, here and in other records."""

    cell: int
    metadata: dict[str, Any]
    execution_count: int | None


class Text(msgspec.Struct, tag="text"):
    """A cell printed to one of its streams."""

    cell: int
    name: str
    text: str


class Spilled(msgspec.Struct, tag="spilled"):
    """The rest of a cell's stream goes to a file beside the notebook."""

    cell: int
    name: str
    file: str


class Shown(msgspec.Struct, tag="shown"):
    """A cell displayed something, had a result or an error.

    It also replaces all that bear the same display id. Without a cell it does nothing but that.
    """

    cell: int | None
    output: dict[str, Any]
    display: str | None = None


class Cleared(msgspec.Struct, tag="cleared"):
    """A cell's outputs so far were cleared."""

    cell: int


class Marked(msgspec.Struct, tag="marked"):
    """A cell failed: these cells of text go to the top and before it."""

    cell: int
    top: dict[str, Any]
    before: dict[str, Any]


class Closed(msgspec.Struct, tag="closed"):
    """Execution has ended; this is the notebook's metadata."""

    metadata: dict[str, Any]


Record = Opened | CellChanged | Text | Spilled | Shown | Cleared | Marked | Closed

#: From where to where a record, or several in a row, lie in the file.
Span = tuple[int, int]

#: Where a record is: in the file, or in memory if the file could not take it.
Part = Span | Record

#: Bytes that are read at once.
_BLOCK = 1 << 20

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def encode(record: Record) -> bytes:
    """Return the line of a record."""
    try:
        return _encoder.encode(record) + b"\n"
    except UnicodeEncodeError:  # half of a character, which some kernels send
        return _encoder.encode(_whole(msgspec.to_builtins(record))) + b"\n"


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


# -- the file -------------------------------------------------------------------------------------


class Journal:
    """A journal's file, to write or to read."""

    def __init__(self, path: Path, *, new: bool = False) -> None:
        """Open a journal that is there, or a new one. Raises `OSError`."""
        flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT | os.O_TRUNC if new else 0)
        self.path = path
        self._descriptor = os.open(path, flags, 0o600)
        self.size = os.fstat(self._descriptor).st_size

    def append(self, line: bytes) -> Span:
        """Add a line. Raises `OSError`; then the file ends where it did before."""
        start, rest = self.size, memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, start)
            raise
        self.size = start + len(line)
        return start, self.size

    def load(self, part: Part) -> Iterator[Record]:
        """Return the records of a part."""
        if not isinstance(part, tuple):
            yield part
            return
        start, end = part
        size = _BLOCK
        while start < end:
            block = os.pread(self._descriptor, min(size, end - start), start)
            whole = block.rfind(b"\n") + 1
            if whole:
                yield from _decoder.decode_lines(block[:whole])
                start += whole
            size = _BLOCK if whole else size * 8

    def replay(self) -> Iterator[tuple[Record, Span]]:
        """Read all records. A line that was not finished, or that a crash tore, is left out."""
        start = 0
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            for line in file:
                end = start + len(line)
                if line.endswith(b"\n"):
                    with suppress(msgspec.DecodeError, UnicodeDecodeError):
                        yield _decoder.decode(line), (start, end)
                start = end

    def lock(self) -> bool:
        """Wait until nobody else has the lock; False if the file has been replaced meanwhile."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return os.fstat(self._descriptor).st_nlink > 0

    def rename(self, path: Path) -> None:
        """Put the file in the place of another. Raises `OSError`."""
        self.path = self.path.replace(path)

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, which gives up the lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
