"""Hands requests on to models that are served, for users who may ask."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tornado import web
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError

from ...app import unfinished
from ...app.projects import Project, find_project
from ...app.runtime import endpoint_address
from ...core.exceptions import Conflict, MlopsError, NotFound, WorkerUnavailable
from ..projects import Projects
from ..proxy import Away, Exchange
from .base import MlopsHandler, permitted

#: What an endpoint answers, and how it is asked.
ROUTES = {"invocations": "POST", "ping": "GET", "health": "GET", "version": "GET"}
#: Bytes of a request, and of an answer.
MOST = 64 * 2**20
#: Seconds that a prediction may take: more than MLflow's own limit.
_PATIENCE = 300.0
#: The only types of answers: a model must not make pages.
_MEDIA = frozenset({"application/json", "text/plain"})


@web.stream_request_body
class EndpointHandler(MlopsHandler):
    """Passes a request on to the process that serves a model, piece by piece.

    Neither cookies nor tokens reach it, and no other addresses of it can be reached.
    """

    def initialize(self, projects: Projects) -> None:
        """Take what the extension shares among its handlers."""
        self._projects = projects
        self._exchange: Exchange | None = None
        self._size = 0

    async def prepare(self) -> None:  # type: ignore[override]
        """Let in who may ask, and connect, before the body comes."""
        await super().prepare()
        if not self._finished and self.request.method in ("GET", "POST"):
            opening = self._open(**self.path_kwargs)
            if opening is not None:
                await opening

    @permitted("execute")
    async def _open(self, name: str, route: str) -> None:
        if ROUTES[route] != self.request.method:
            raise web.HTTPError(405)
        if self._announced() > MOST:
            raise web.HTTPError(413)
        try:
            address = await asyncio.to_thread(self._find, name)
            self._exchange = await Exchange.open(address, MOST)
            await self._exchange.send_head(self.request.method or "", f"/{route}", self._head())
        except MlopsError as error:
            self.refuse(error)
        except Away:
            self._refuse_away()

    async def data_received(self, chunk: bytes) -> None:
        """Hand on a piece of the request."""
        if self._exchange is None or self._finished:
            return
        self._size += len(chunk)
        if self._size > MOST:
            self._let_go()
            self.send_error(413)  # nobody catches what is raised while the body comes
            return
        try:
            await self._exchange.send(chunk)
        except Away:
            self._let_go()
            self._refuse_away()

    @permitted("execute")
    async def get(self, name: str, route: str) -> None:
        """Hand on the answer."""
        if self._exchange is None or self._finished:
            return
        try:
            await self._exchange.answer(self._begin, self._pass, _PATIENCE)
            await self.finish()
        except StreamClosedError:
            pass  # whoever asked has gone
        except Away:
            self._refuse_away()
        finally:
            self._let_go()

    post = get

    def on_connection_close(self) -> None:
        """Ask no further for somebody who has gone."""
        super().on_connection_close()
        self._let_go()

    def on_finish(self) -> None:
        """Let go of the process."""
        super().on_finish()
        self._let_go()

    # -- the way there -----------------------------------------------------------------------------

    def _find(self, name: str) -> Path:
        """Return the address of a model's process. Raises `NotFound`, `Conflict`."""
        chosen = self.query_values().get("project")
        projects = self._known() if chosen is None else [self._projects.at(chosen)]
        addresses = [endpoint_address(each, name) for each in projects]
        found = [each for each in addresses if each.is_symlink()]
        if not found:
            raise NotFound(
                f"{name} is not served here. Serve it with: jupyter mlops models serve NAME"
            )
        if len(found) > 1:
            raise Conflict(
                f"Several projects serve {name}. Add ?project=FOLDER to the address.",
                field="project",
            )
        return found[0]

    def _known(self) -> list[Project]:
        """Return the projects that were asked for, and those with something to do."""
        working = unfinished.marked(self._projects.root)
        found = [*self._projects.seen(), *(find_project(each) for each in working)]
        return list({each.id: each for each in found}.values())

    def _announced(self) -> int:
        text = self.request.headers.get("Content-Length", "0")
        return int(text) if text.isdecimal() else 0

    def _head(self) -> HTTPHeaders:
        """Return the few headers that a model's process needs."""
        headers = HTTPHeaders({"Host": "endpoint", "Connection": "close"})
        for name in ("Content-Type", "Content-Length", "Accept"):
            if name in self.request.headers:
                headers[name] = self.request.headers[name]
        if self.request.method == "POST" and "Content-Length" not in headers:
            headers["Transfer-Encoding"] = "chunked"
        return headers

    # -- the way back ------------------------------------------------------------------------------

    def _begin(self, status: int, headers: HTTPHeaders) -> None:
        self.set_status(status)
        media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self.set_header("Content-Type", media if media in _MEDIA else "application/octet-stream")
        if "Content-Length" in headers:
            self.set_header("Content-Length", headers["Content-Length"])

    async def _pass(self, piece: bytes) -> None:
        self.write(piece)
        await self.flush()

    def _refuse_away(self) -> None:
        """Say that nobody answers, unless the answer has begun: then it ends abruptly."""
        if self._headers_written:
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        self.set_header("Retry-After", "5")
        self.refuse(
            WorkerUnavailable(
                "The model's process does not answer. It is started again; see: "
                "jupyter mlops endpoints list"
            )
        )

    def _let_go(self) -> None:
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None
