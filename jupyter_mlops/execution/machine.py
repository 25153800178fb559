"""What this machine, container or cgroup really grants: cores, memory and GPUs."""

from __future__ import annotations

import math
import os
import platform
import socket
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from ..core.exceptions import InvalidInput
from ..core.resources import parse_memory

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
DEVICES = Path("/dev")

#: What is kept for everything that is not an attempt: a tenth of the memory, at most 2 GB.
_RESERVED = 0.1
_MOST_RESERVED = 2_000_000_000

#: Memory is nearly gone below a twentieth of what is granted, at most 500 MB.
_NEARLY_GONE = 0.05
_MOST_NEARLY_GONE = 500_000_000


def granted_cores(cgroups: Path = CGROUPS, own: Path = MEMBERSHIP) -> int:
    """Return the number of whole cores that this process may use, at least 1.

    The least of the CPUs that the scheduler allows, the quotas of all enclosing cgroups (v1 and
    v2), and JUPYTER_MLOPS_CORES.
    """
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quotas = (
        _quota_v2(folder) if unified else _quota_v1(folder)
        for folder, unified in _folders("cpu", cgroups, own)
    )
    limits = [float(allowed), *(quota for quota in quotas if quota is not None)]
    chosen = os.environ.get("JUPYTER_MLOPS_CORES", "")
    if chosen.isdigit():
        limits.append(float(chosen))
    return max(1, int(min(limits)))


def granted_memory(cgroups: Path = CGROUPS, own: Path = MEMBERSHIP) -> int:
    """Return the bytes that all attempts together may use.

    The least of the machine's memory and the limits of all enclosing cgroups (v1 and v2), less a
    reserve for JupyterLab and the system; or JUPYTER_MLOPS_MEMORY, if that is less.
    Raises `InvalidInput` if that variable is no size.
    """
    whole = total_memory(cgroups, own)
    granted = whole - min(int(whole * _RESERVED), _MOST_RESERVED)
    chosen = os.environ.get("JUPYTER_MLOPS_MEMORY")
    if not chosen:
        return granted
    try:
        return min(granted, parse_memory(chosen))
    except InvalidInput as error:
        raise InvalidInput(f"JUPYTER_MLOPS_MEMORY: {error.message}") from error


def total_memory(cgroups: Path = CGROUPS, own: Path = MEMBERSHIP) -> int:
    """Return the bytes of memory of this machine, or of the tightest enclosing cgroup."""
    limits = (_limit(folder) for folder, _ in _folders("memory", cgroups, own))
    return min([psutil.virtual_memory().total, *(each for each in limits if each is not None)])


def available_memory(cgroups: Path = CGROUPS, own: Path = MEMBERSHIP) -> int:
    """Return the bytes that can still be had without swapping, here or in an enclosing cgroup."""
    left = [psutil.virtual_memory().available]
    for folder, _ in _folders("memory", cgroups, own):
        limit, used = _limit(folder), _used(folder)
        if limit is not None and used is not None:
            left.append(max(0, limit - used))
    return min(left)


def described() -> dict[str, Any]:
    """Return what kind of machine this is, as far as it is granted."""
    try:
        memory = total_memory()
    except InvalidInput:
        memory = None
    return {
        "host": socket.gethostname(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": granted_cores(),
        "memory": memory,
    }


@lru_cache(maxsize=1)
def _processor() -> str | None:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or None
    lines = (line.partition(":") for line in text.splitlines())
    return next((text.strip() for name, _, text in lines if name.strip() == "model name"), None)


def sampled(read: Callable[[], int], seconds: float) -> Callable[[], int]:
    """Return a function that gives what ``read`` gave at most so many seconds ago."""
    value, taken = 0, -math.inf

    def last() -> int:
        nonlocal value, taken
        now = time.monotonic()
        if now - taken > seconds:
            value, taken = read(), now
        return value

    return last


def nearly_gone(total: int) -> int:
    """Return the bytes below which available memory is nearly gone, of ``total`` bytes."""
    return min(int(total * _NEARLY_GONE), _MOST_NEARLY_GONE)


def gpu_devices(devices: Path = DEVICES) -> tuple[str, ...]:
    """Return the GPUs that may be used, as CUDA_VISIBLE_DEVICES names them.

    Those of JUPYTER_MLOPS_GPUS or else CUDA_VISIBLE_DEVICES if it is set, otherwise all of NVIDIA's
    that the system shows.
    """
    for variable in ("JUPYTER_MLOPS_GPUS", "CUDA_VISIBLE_DEVICES"):
        chosen = os.environ.get(variable)
        if chosen is not None:
            return _listed(chosen)
    numbers = (path.name.removeprefix("nvidia") for path in devices.glob("nvidia[0-9]*"))
    return tuple(sorted((each for each in numbers if each.isdigit()), key=int))


def _listed(text: str) -> tuple[str, ...]:
    """Read a list of devices as CUDA does: what follows one that does not exist is unseen."""
    found: list[str] = []
    for each in (part.strip() for part in text.split(",")):
        if not each or each.startswith("-") or each in found:
            break
        found.append(each)
    return tuple(found)


def _folders(controller: str, cgroups: Path, own: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the folders of all enclosing cgroups of a controller, and whether they are v2."""
    for line in _read(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = cgroups / controllers if controllers else cgroups
        inner = base / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if not folder.is_relative_to(base):
                break
            yield folder, not controllers


def _quota_v2(folder: Path) -> float | None:
    parts = _read(folder / "cpu.max").split()
    if len(parts) != 2 or parts[0] == "max":
        return None
    return int(parts[0]) / int(parts[1])


def _quota_v1(folder: Path) -> float | None:
    quota = _read(folder / "cpu.cfs_quota_us").strip()
    period = _read(folder / "cpu.cfs_period_us").strip()
    if not quota or not period or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def _limit(folder: Path) -> int | None:
    return _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")


def _used(folder: Path) -> int | None:
    """Return the bytes that a cgroup uses, less what the system would give back when asked."""
    used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
    if used is None:
        return None
    lines = (line.partition(" ") for line in _read(folder / "memory.stat").splitlines())
    counted = {name: int(value) for name, _, value in lines if value.isdigit()}
    # In v1 a folder's own figure stands beside that of all below it.
    return used - counted.get("total_inactive_file", counted.get("inactive_file", 0))


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
