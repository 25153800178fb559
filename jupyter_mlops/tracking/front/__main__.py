"""The process that serves MLflow to kernels: ``python -m jupyter_mlops.tracking.front URI ROOT``.

The token comes in the environment, the port goes to standard output. It ends with its standard
input, which the worker holds open.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ... import mlflow_client
from .launch import TOKEN_VARIABLE

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: What clients ask for; MLflow's pages, gateways and assistants are not for them.
_SERVED = ("/api/", "/version", "/health")


class Guard:
    """Lets in who knows the token, to what clients need."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan" or self._may(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"A token is needed.\n"})

    def _may(self, scope: Scope) -> bool:
        from hmac import compare_digest

        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        is_known = scope["type"] == "http" and scope["path"].startswith(_SERVED)
        return compare_digest(given, self._wanted) and is_known


def main() -> None:
    """Serve until standard input ends."""
    uri, root = sys.argv[1:3]
    token = os.environ.pop(TOKEN_VARIABLE)
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what MLflow prints goes to the log
    mlflow_client.prepare_process()
    app = Guard(_mlflow(uri, root), token)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        told.write(f"{listening.getsockname()[1]}\n")
        told.close()
        asyncio.run(_serve(app, listening))


def _mlflow(uri: str, root: str) -> App:
    """Return MLflow's own server for a tracking database."""
    from mlflow.server.constants import ARTIFACT_ROOT_ENV_VAR, BACKEND_STORE_URI_ENV_VAR

    os.environ[BACKEND_STORE_URI_ENV_VAR] = uri
    os.environ[ARTIFACT_ROOT_ENV_VAR] = root
    from mlflow.server import handlers
    from mlflow.server.fastapi_app import app

    handlers.initialize_backend_stores(uri, default_artifact_root=root)
    served: App = app
    return served


async def _serve(app: App, listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 1):
            loop.remove_reader(0)
            server.should_exit = True

    loop.add_reader(0, look)
    await server.serve(sockets=[listening])


if __name__ == "__main__":
    main()
