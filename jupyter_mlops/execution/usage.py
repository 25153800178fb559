"""What processes use: memory, shared pages counted once, and CPU time.

On Linux it is read from ``/proc``, elsewhere through psutil, which knows no shares of pages.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from ..core import formats
from ..core.executors import Outcome
from ..core.runs import ProcessIdentity, Reason
from .processes import family, is_alive

_PROC = Path("/proc")
_LINUX = sys.platform == "linux"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_KB = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of an attempt have used together."""

    #: Most bytes of memory at a time, as far as it was seen.
    peak_memory: int
    #: Seconds of CPU time, of those included that have ended and were waited for.
    cpu_time: float

    def __or__(self, other: Usage | None) -> Usage:
        """Return the larger figures of two readings of the same attempt."""
        if other is None:
            return self
        return Usage(max(self.peak_memory, other.peak_memory), max(self.cpu_time, other.cpu_time))


def resident(pids: Iterable[int]) -> int:
    """Return the bytes of memory of processes, shared pages counted for each: quick, too large."""
    return sum(_resident(each) for each in pids)


def proportional(pids: Iterable[int]) -> int:
    """Return the bytes of memory of processes, each shared page divided among its users.

    Where the system does not tell, or not us, shared pages count for each.
    """
    return sum(_proportional(each) for each in pids)


def cpu_time(pids: Iterable[int]) -> float:
    """Return the seconds of CPU time of processes and of their children that have ended."""
    return sum(_cpu_time(each) for each in pids)


def measure(process: ProcessIdentity) -> Usage | None:
    """Return what a process and its descendants have used so far; None if it has ended.

    The memory is what they use now, and what the process itself has given back since it used most.
    """
    if not is_alive(process):
        return None
    pids = family(process.pid)
    return Usage(proportional(pids) + _given_back(process.pid), cpu_time(pids))


def with_usage(outcome: Outcome, seen: Usage | None) -> Outcome:
    """Return an outcome with the larger figures of what it says and of what was seen."""
    if seen is None:
        return outcome
    most = seen | Usage(outcome.peak_memory or 0, outcome.cpu_time or 0.0)
    error = outcome.error
    if outcome.reason is Reason.KERNEL_DIED and error is not None:
        error = error.replace(
            "maybe out of memory", f"maybe out of memory, peak {formats.size(most.peak_memory)}"
        )
    return replace(outcome, peak_memory=most.peak_memory, cpu_time=most.cpu_time, error=error)


def _resident(pid: int) -> int:
    if not _LINUX:
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0
    parts = _read(pid, "statm").split()
    return int(parts[1]) * _PAGE if parts else 0


def _proportional(pid: int) -> int:
    for line in _read(pid, "smaps_rollup").splitlines() if _LINUX else ():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * _KB
    return _resident(pid)


def _given_back(pid: int) -> int:
    """Return how much larger a process was when it was largest."""
    sizes = {
        line.split(b":")[0]: int(line.split()[1]) * _KB
        for line in (_read(pid, "status").splitlines() if _LINUX else ())
        if line.startswith((b"VmHWM:", b"VmRSS:"))
    }
    return max(0, sizes.get(b"VmHWM", 0) - sizes.get(b"VmRSS", 0))


def _cpu_time(pid: int) -> float:
    if not _LINUX:
        with contextlib.suppress(psutil.Error):
            return float(sum(psutil.Process(pid).cpu_times()[:4]))
        return 0.0
    # The second field, a name in brackets, may contain anything.
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _read(pid: int, name: str) -> bytes:
    """Read a file about a process; nothing if it has ended or belongs to somebody else."""
    try:
        descriptor = os.open(f"{_PROC}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
