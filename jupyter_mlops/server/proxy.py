"""Passing requests on to the processes that serve models, piece by piece."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError

#: Seconds for which a process that is being started again is waited for, and between two tries.
_STARTING = 5.0
_TRY_EVERY = 0.1
#: Bytes of an answer that may wait for a slow reader.
_PIECE = 65_536


class Away(Exception):
    """No process answers at the address."""


class Exchange(HTTPMessageDelegate):
    """One request and its answer, each handed on as it comes."""

    def __init__(self, stream: IOStream, most: int) -> None:
        """An answer of more than ``most`` bytes is cut off."""
        parameters = HTTP1ConnectionParameters(
            no_keep_alive=True, max_body_size=most, chunk_size=_PIECE
        )
        self._stream = stream
        self._connection = HTTP1Connection(stream, is_client=True, params=parameters)
        self._begun: Callable[[int, HTTPHeaders], None] | None = None
        self._receive: Callable[[bytes], Awaitable[None]] | None = None
        #: Whether the answer has come to its end.
        self.complete = False

    @classmethod
    async def open(cls, address: Path, most: int) -> Exchange:
        """Connect to whatever process the address leads to. Raises `Away`."""
        deadline = asyncio.get_running_loop().time() + _STARTING
        while True:
            stream = IOStream(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            try:
                await stream.connect(str(address))
            except (StreamClosedError, OSError) as error:
                stream.close()
                if asyncio.get_running_loop().time() > deadline:
                    raise Away from error
                await asyncio.sleep(_TRY_EVERY)
            else:
                return cls(stream, most)

    async def send_head(self, method: str, path: str, headers: HTTPHeaders) -> None:
        """Begin the request. Raises `Away`."""
        await self._sent(
            self._connection.write_headers(RequestStartLine(method, path, ""), headers)
        )

    async def send(self, piece: bytes) -> None:
        """Hand on a piece of the request's body. Raises `Away`."""
        await self._sent(self._connection.write(piece))

    async def answer(
        self,
        begun: Callable[[int, HTTPHeaders], None],
        receive: Callable[[bytes], Awaitable[None]],
        patience: float,
    ) -> None:
        """Finish the request and hand on the answer. Raises `Away` if it does not come whole."""
        self._begun, self._receive = begun, receive
        self._connection.finish()
        try:
            async with asyncio.timeout(patience):
                await self._connection.read_response(self)
        except (StreamClosedError, TimeoutError) as error:
            raise Away from error
        if not self.complete:
            raise Away

    def close(self) -> None:
        """Let go of the connection."""
        self._stream.close()

    async def _sent(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except StreamClosedError as error:
            raise Away from error

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Hand on how the answer begins."""
        if isinstance(start_line, ResponseStartLine) and self._begun is not None:
            self._begun(start_line.code, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Hand on a piece of the answer, no faster than it is taken."""
        return self._receive(chunk) if self._receive is not None else None

    def finish(self) -> None:
        """Take note that the answer is whole."""
        self.complete = True
