"""Who may ask: nobody unknown, nobody who is not allowed, and no other site."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.serverapp import ServerApp
from tornado.web import RequestHandler

from jupyter_mlops.app.operation import Operation
from jupyter_mlops.app.operations import DOWNLOADS
from jupyter_mlops.server.routes import API, ROUTES

ALL = (*ROUTES, *DOWNLOADS)
#: What no table lists, but an attacker may try.
OTHERS = [
    (method, path)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    for path in ("/nothing", "/runs", "/runs/r1/cancel", "/project", "/sweeps/x/../../../etc", "")
]
REQUESTS = list(dict.fromkeys([(each.method, each.path) for each in ALL] + OTHERS))


class Denier(Authorizer):
    """Allows nothing, and remembers what was asked."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012 - traitlets make the instance, tests read it

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Refuse."""
        self.asked.append((action, resource))
        return False


def send(ask: Any, method: str, path: str, **options: Any) -> Any:
    """Send a request, with a body where there usually is one."""
    body = {} if method in ("POST", "PUT", "PATCH") else None
    return ask(method, path, params={"project": "work"}, body=body, **options)


def our_rules(router: Any) -> list[tuple[str, type[RequestHandler]]]:
    """Return the patterns and handlers below our address, as the server has them."""
    found = []
    for rule in router.rules:
        if hasattr(rule.target, "rules"):
            found += our_rules(rule.target)
        elif API in rule.matcher.regex.pattern:
            found.append((rule.matcher.regex.pattern, rule.target))
    return found


def test_every_route_is_gated(jp_serverapp: ServerApp) -> None:
    """The server has our routes and a catch-all, and each method of each is decorated."""
    app = jp_serverapp.web_app
    found = our_rules(app.default_router)
    assert len(found) == len({each.path for each in ALL}) + 1
    assert not [line for each in found for line in app._check_handler_auth(*each)]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_without_token(method: str, path: str, ask: Any, worker: Any) -> None:
    """A stranger gets 403 for whatever address, as JSON, and nothing else happens."""
    response = await send(ask, method, path, headers={"Authorization": "token wrong"})
    assert response.code == 403
    if method != "HEAD":
        assert json.loads(response.body)["error"]["code"] == "forbidden"
    assert not worker.asked


class TestDenied:
    """A user whom the authorizer refuses."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        """Refuse everybody everything."""
        jp_server_config["ServerApp"]["authorizer_class"] = Denier
        return jp_server_config

    @pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
    async def test_denied(self, operation: Operation[Any], ask: Any, worker: Any) -> None:
        """The authorizer is asked with our resource and the operation's action, and obeyed."""
        Denier.asked.clear()
        response = await send(ask, operation.method, operation.path)
        assert response.code == 403
        assert json.loads(response.body)["error"]["code"] == "forbidden"
        assert Denier.asked == [(operation.action, "mlops")]
        assert not worker.asked


class TestCookie:
    """A browser that has logged in, and pages of other sites that use its cookie."""

    @pytest.fixture
    async def cookie(self, jp_fetch: Any) -> str:
        """The cookie of a login."""
        response = await jp_fetch("api", "me")
        return str(response.headers["Set-Cookie"]).partition(";")[0]

    @pytest.mark.parametrize(
        "operation",
        [each for each in ROUTES if each.method != "GET"],
        ids=lambda operation: operation.name,
    )
    async def test_forged(
        self, operation: Operation[Any], cookie: str, ask: Any, worker: Any
    ) -> None:
        """Without the XSRF token a cookie is not enough to change anything."""
        headers = {"Cookie": cookie, "Authorization": ""}
        response = await send(ask, operation.method, operation.path, headers=headers)
        assert response.code == 403
        assert json.loads(response.body)["error"]["code"] == "forbidden"
        assert not worker.asked

    async def test_own(self, cookie: str, ask: Any, worker: Any) -> None:
        """With cookie and XSRF token the same request is carried out."""
        headers = {"Cookie": f"{cookie}; _xsrf=abc", "Authorization": "", "X-XSRFToken": "abc"}
        response = await send(ask, "POST", "/runs/r1/cancel", headers=headers)
        assert response.code == 200
        assert worker.asked[-1].path == {"run_id": "r1"}

    async def test_other_origin(self, cookie: str, ask: Any, worker: Any) -> None:
        """Another site may not even read."""
        headers = {"Cookie": cookie, "Authorization": "", "Origin": "https://evil.example"}
        response = await send(ask, "GET", "/runs", headers=headers)
        assert response.code == 404
        assert json.loads(response.body)["error"]["code"] == "not_found"
        assert not worker.asked
