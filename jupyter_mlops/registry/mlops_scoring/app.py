"""MLflow's scoring app, with its requests checked, counted and, if asked for, kept."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .columns import Column, WrongColumn, check_json, conform
from .counts import Counts
from .failures import without_trace
from .features import Features

if TYPE_CHECKING:
    import pandas as pd

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

#: Asked by the worker alone: no other request reaches it from outside.
STATE = "/mlops/state"
SCORING = "/invocations"
#: Bytes of a body that are checked without another thread.
_AT_ONCE = 65_536


class Listener(Protocol):
    """Is told of each request that was answered."""

    def answered(self, body: bytes, media: str, answer: bytes) -> None:
        """Take note of a request; must not block."""
        ...


class CheckedModel:
    """A model whose tables are brought to the types of its signature before it sees them."""

    def __init__(
        self, model: Any, columns: Sequence[Column], features: Features | None = None
    ) -> None:
        self.metadata = model.metadata
        self._model = model
        self._columns = columns
        self._features = features

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Predict. Raises `WrongColumn`, which MLflow wraps."""
        import pandas as pd

        if isinstance(data, pd.DataFrame):
            if self._features is not None:
                data = self._features.fill(data)
            data = conform(self._columns, data)
        return self._model.predict(data, params=params)


class Scoring:
    """The app that the server calls: all but the scoring itself is done here."""

    def __init__(
        self,
        app: App,
        columns: Sequence[Column],
        *,
        facts: dict[str, Any],
        limit: int,
        listeners: Sequence[Listener] = (),
    ) -> None:
        """``facts`` are told with the state; a body has at most ``limit`` bytes."""
        self._app = app
        self._columns = columns
        self._facts = facts
        self._limit = limit
        self._listeners = listeners
        self.counts = Counts()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] not in (STATE, SCORING):
            await self._app(scope, receive, send)
        elif scope["path"] == STATE:
            await _answer(send, 200, self._facts | self.counts.record())
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.counts.active += 1
        try:
            await self._score(scope, receive, noting)
        finally:
            self.counts.active -= 1
            self.counts.note(time.perf_counter() - began, failed=status >= 400)

    async def _score(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = await _read(receive, self._limit)
        if body is None:
            text = f"The request has more than {self._limit // 2**20} MiB. Send fewer rows at once."
            await _refuse(send, 413, text)
            return
        media = _media(scope)
        if media == "application/json":
            wrong = await self._wrong(body)
            if wrong is not None:
                await _refuse_column(send, wrong)
                return
        answer = _Answer()
        await self._app(scope, _replay(body, receive), answer)
        if answer.status >= 400 and media in _READERS:
            wrong = await asyncio.to_thread(self._diagnose, body, media)
            if wrong is not None:
                await _refuse_column(send, wrong)
                return
        failure = without_trace(answer.body) if answer.status >= 400 else None
        if failure is not None:
            error, trace = failure
            sys.stderr.write(trace)  # which is the endpoint's log
            await _answer(send, answer.status, error)
            return
        for message in answer.messages:
            await send(message)
        if answer.status < 400:
            for each in self._listeners:
                each.answered(body, media, answer.body)

    async def _wrong(self, body: bytes) -> WrongColumn | None:
        if len(body) <= _AT_ONCE:
            return self._check(body)
        return await asyncio.to_thread(self._check, body)

    def _check(self, body: bytes) -> WrongColumn | None:
        try:
            check_json(self._columns, json.loads(body))
        except WrongColumn as wrong:
            return wrong
        except (ValueError, RecursionError):
            return None  # MLflow says what is wrong with it
        return None

    def _diagnose(self, body: bytes, media: str) -> WrongColumn | None:
        """Say which column of a table is wrong that was refused."""
        try:
            conform(self._columns, _READERS[media](body, self._columns))
        except WrongColumn as wrong:
            return wrong
        except (ValueError, OSError):
            return None
        return None


def read_csv(body: bytes, columns: Sequence[Column]) -> pd.DataFrame:
    """Read a table of which nothing is known but which columns are text."""
    import pandas as pd

    return pd.read_csv(
        io.BytesIO(body), dtype={each.name: str for each in columns if each.type == "string"}
    )


def _read_parquet(body: bytes, _columns: Sequence[Column]) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(io.BytesIO(body))


_READERS = {"text/csv": read_csv, "application/vnd.apache.parquet": _read_parquet}


class _Answer:
    """Gathers what the app answers."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.messages)


def _media(scope: dict[str, Any]) -> str:
    headers = {name.lower(): value for name, value in scope["headers"]}
    text: str = headers.get(b"content-type", b"").decode("latin-1")
    return text.partition(";")[0].strip().lower()


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return a request's body; None if it is too large."""
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            return None
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give an app a body that was read already."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


async def _answer(send: Send, status: int, value: Any) -> None:
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, status: int, text: str, **about: Any) -> None:
    """Answer in the form of MLflow's own errors."""
    await _answer(send, status, {"error_code": "BAD_REQUEST", "message": text, **about})


async def _refuse_column(send: Send, wrong: WrongColumn) -> None:
    about = {"column": wrong.column, "expected": wrong.expected, "got": wrong.got}
    await _refuse(send, 400, str(wrong), **about)
