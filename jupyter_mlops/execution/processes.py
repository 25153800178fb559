"""Processes: who they are beyond their pid, and how they and all they started are ended."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import psutil

from ..core.runs import ATTEMPT_VARIABLE, ProcessIdentity

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return an id that changes whenever the machine starts."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, str(int(psutil.boot_time()))))


def identify(pid: int) -> ProcessIdentity:
    """Return the identity of a living process. Raises `psutil.NoSuchProcess`."""
    return ProcessIdentity(
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=pid,
        started=_started(psutil.Process(pid)),
    )


def family(pid: int) -> list[int]:
    """Return a process and all that it has started and those have, and so on, while they live."""
    if not _tells_children():
        with contextlib.suppress(psutil.Error):
            return [pid, *(each.pid for each in psutil.Process(pid).children(recursive=True))]
        return [pid]
    found = [pid]
    for each in found:
        found += _children(each)
    return found


def descendants(process: ProcessIdentity) -> tuple[ProcessIdentity, ...]:
    """Return the processes that a living process has started, and those have, and so on."""
    return tuple(
        ProcessIdentity(
            host=process.host, boot_id=process.boot_id, pid=each.pid, started=_started(each)
        )
        for each in _family(process)
        if each.pid != process.pid
    )


def with_variables(wanted: Callable[[dict[str, str]], bool]) -> tuple[ProcessIdentity, ...]:
    """Return the processes, but for ours, that were started with certain environment variables.

    What a process does to its own variables later does not show, but they are what finds one
    whose parents have all ended.
    """
    found = []
    for pid in psutil.pids():
        # It may have ended meanwhile, or belong to somebody else.
        with contextlib.suppress(psutil.Error, OSError):
            if pid != os.getpid() and wanted(_variables(pid)):
                found.append(identify(pid))
    return tuple(found)


def of_attempt(attempt_id: str) -> tuple[ProcessIdentity, ...]:
    """Return the processes that were started in an attempt, whoever their parents are."""
    return with_variables(lambda variables: variables.get(ATTEMPT_VARIABLE) == attempt_id)


def has_forked(process: ProcessIdentity) -> bool:
    """Whether a process has, or has had, children; true if that cannot be known."""
    folder = Path(f"/proc/{process.pid}")
    try:
        facts = (folder / "stat").read_bytes()
        threads = [each.read_bytes() for each in folder.glob("task/*/children")]
    except OSError:
        return True
    # The faults of memory pages of the children that have ended: none can do without.
    faults = int(facts.rpartition(b")")[2].split()[8])
    return faults > 0 or not threads or any(each.strip() for each in threads)


def is_alive(process: ProcessIdentity) -> bool | None:
    """Whether the process still runs; None if that cannot be seen from this machine."""
    if process.host != socket.gethostname():
        return None
    return _find(process) is not None


def end(
    processes: Iterable[ProcessIdentity],
    *,
    grace: float = 0.0,
    on_kill: Callable[[], None] | None = None,
) -> None:
    """End processes of this machine, their process groups and all their descendants.

    The group of one that has just ended is ended too. With ``grace`` seconds they are first asked
    to terminate; ``on_kill`` is called if some do not. Returns when they are gone; what cannot be
    killed, such as one that waits for a broken disk, is told in the log.
    """
    leaders = set(processes)
    victims = {victim for process in leaders for victim in _family(process)}
    groups = {group for victim in victims if (group := _own_group(victim.pid)) is not None}
    groups |= {process.pid for process in leaders if _may_lead(process)}
    if grace:
        for victim in victims:
            with contextlib.suppress(psutil.Error):
                victim.terminate()
        _, alive = psutil.wait_procs(victims, timeout=grace)
        victims = set(alive)
        if victims and on_kill is not None:
            on_kill()
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for victim in victims:
        with contextlib.suppress(psutil.Error):
            victim.kill()
    _, alive = psutil.wait_procs(victims, timeout=5)
    for each in alive:
        log.warning("%s was killed but does not end.", shown(each.pid))


def shown(pid: int) -> str:
    """Return a process as people know it: its number and the beginning of its command line."""
    words: list[str] = []
    with contextlib.suppress(psutil.Error):
        words = psutil.Process(pid).cmdline()
    command = " ".join(words)
    return f"Process {pid} ({command[:100]})" if command else f"Process {pid}"


def _started(process: psutil.Process) -> float:
    """Return when a process was started, on a clock that nobody can set if there is one."""
    if sys.platform != "linux":
        return process.create_time()
    try:
        facts = Path(f"/proc/{process.pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(process.pid) from None
    # The second field, a name in brackets, may contain anything.
    return int(facts.rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def _variables(pid: int) -> dict[str, str]:
    if sys.platform != "linux":
        return psutil.Process(pid).environ()
    text = os.fsdecode(Path(f"/proc/{pid}/environ").read_bytes())
    return dict(each.split("=", 1) for each in text.split("\0") if "=" in each)


def _find(process: ProcessIdentity) -> psutil.Process | None:
    if process.boot_id != boot_id() or process.host != socket.gethostname():
        return None
    try:
        found = psutil.Process(process.pid)
        same = abs(_started(found) - process.started) < 1e-3
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _family(process: ProcessIdentity) -> list[psutil.Process]:
    found = _find(process)
    if found is None:
        return []
    members = [found]
    for pid in family(process.pid)[1:]:
        with contextlib.suppress(psutil.NoSuchProcess):
            members.append(psutil.Process(pid))
    return members


@lru_cache(maxsize=1)
def _tells_children() -> bool:
    """Whether the system tells the children of a process, which not every Linux does."""
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def _children(pid: int) -> list[int]:
    """Return the processes that each thread of a process has started."""
    found: list[int] = []
    # It may end while we look.
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/task") as threads:
        for thread in threads:
            found += map(int, Path(thread.path, "children").read_bytes().split())
    return found


def _may_lead(process: ProcessIdentity) -> bool:
    """Whether a process group of that number is the one that the process led, or had led."""
    if process.boot_id != boot_id() or process.host != socket.gethostname():
        return False
    try:
        same = abs(_started(psutil.Process(process.pid)) - process.started) < 1e-3
    except psutil.NoSuchProcess:
        same = True  # no other process gets the number of a group
    return same and process.pid != os.getpgrp()


def _own_group(pid: int) -> int | None:
    """Return the process group that the process leads, never ours."""
    with contextlib.suppress(ProcessLookupError):
        group = os.getpgid(pid)
        if group == pid and group != os.getpgrp():
            return group
    return None
