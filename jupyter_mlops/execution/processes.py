"""Processes: who they are beyond their pid, and how they and all they started are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import psutil

from ..core.runs import ProcessIdentity


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
        started=psutil.Process(pid).create_time(),
    )


def descendants(process: ProcessIdentity) -> tuple[ProcessIdentity, ...]:
    """Return the processes that a living process has started, and those have, and so on."""
    return tuple(
        ProcessIdentity(
            host=process.host, boot_id=process.boot_id, pid=each.pid, started=each.create_time()
        )
        for each in _family(process)
        if each.pid != process.pid
    )


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

    With ``grace`` seconds they are first asked to terminate; ``on_kill`` is called if some do
    not. Returns when they are gone.
    """
    victims = {victim for process in processes for victim in _family(process)}
    groups = {group for victim in victims if (group := _own_group(victim.pid)) is not None}
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
    psutil.wait_procs(victims, timeout=5)


def _find(process: ProcessIdentity) -> psutil.Process | None:
    if process.boot_id != boot_id() or process.host != socket.gethostname():
        return None
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.started) < 1e-3
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _family(process: ProcessIdentity) -> list[psutil.Process]:
    found = _find(process)
    if found is None:
        return []
    try:
        return [found, *found.children(recursive=True)]
    except psutil.Error:
        return [found]


def _own_group(pid: int) -> int | None:
    """Return the process group that the process leads, never ours."""
    with contextlib.suppress(ProcessLookupError):
        group = os.getpgid(pid)
        if group == pid and group != os.getpgrp():
            return group
    return None
