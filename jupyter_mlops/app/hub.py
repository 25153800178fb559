"""The event hub: tells listeners of changes as soon as they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ..core.runs import Event
from ..store import Store

_PAGE = 1_000


class EventHub:
    """Follows the store's events. Made in the event loop that listens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        store.listeners.append(self._notify)

    def _notify(self) -> None:
        self._loop.call_soon_threadsafe(self._announce)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self, after: int, beat: float) -> AsyncIterator[Event | None]:
        """Yield the events after a number as they come, and None after ``beat`` seconds of none."""
        while True:
            changed = self._changed
            events = await asyncio.to_thread(self._store.history.events, after, _PAGE)
            for event in events:
                yield event
                after = event.seq
            if events:
                continue
            try:
                async with asyncio.timeout(beat):
                    await changed.wait()
            except TimeoutError:
                yield None
