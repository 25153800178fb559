"""What all handlers have in common: who may ask, how requests are read, how errors look."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ...app import messages as m
from ...app.operation import Action, Operation
from ...core.exceptions import (
    Conflict,
    InvalidInput,
    MlopsError,
    NotFound,
    StoreUnavailable,
    TrackingUnavailable,
    WorkerUnavailable,
)

#: The one table from errors to HTTP; classes that are not named have the status of their base.
STATUSES: dict[type[BaseException], int] = {
    InvalidInput: 400,
    NotFound: 404,
    Conflict: 409,
    StoreUnavailable: 503,
    TrackingUnavailable: 503,
    WorkerUnavailable: 503,
    MlopsError: 500,
}

#: What tornado and jupyter_server refuse by themselves, in our words.
REFUSALS: dict[int, m.ErrorDetail] = {
    400: m.ErrorDetail("invalid_input", "The request cannot be read. Reload the page."),
    403: m.ErrorDetail(
        "forbidden", "You may not do this. Log in to Jupyter again, then reload the page."
    ),
    404: m.ErrorDetail("not_found", "There is nothing at this address. Reload the page."),
    405: m.ErrorDetail("method_not_allowed", "This address does not know that method."),
    413: m.ErrorDetail("too_large", "The request is too large. Send less at once."),
    415: m.ErrorDetail("unsupported_media_type", "Send the request's body as application/json."),
    500: m.ErrorDetail("failed", "The server extension failed. See the Jupyter server's log."),
}

#: Bytes that a request's body may have.
MAX_BODY = 16 * 2**20

#: Parameters of Jupyter's own that any request may carry.
_JUPYTER_PARAMETERS = frozenset({"token", "no_track_activity", "_xsrf"})

R = TypeVar("R", bound=m.Request)
Method = Callable[..., Awaitable[None] | None]


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error."""
    return next((STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES), 500)


class MlopsHandler(APIHandler):
    """Base of our handlers; `handler_class` makes the handlers of the operations from it."""

    auth_resource = "mlops"
    operations: tuple[Operation[Any], ...] = ()

    async def answer(self, operation: Operation[Any], path: Mapping[str, str]) -> bytes:
        """Carry out an operation and return its answer as JSON."""
        raise NotImplementedError

    def update_api_activity(self) -> None:
        """Count as activity what the user does, not a panel that refreshes itself."""
        if self.request.method != "GET":
            super().update_api_activity()

    def set_default_headers(self) -> None:
        """Keep answers out of caches: they belong to a user and change all the time."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        """Nothing is cached, so nothing needs a tag."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with the one shape of errors."""
        if status_code == 405:
            self.set_header("Allow", ", ".join(each.method for each in self.operations))
        detail = REFUSALS.get(status_code) or REFUSALS[400 if status_code < 500 else 500]
        self.finish(msgspec.json.encode(m.ErrorView(detail)))

    def refuse(self, error: MlopsError) -> None:
        """Answer with an error of ours."""
        self.set_status(status_of(error))
        if self.get_status() >= 500:
            self.log.warning("%s: %s", error.code, error.message)
        detail = m.ErrorDetail(error.code, error.message, error.field)
        self.finish(msgspec.json.encode(m.ErrorView(detail)))

    def query_values(self) -> dict[str, str]:
        """Return the query's parameters, decoded once. Raises `InvalidInput`."""
        values: dict[str, str] = {}
        # Tornado's own accessors replace control characters, which file names may contain.
        for name, found in self.request.query_arguments.items():
            # JupyterLab appends the time as a bare parameter, to get past caches.
            if name in _JUPYTER_PARAMETERS or (found == [b""] and re.fullmatch("[0-9]+", name)):
                continue
            try:
                (value,) = found
                values[name] = value.decode("utf-8")
            except ValueError as error:
                message = f"{name} must be given once, as UTF-8. Correct the address."
                raise InvalidInput(message, field=name) from error
        return values

    def decode_query(self, values: dict[str, str], kind: type[R]) -> R:
        """Read a query. Raises `InvalidInput`."""
        try:
            return msgspec.convert(values, kind, strict=False)
        except msgspec.ValidationError as error:
            raise _refused(error) from error

    def decode_body(self, kind: type[R]) -> R:
        """Read the body; none is an empty object. Raises `InvalidInput`."""
        body = self.request.body or b"{}"
        if len(body) > MAX_BODY:
            raise web.HTTPError(413)
        media = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if self.request.body and media != "application/json":
            raise web.HTTPError(415)
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _refused(error) from error


def permitted(action: Action) -> Callable[[Method], Method]:
    """Let a method answer only to users who are authenticated, and authorized to do ``action``."""

    def decorate(method: Method) -> Method:
        gated: Method = web.authenticated(authorized(action=action)(method))
        return gated

    return decorate


def handler_class(
    base: type[MlopsHandler], operations: Iterable[Operation[Any]]
) -> type[MlopsHandler]:
    """Make the handler of one path: a method per operation, each behind the same gate."""
    known = tuple(operations)
    methods = {each.method.lower(): _method(each) for each in known}
    return type(base.__name__, (base,), {"operations": known, **methods})


def _method(operation: Operation[Any]) -> Method:
    @permitted(operation.action)
    async def method(self: MlopsHandler, **path: str) -> None:
        try:
            self.finish(await self.answer(operation, path))
        except MlopsError as error:
            self.refuse(error)

    return method


def _refused(error: Exception) -> InvalidInput:
    """Return what is wrong with a request, in one line."""
    message = str(error).splitlines()[0]
    place = re.search(r" - at `\$\.(\w+)", message)
    return InvalidInput(
        f"The request is not understood: {message}. Correct it and try again.",
        field=place[1] if place else None,
    )


class UnknownRoute(MlopsHandler):
    """Tells those who may ask that there is nothing."""

    @permitted("read")
    async def get(self) -> None:
        """Answer with 404."""
        raise web.HTTPError(404)

    post = put = patch = delete = get
