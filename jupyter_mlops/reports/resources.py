"""What attempts asked for and what they used, in words."""

from __future__ import annotations

from ..app import messages as m
from ..core import formats


def asked(sweep: m.SweepView) -> str:
    """Say what each run of a sweep asked for, or was given unasked."""
    parts = [
        _number(sweep.cpus, "core"),
        f"{formats.size(sweep.memory)} of memory" if sweep.memory is not None else "",
        _number(sweep.gpus, "GPU") if sweep.gpus else "",
    ]
    return ", ".join(part for part in parts if part)


def used(attempt: m.AttemptView) -> str:
    """Say what an attempt used, as far as it is known."""
    parts = []
    if attempt.cpu_time is not None:
        line = f"{formats.duration(attempt.cpu_time)} of CPU time"
        if attempt.duration:
            cores = attempt.cpu_time / attempt.duration
            line += f" ({cores:.1f} {'core' if f'{cores:.1f}' == '1.0' else 'cores'} on average)"
        parts.append(line)
    if attempt.peak_memory is not None:
        parts.append(f"{formats.size(attempt.peak_memory)} of memory at most")
    return ", ".join(parts)


def busy(state: m.StatusView) -> str:
    """Say how many cores are in use of this machine, and of the clusters that are."""
    here = f"{state.cores_used} of {formats.counted(state.cores, 'core')}"
    away = [
        f"{each.cores_used} of {formats.counted(each.cores, 'core')} of {each.name}"
        for each in state.clusters
    ]
    return " · ".join([here, *away] if state.cores_used or not away else away)


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
