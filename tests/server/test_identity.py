"""Who asks is said by the server, whatever the browser says."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler

from jupyter_mlops.app import messages as m
from jupyter_mlops.server.handlers.forward import WHO

from .conftest import Ask, StandInWorker


class Hub(IdentityProvider):
    """Knows its users, as that of a hub does."""

    async def get_user(self, handler: JupyterHandler) -> User | None:
        """Return Ada for whoever brings the token."""
        known = await self._get_user(handler)
        return None if known is None else User("ada")


@pytest.fixture
def with_hub(jp_server_config: dict[str, Any]) -> None:
    """Make the server know its users."""
    jp_server_config["ServerApp"]["identity_provider_class"] = Hub


async def test_the_server_says_who_asks(with_hub: None, ask: Ask, worker: StandInWorker) -> None:
    """Neither a query nor a body passes for somebody else's."""
    response = await ask("GET", "/features", params={"project": "work", "user": "eve"})
    assert response.code == 200
    body = {"features": [], "user": "eve"}
    response = await ask("POST", "/feature-runs/compute", params={"project": "work"}, body=body)
    assert response.code == 200
    body = {"version": 3, "by": "eve"}
    await ask("PUT", "/models/flights/aliases/champion", params={"project": "work"}, body=body)
    asked = [request for each in worker.asked for request in (each.query, each.body)]
    found = [getattr(each, name) for each in asked for name in WHO if hasattr(each, name)]
    assert found == ["ada"] * 3


async def test_names_that_jupyter_makes_up_do_not_count(ask: Ask, worker: StandInWorker) -> None:
    """Without users of the server it is who runs the worker."""
    await ask("GET", "/features", params={"project": "work", "user": "eve"})
    (query,) = [each.query for each in worker.asked if each.operation.name == "list_features"]
    assert isinstance(query, m.FeaturesQuery)
    assert query.user is None
