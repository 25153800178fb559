"""The worker's door: HTTP on a Unix socket that only its user can open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_unix_socket
from tornado.web import Application, HTTPError, RequestHandler

from ..core.exceptions import InvalidInput, MlopsError, NotFound
from . import messages as m
from . import views
from .artifacts import Content
from .hub import EventHub
from .operation import Operation
from .operations import DOWNLOADS, OPERATIONS

log = logging.getLogger(__name__)

#: What carries out an operation, by the operation's name.
Actions = Mapping[str, Callable[..., Awaitable[Any]]]
#: Lets an attempt hold no cores inside a block, by its id; None is nobody's.
Waiting = Callable[[str | None], contextlib.AbstractContextManager[None]]

#: Bytes of a request's body, which may carry a file of points.
_MAX_BODY = 64 * 1024 * 1024
#: Bytes of a file that are in memory at a time.
_PIECE = 256 * 1024


class Door:
    """Listens for clients and hands their requests to the use cases."""

    def __init__(
        self, actions: Actions, hub: EventHub, waiting: Waiting, touched: Callable[[], None]
    ) -> None:
        """``waiting`` lets an attempt hold no cores, ``touched`` is told of each request."""
        by_path: dict[str, dict[str, Operation[Any]]] = {}
        for operation in OPERATIONS:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        shared = {"actions": actions, "touched": touched}
        routes: list[Any] = [
            (_pattern(path), _OperationHandler, {"operations": found, **shared})
            for path, found in by_path.items()
        ]
        routes += [
            (_pattern(each.path), _FileHandler, {"operations": {each.method: each}, **shared})
            for each in DOWNLOADS
        ]
        stream = {"hub": hub, "waiting": waiting}
        self._server = HTTPServer(
            Application(
                [(r"/events/stream", _StreamHandler, stream), *routes],
                default_handler_class=_UnknownHandler,
                log_function=lambda handler: touched() if _is_work(handler) else None,
            ),
            max_body_size=_MAX_BODY,
        )

    def open(self, path: Path) -> None:
        """Begin to listen; a stale socket is replaced."""
        self._server.add_socket(bind_unix_socket(str(path), mode=0o600))

    def hide(self, path: Path) -> None:
        """Let no more clients find us."""
        path.unlink(missing_ok=True)

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        self._server.stop()
        await self._server.close_all_connections()


def _pattern(path: str) -> str:
    return path.replace("{", "(?P<").replace("}", ">[^/]+)")


def _is_work(handler: RequestHandler) -> bool:
    return (handler.request.path or "") not in ("/status", "/events/stream")


class _JsonHandler(RequestHandler):
    """Answers in JSON, errors in their one shape."""

    def answer(self, value: Any) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(value))

    def refuse(self, error: MlopsError, status: int = 400) -> None:
        self.set_status(status)
        detail = m.ErrorDetail(code=error.code, message=error.message, field=error.field)
        self.answer(m.ErrorView(error=detail))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, MlopsError):
            self.refuse(error)
        else:
            line = str(error).split("\n", 1)[0]
            self.refuse(MlopsError(f"{type(error).__name__}: {line}"), status_code)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, MlopsError | HTTPError):
            log.error("%s %s", self.request.method, self.request.uri, exc_info=(typ, value, tb))


class _UnknownHandler(_JsonHandler):
    def prepare(self) -> None:
        raise NotFound("The worker knows no such request. Upgrade the older of client and worker.")


class _OperationHandler(_JsonHandler):
    def initialize(
        self,
        operations: dict[str, Operation[Any]],
        actions: Actions,
        touched: Callable[[], None],
    ) -> None:
        self._operations = operations
        self._actions = actions
        self._touched = touched

    async def _serve(self, **path: str) -> None:
        self.answer(await self._carry_out(path))

    async def _carry_out(self, path: dict[str, str]) -> Any:
        operation = self._operations.get(self.request.method or "")
        if operation is None:
            raise HTTPError(405)
        arguments: dict[str, Any] = dict(path)
        try:
            if operation.query is not None:
                # Tornado's own accessor would strip what is part of a file's name.
                sent = self.request.query_arguments
                given = {name: each[-1].decode("utf-8") for name, each in sent.items()}
                arguments["query"] = msgspec.convert(given, operation.query, strict=False)
            if operation.body is not None:
                arguments["body"] = msgspec.json.decode(self.request.body, type=operation.body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{error}.") from error
        return await self._actions[operation.name](**arguments)

    get = post = put = delete = _serve


class _FileHandler(_OperationHandler):
    """Answers with the bytes of a file, as fast as they are taken."""

    async def get(self, **path: str) -> None:
        content: Content = await self._carry_out(path)
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(content.size))
        left = content.size
        with content.file as file, contextlib.suppress(StreamClosedError):
            while left > 0:
                piece = await asyncio.to_thread(file.read, min(left, _PIECE))
                if not piece:  # it was cut short meanwhile, which the reader has to notice
                    break
                left -= len(piece)
                self.write(piece)
                await self.flush()
                self._touched()


class _StreamHandler(_JsonHandler):
    """Events as lines of JSON as they happen, an empty line now and then."""

    def initialize(self, hub: EventHub, waiting: Waiting) -> None:
        self._hub = hub
        self._waiting = waiting

    async def get(self) -> None:
        after = int(self.get_query_argument("after", "0"))
        beat = float(self.get_query_argument("beat", "10"))
        self.set_header("Content-Type", "application/x-ndjson")
        with (
            self._waiting(self.get_query_argument("attempt", None)),
            contextlib.suppress(StreamClosedError),
        ):
            self.write(b"\n")
            await self.flush()
            async for event in self._hub.follow(after, beat):
                self.write(msgspec.json.encode(views.event(event)) + b"\n" if event else b"\n")
                await self.flush()
