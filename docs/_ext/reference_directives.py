"""Directives that write the reference out of the product: its settings, routes and events.

What they show is read where it is declared, so that it cannot be out of date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import route_tables
import setting_tables
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_WRITERS = {
    "mlops-settings": setting_tables.settings,
    "mlops-server-settings": setting_tables.server_settings,
    "mlops-routes": route_tables.routes,
    "mlops-types": route_tables.types,
    "mlops-event": route_tables.event,
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx use them."""
    for name, write in _WRITERS.items():
        app.add_directive(name, _directive(write))
    return {"parallel_read_safe": True}


def _directive(write: Callable[[], Iterator[str]]) -> type[SphinxDirective]:
    """Return a directive that stands for the Markdown that a function writes."""

    class Written(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            text = "\n".join(write())
            return self.parse_text_to_nodes(text, allow_section_headings=True)

    return Written
