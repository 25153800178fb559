"""A clock that nobody can set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """The time of day when it was made, and what has passed since on a monotonic clock.

    Setting the machine's clock moves it neither forth nor back, and while the machine sleeps it
    stands still. For what is shown to people, ask the machine.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._began = datetime.fromtimestamp(wall(), UTC)
        self._monotonic = monotonic
        self._start = monotonic()

    def now(self) -> datetime:
        """Return the time."""
        return self._began + timedelta(seconds=self._monotonic() - self._start)
