"""The last lines that the current cell printed, for whoever watches."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable

from ..core import values

#: At most so many characters and lines of a tail are told.
CHARACTERS = 2000
LINES = 20

#: Seconds between two times that it is told.
EVERY = 0.25

#: Shorter texts are not taken for secrets: they would be found everywhere.
_SHORTEST_SECRET = 4

#: Control sequences of terminals: colours, cursor movements, titles of windows, links.
CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
    r"|[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]"
)


class Tail:
    """Keeps the end of what a cell prints, and tells it now and then while it changes."""

    def __init__(self, secrets: Iterable[object], tell: Callable[[str], None]) -> None:
        """``secrets`` are values that are masked."""
        texts = (str(each) for each in secrets)
        self._secrets = sorted(
            (each for each in texts if len(each) >= _SHORTEST_SECRET), key=len, reverse=True
        )
        self._longest = max(map(len, self._secrets), default=0)
        # More than is told: control sequences and secrets take space too.
        self._kept = 4 * CHARACTERS + 2 * self._longest
        self._tell = tell
        self._text = ""
        self._changed = False
        self._told_at = 0.0

    def begin(self) -> None:
        """Begin a cell."""
        self._text, self._changed = "", False

    def add(self, text: str) -> None:
        """Take note of what was printed."""
        self._text = (self._text + text[-self._kept :])[-self._kept :]
        self._changed = True

    def clear(self) -> None:
        """Forget what was printed."""
        self._text, self._changed = "", True

    def tick(self) -> float:
        """Tell what is new, if that is due; return the seconds until something may be."""
        if not self._changed:
            return math.inf
        wait = self._told_at + EVERY - time.monotonic()
        if wait > 0:
            return wait
        self.tell()
        return math.inf

    def tell(self) -> None:
        """Tell what is new, now."""
        if not self._changed:
            return
        self._told_at, self._changed = time.monotonic(), False
        text = self._text
        for secret in self._secrets:
            text = text.replace(secret, values.MASK)
        if len(self._text) == self._kept:  # what it begins with may be the end of a secret
            text = text[self._longest :]
        self._tell(shorten(text))


def shorten(text: str) -> str:
    """Return the last lines as a terminal would show them, without control sequences."""
    lines = CONTROL.sub("", text.replace("\r\n", "\n")).split("\n")
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in lines[-LINES - 1 :]]
    if shown[-1]:
        shown = shown[-LINES:]
    return "\n".join(shown)[-CHARACTERS:]
