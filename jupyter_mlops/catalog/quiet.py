"""Keeping what Hamilton logs to ourselves: what fails is said once, in one line, by us."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Warnings that are heard here; None where Hamilton may say what it wants to whom it wants.
_heard: ContextVar[list[str] | None] = ContextVar("_heard", default=None)


class _Kept(logging.Filter):
    """Keeps the warnings of checks, and drops banners with tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record goes on to others."""
        lines = _heard.get()
        if lines is not None and record.levelno == logging.WARNING:
            lines.append(in_one_line(record.getMessage()))
        return lines is None


_KEPT = _Kept()


def watch() -> None:
    """Hear all of Hamilton's loggers that there are."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.startswith("hamilton") and isinstance(logger, logging.Logger):
            logger.addFilter(_KEPT)


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Yield the lines of warnings, of this thread only, while the block runs."""
    lines: list[str] = []
    token = _heard.set(lines)
    try:
        yield lines
    finally:
        _heard.reset(token)


def in_one_line(text: str) -> str:
    """Return what a check said."""
    said = text.partition("Message was: ")[2] or text
    return " ".join(said.partition(" Diagnostic information is:")[0].split()).rstrip(".")
