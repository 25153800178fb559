"""Parses a cell's Python without executing it, whatever magics stand in it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from dataclasses import dataclass

#: Lines of magics that a cell may have.
MAX_MAGICS = 100

_MAGIC = re.compile(r"(\s*)(?:[%!?]|.*\?\??\s*$|[\w.,\s]+=\s*[%!])")
#: Cell magics whose cells are Python.
PYTHON_CELL_MAGICS = ("time", "timeit", "capture", "prun")
_NOT_HELP = re.compile(r"(?:noqa|type:\s*ignore|pragma|pylint|fmt)\b")
_TYPE_COMMENT = re.compile(r"type:\s*(\S+)\s*(.*)", re.DOTALL)
_MAX_HELP = 200

#: What ast.parse raises for text that is not Python, or is too much of it.
NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Comment:
    """What stands behind a ``#``: a type in the old style, and the rest."""

    annotation: str | None
    help: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A parsed cell, and its source without IPython's own syntax."""

    body: list[ast.stmt]
    source: str


def parse_cell(source: str) -> Cell:
    """Parse a cell; raise one of NOT_PYTHON if that fails.

    Lines of IPython's own syntax become ``pass``, so that line numbers stay.
    """
    lines = re.split(r"\r\n|\r|\n", source)
    _set_cell_magic_aside(lines)
    for _ in range(MAX_MAGICS):
        python = "\n".join(lines)
        try:
            return Cell(_parse(python).body, python)
        except SyntaxError as error:
            if not _set_magic_aside(lines, (error.lineno or 0) - 1):
                raise
    raise ValueError(f"more than {MAX_MAGICS} lines of magics")


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        # What Python thinks of a user's escapes is not our business.
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _set_cell_magic_aside(lines: list[str]) -> None:
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None or not lines[first].startswith("%%"):
        return
    words = lines[first][2:].split()
    if words[:1] and words[0] in PYTHON_CELL_MAGICS:
        lines[first] = ""
    else:
        lines[:] = [""] * len(lines)


def _set_magic_aside(lines: list[str], index: int) -> bool:
    """Replace the magic at a line and what continues it; return whether there was one."""
    match = _MAGIC.match(lines[index]) if 0 <= index < len(lines) else None
    if not match:
        return False
    while lines[index].endswith("\\") and index + 1 < len(lines):
        lines[index] = f"{match[1] or ''}pass"
        index += 1
    lines[index] = f"{match[1] or ''}pass"
    return True


def comments(cell: Cell) -> dict[int, Comment]:
    """Return the comments by line number, from 1."""
    found: dict[int, Comment] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(cell.source).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = _comment(token.string.lstrip("#").strip())
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def _comment(text: str) -> Comment:
    if _NOT_HELP.match(text):
        return Comment(None, None)
    typed = _TYPE_COMMENT.fullmatch(text)
    if typed:
        return Comment(typed[1], typed[2].lstrip("# ")[:_MAX_HELP] or None)
    return Comment(None, text[:_MAX_HELP] or None)
