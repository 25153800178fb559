"""The monitor: sees what running attempts use, and which of them must end for want of memory."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..core import formats
from ..core.resources import Capacity, most_memory
from ..core.runs import ProcessIdentity
from . import machine, usage
from .processes import family, is_alive
from .usage import Usage

log = logging.getLogger(__name__)

#: Seconds between two looks at first, later, and while memory is short.
_SOON = 0.5
_LATER = 2.0
_CLOSELY = 0.1
#: Seconds for which an attempt is looked at soon again.
_YOUNG = 5.0
#: Part of its limit above which an attempt is looked at closely.
_NEAR = 0.7
#: Available bytes below which all attempts are looked at closely.
_SCARCE = 1_500_000_000
#: Exact readings take at most this part of the time, and that much near the limit.
_EFFORT = 0.02
_EFFORT_NEAR = 0.2
#: Seconds for which memory that an attempt had may take to come back after its end.
_RELIEF = 2.0
#: By how much likelier than others the system ends an attempt, should it run out of memory before
#: we notice.
_OOM_SCORE = 500


@dataclass(slots=True)
class _Watched:
    """An attempt under way."""

    attempt_id: str
    process: ProcessIdentity
    #: Bytes that it asked for, and that it may be expected to use; None means unspecified.
    requested: int | None
    expected: int | None
    since: float
    used: int = 0
    seen: Usage = field(default_factory=lambda: Usage(0, 0.0))
    #: When exact figures may be read again.
    next_exact: float = 0.0
    #: Whether it was said that it must end.
    told: bool = False


class Monitor:
    """Watches attempts from one thread, which sleeps while there are none.

    The peak of memory is the largest sum of proportional set sizes (PSS) that was seen, of the
    kernel and its descendants: what was there for less than the time between two looks may be
    missed.
    """

    def __init__(
        self, capacity: Capacity, available: Callable[[], int] = machine.available_memory
    ) -> None:
        """``capacity`` is what all attempts together may use."""
        self._capacity = capacity
        self._reserve = machine.nearly_gone(capacity.memory)
        self._available = available
        self._watched: dict[str, _Watched] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._exceeded: Callable[[str, str], None] = lambda _attempt, _line: None
        self._relieved = -_RELIEF
        self._closed = False

    def begin(self, exceeded: Callable[[str, str], None]) -> None:
        """Have ``exceeded`` called, in a thread of ours, when an attempt must end.

        It is given the attempt's id and one line for its user.
        """
        self._exceeded = exceeded

    def watch(
        self,
        attempt_id: str,
        process: ProcessIdentity,
        *,
        requested: int | None,
        expected: int | None,
    ) -> None:
        """Begin to watch the kernel of an attempt."""
        watched = _Watched(attempt_id, process, requested, expected, time.monotonic())
        _offer(process)
        with self._changed:
            self._watched[attempt_id] = watched
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
                self._thread.start()
            elif len(self._watched) == 1:  # else it looks soon anyway
                self._changed.notify()

    def forget(self, attempt_id: str) -> Usage | None:
        """Watch an attempt no more; return what it was seen to use, None if it never was seen."""
        with self._changed:
            watched = self._watched.pop(attempt_id, None)
        return watched.seen if watched is not None and watched.seen.peak_memory else None

    def close(self) -> None:
        """Watch nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    # -- in the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        pause = _SOON
        while True:
            with self._changed:
                if not self._watched and not self._closed:
                    self._changed.wait()
                    pause = _SOON
                # The first look comes after a pause, so that short attempts cost none.
                if not self._closed:
                    self._changed.wait(pause)
                if self._closed:
                    return
                latest = time.monotonic() - _SOON / 2  # those that began later are short, or wait
                watched = [each for each in self._watched.values() if each.since < latest]
            pause = self.look(watched) if watched else _SOON

    def look(self, watched: Iterable[_Watched]) -> float:
        """Look at attempts once; return the seconds until the next look."""
        everybody = [each for each in watched if self._read(each)]
        for each in everybody:
            if each.requested is not None and each.used > most_memory(each.requested):
                self._end(
                    each,
                    f"It used {formats.size(each.used)} of memory, "
                    f"{formats.size(each.requested)} were asked for. "
                    "Ask for more with --memory, or use less.",
                )
        available = self._available()
        now = time.monotonic()
        if available < self._reserve and now - self._relieved > _RELIEF:
            self._relieve([each for each in everybody if not each.told])
        if available < _SCARCE or any(map(_is_near, everybody)):
            return _CLOSELY
        return _SOON if any(now - each.since < _YOUNG for each in everybody) else _LATER

    def _relieve(self, watched: list[_Watched]) -> None:
        """End the attempt that most exceeds its share, if that helps."""
        share = self._capacity.memory // max(1, len(watched))
        worst = max(watched, key=lambda each: each.used / _share(each, share), default=None)
        if worst is None or worst.used < self._reserve:
            return
        its = _share(worst, share)
        more = "more than" if worst.used > its else "most of all, of"
        self._end(
            worst,
            f"The machine ran out of memory, and this run used {formats.size(worst.used)}: "
            f"{more} its share of {formats.size(its)}. Ask for what it needs with --memory, so "
            "that fewer run at a time.",
        )
        self._relieved = time.monotonic()

    def _end(self, watched: _Watched, line: str) -> None:
        if not watched.told:
            watched.told = True
            log.warning("Attempt %s is ended: %s", watched.attempt_id, line)
            self._exceeded(watched.attempt_id, line)

    def _read(self, watched: _Watched) -> bool:
        """Read what an attempt uses, exactly only where that can make a difference."""
        if not is_alive(watched.process):
            return False
        pids = family(watched.process.pid)
        watched.seen |= Usage(0, usage.cpu_time(pids))
        # Shared pages counted for each process, this is the most that it can be.
        used = usage.resident(pids)
        if used <= watched.seen.peak_memory:
            watched.used = used
            return True
        now = time.monotonic()
        if now >= watched.next_exact:
            began = time.thread_time()
            watched.used = usage.proportional(pids)
            watched.seen |= Usage(watched.used, 0)
            effort = _EFFORT_NEAR if _is_near(watched) else _EFFORT
            watched.next_exact = now + (time.thread_time() - began) / effort
        return True


def _share(watched: _Watched, equal: int) -> int:
    return max(1, watched.requested or watched.expected or equal)


def _is_near(watched: _Watched) -> bool:
    return watched.requested is not None and watched.used > _NEAR * watched.requested


def _offer(process: ProcessIdentity) -> None:
    """Have the system end an attempt rather than us or JupyterLab, if it comes to that."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/oom_score_adj").write_text(str(_OOM_SCORE), "ascii")
