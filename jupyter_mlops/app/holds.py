"""Cores, memory and GPUs for the commands of stages, which share ledgers with the queue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from ..core.resources import Hold, Ledger, Request, Shortage

#: Seconds after which we look again for what another project holds.
_LOOK_AGAIN = 0.25


@dataclass(slots=True, eq=False)
class _Wish:
    request: Request
    granted: asyncio.Future[Hold]


class Holds:
    """Who of the commands holds what, and who waits, in order. For one event loop."""

    def __init__(self, slots: Ledger) -> None:
        self._slots = slots
        self._wishes: list[_Wish] = []
        self._active: dict[str, tuple[Hold, int]] = {}
        #: Those that have waited for runs of their own, and want their cores back.
        self._back: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        slots.released.append(self._give)

    @contextlib.asynccontextmanager
    async def hold(self, owner: str, request: Request) -> AsyncIterator[Hold]:
        """Hold what a command needs, as soon as there is enough."""
        wish = _Wish(request, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        self._give()
        try:
            hold = await wish.granted
        except asyncio.CancelledError:
            self._withdraw(wish)
            raise
        self._active[owner] = hold, request.cpus
        try:
            yield hold
        finally:
            del self._active[owner]
            self._slots.release(hold)

    def knows(self, owner: str) -> bool:
        """Whether a command holds something."""
        return owner in self._active

    @contextlib.contextmanager
    def waiting(self, owner: str) -> Iterator[None]:
        """Let a command hold no cores while it only waits for runs of its own."""
        self._slots.suspend(self._active[owner][0])
        try:
            yield
        finally:
            self._back.append(owner)
            self._give()

    def close(self) -> None:
        """Give nothing away any more."""
        self._slots.released.remove(self._give)
        if self._timer is not None:
            self._timer.cancel()

    def _withdraw(self, wish: _Wish) -> None:
        if wish in self._wishes:
            self._wishes.remove(wish)
        elif wish.granted.done() and not wish.granted.cancelled():
            self._slots.release(wish.granted.result())

    def _give(self) -> None:
        """Give away what there is: first to those that had it, then in the order of asking."""
        for owner in list(self._back):
            active = self._active.get(owner)
            if active is None or self._slots.resume(*active):
                self._back.remove(owner)
        for wish in list(self._wishes):
            if self._back:
                break
            if wish not in self._wishes:  # what was given back meanwhile went to it
                continue
            hold = self._slots.acquire(wish.request)
            if isinstance(hold, Shortage):
                # Nobody passes one who waits for cores: it would wait for ever.
                if hold in (Shortage.CORES, Shortage.ATTEMPTS):
                    break
                continue
            self._wishes.remove(wish)
            if wish.granted.cancelled():
                self._slots.release(hold)
            else:
                wish.granted.set_result(hold)
        refused = self._wishes[0].request if self._wishes else None
        self._slots.expect("stages", refused, len(self._wishes))
        self._look_again()

    def _look_again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (self._wishes or self._back) and self._slots.waiting:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_AGAIN, self._give)
