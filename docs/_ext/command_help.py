"""Shows the examples in the help of commands as code; the rest of it is sphinx-click's work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
from sphinx.application import Sphinx

#: How sphinx-click marks a line that click does not wrap.
_KEPT = "| "


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx use it."""
    app.setup_extension("sphinx_click")
    app.connect("sphinx-click-process-description", _show_examples)
    app.connect("sphinx-click-process-arguments", _leave_out)
    return {"parallel_read_safe": True}


def _show_examples(_app: Sphinx, _context: click.Context, lines: list[str]) -> None:
    lines[:] = _with_code(lines)


def _leave_out(_app: Sphinx, _context: click.Context, lines: list[str]) -> None:
    """Arguments stand in the usage, and in the description; sphinx-click adds nothing to that."""
    lines.clear()


def _with_code(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a description, with examples as blocks of code."""
    inside = False
    for line in lines:
        kept = line.removeprefix(_KEPT)
        if kept != line and kept.rstrip(":") in ("Example", "Examples"):
            inside = True
            yield from (kept, "", ".. code-block:: text", "")
        elif inside and kept != line:
            yield f"   {kept.strip()}"
        else:
            inside = False
            yield line
