"""Hands a file of a run on to the browser, which may save it but never show it as a page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from ...app.operation import Operation
from ...core.exceptions import MlopsError
from .forward import ForwardHandler


class DownloadHandler(ForwardHandler):
    """Passes on the bytes that the worker reads, as fast as the browser takes them."""

    _name = ""
    _pump: asyncio.Future[None] | None = None
    _has_begun = False

    async def answer(self, operation: Operation[Any], path: Mapping[str, str]) -> bytes:
        """Pass on all bytes; what is refused is refused as everywhere."""
        project, query, _ = await self.read(operation)
        self._name = str(getattr(query, "path", "")).rpartition("/")[2]
        self._pump = asyncio.ensure_future(self._link.stream(project, operation, path, query, self))
        try:
            await self._pump
            await self.take(b"")  # of an empty file only the headers go
        except asyncio.CancelledError:
            self._pump.cancel()
            if not self._has_left():
                raise
        except MlopsError as error:
            if not self._has_begun:
                raise
            # The browser notices that bytes are missing; an error would be taken for some.
            self.log.warning("%s broke off: %s", self._name, error.message)
            self.request.connection.stream.close()  # type: ignore[union-attr]
        return b""

    def on_connection_close(self) -> None:
        """Stop reading: nobody wants it any more."""
        super().on_connection_close()
        if self._pump is not None:
            self._pump.cancel()

    def begin(self, size: int) -> None:
        """Say what comes: a file to be saved, of which nothing may run wherever it is shown."""
        self._has_begun = True
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(size))
        self.set_header("Content-Disposition", _attachment(self._name))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    async def take(self, piece: bytes) -> None:
        """Send some bytes and wait until they have gone."""
        with contextlib.suppress(StreamClosedError):
            self.write(piece)
            await self.flush()

    def _has_left(self) -> bool:
        return bool(self.request.connection.stream.closed())  # type: ignore[union-attr]


def _attachment(name: str) -> str:
    """Return the header that has a file saved under its name."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
