"""How executors are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_mlops.app.executor_views import opened
from jupyter_mlops.core.executors import ExecutorState
from jupyter_mlops.testing import InMemoryExecutor


@pytest.mark.parametrize(
    ("link", "is_shown"),
    [
        ("http://n1:8787/status", True),
        ("https://hub.example.org/user/me/proxy/8787/status", True),
        ("/user/me/proxy/8787/status", True),
        ("proxy/8787/status", False),
        ("//n1:8787/status", False),
        ("javascript:alert(1)", False),
        ("http://[n1/status", False),
        ("", False),
        (None, False),
    ],
)
def test_dashboards(link: str | None, *, is_shown: bool) -> None:
    """A link goes to an address, or to a path of the server that shows it."""

    class Shown(InMemoryExecutor):
        def state(self) -> ExecutorState:
            return replace(super().state(), dashboard=link)

    view = opened(Shown(), default=False)
    assert view.dashboard == (link if is_shown else None)
