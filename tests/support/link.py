"""A network between two programs that fails when a test says so."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator


class Link:
    """Hands on what comes to ``address`` to another address, such as ``tcp://127.0.0.1:8786``."""

    def __init__(self, beyond: str, loop: asyncio.AbstractEventLoop) -> None:
        self.address = ""
        host, _, port = beyond.removeprefix("tcp://").rpartition(":")
        self._beyond = host, int(port)
        self._loop = loop
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    def cut(self) -> None:
        """Break all connections; new ones are made as before."""
        self._loop.call_soon_threadsafe(self._abort)

    async def serve(self) -> None:
        """Begin to hand on."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """End it, and its connections."""
        if self._server is not None:
            self._server.close()
        self._abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    def _abort(self) -> None:
        for each in self._writers:
            each.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._beyond)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._writers |= ends
        try:
            await asyncio.gather(_hand_on(reader, back), _hand_on(there, writer))
        finally:
            self._writers -= ends
            for each in ends:
                each.transport.abort()


async def _hand_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


@contextlib.contextmanager
def link(beyond: str) -> Iterator[Link]:
    """Serve a link from a thread of its own."""
    loop = asyncio.new_event_loop()
    made = Link(beyond, loop)
    loop.run_until_complete(made.serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(made.close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
