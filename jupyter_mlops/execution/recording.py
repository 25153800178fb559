"""Writing a journal while a notebook is executed, and the notebook at the end."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec

from .assembly import write
from .draft import Draft
from .journal import Journal, Part, Record, encode

#: A journal may take so many bytes more than twice its contents, before it is written anew.
SLACK = 32_000_000

#: Seconds between two tries to write a journal that the disk had no space for.
_TRY_AGAIN = 2.0


class Recording:
    """What an attempt's notebook has come to, kept in its journal.

    While the disk is full, new records are held in memory.
    """

    def __init__(self, path: Path) -> None:
        """Begin a journal. Raises `OSError`."""
        self._journal = Journal(path, new=True)
        self._draft = Draft()
        #: Size of the file from which on we look whether most of it is out of date.
        self._look_at = SLACK
        #: When we last failed to write; None while all is in the file.
        self._failed_at: float | None = None

    def add(self, record: Record) -> None:
        """Add a record."""
        part = self._append(record, encode(record))
        self._draft.apply(record, part)
        if self._journal.size > self._look_at:
            self._tidy()

    def displays(self, display: str) -> bool:
        """Whether anything bears that display id."""
        return self._draft.displays(display)

    def finish(self, output: Path) -> None:
        """Write the notebook and remove the journal, which stays if that fails with `OSError`.

        If somebody took us for dead and did so, all is left as it is.
        """
        try:
            if self._journal.lock():
                write(self._draft, self._journal, output)
                self._journal.remove()
        finally:
            self._journal.close()

    def _append(self, record: Record, line: bytes) -> Part:
        if self._failed_at is not None:
            self._recover(self._failed_at)
        if self._failed_at is None:
            try:
                return self._journal.append(line)
            except OSError:
                self._failed_at = time.monotonic()
        # A copy: what the record was made of may change.
        return msgspec.json.decode(line, type=type(record))

    def _recover(self, failed_at: float) -> None:
        """Write the journal with all that is held in memory, if there is space again."""
        if time.monotonic() - failed_at >= _TRY_AGAIN:
            self._failed_at = None if self._rewrite() else time.monotonic()

    def _tidy(self) -> None:
        """Write the journal anew if most of what is in it was cleared or replaced."""
        if self._journal.size > 2 * self._draft.weight() + SLACK:
            self._rewrite()
        self._look_at = self._journal.size + SLACK

    def _rewrite(self) -> bool:
        """Replace the journal by the shortest that comes to the same; False without space."""
        path = self._journal.path
        aside = path.with_name(f"{path.name}.new")
        try:
            new = Journal(aside, new=True)
        except OSError:
            return False
        draft = Draft()
        try:
            for record in self._draft.records(self._journal):
                draft.apply(record, new.append(encode(record)))
            self._journal.lock()
            new.rename(path)
        except OSError:
            new.close()
            with suppress(OSError):
                new.remove()
            return False
        self._journal.close()
        self._journal, self._draft = new, draft
        return True
