"""What this machine, container or cgroup really grants."""

from __future__ import annotations

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def granted_cores(cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the number of whole cores that this process may use, at least 1.

    The least of the CPUs that the scheduler allows, the quotas of all enclosing cgroups (v1 and
    v2), and JUPYTER_MLOPS_CORES.
    """
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    limits = [float(allowed), *_quotas(cgroups, own)]
    chosen = os.environ.get("JUPYTER_MLOPS_CORES", "")
    if chosen.isdigit():
        limits.append(float(chosen))
    return max(1, int(min(limits)))


def _quotas(cgroups: Path, own: Path) -> list[float]:
    found: list[float] = []
    for line in _read(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = cgroups / controllers if controllers else cgroups
        inner = base / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if not folder.is_relative_to(base):
                break
            quota = _quota_v2(folder) if not controllers else _quota_v1(folder)
            if quota is not None:
                found.append(quota)
    return found


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


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
