"""Cores and memory: how requests are written and shared out."""

from __future__ import annotations

import re

from .exceptions import InvalidInput, TooManyResources

_UNITS = {"": 1, "b": 1} | {
    name: base**power
    for power, letter in enumerate("kmgt", start=1)
    for name, base in ((letter, 1000), (f"{letter}b", 1000), (f"{letter}ib", 1024))
}
_MEMORY = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-z]*)\s*", re.IGNORECASE)

#: Variables by which numeric libraries are told how many threads they may start.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def parse_memory(text: str) -> int:
    """Read a size such as ``2GB``, ``512MiB`` or ``1000000`` and return bytes."""
    match = _MEMORY.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if not match or not unit:
        raise InvalidInput(
            f"memory: {text!r} is not a size. Write it like 2GB or 512MiB.", field="memory"
        )
    return int(float(match[1]) * unit)


def share_of_cores(cpus: int | None, *, runs: int, cores: int) -> int:
    """Return how many cores each run of a sweep gets.

    Unasked, the runs share the machine: many runs get one core each, a single run gets all.
    """
    if cpus is None:
        return max(1, cores // max(1, runs))
    if cpus < 1:
        raise InvalidInput("cpus: a run needs at least 1 core.", field="cpus")
    if cpus > cores:
        raise TooManyResources(
            f"cpus: {cpus} cores were asked for, this machine grants {cores}. Ask for fewer.",
            field="cpus",
        )
    return cpus


def thread_limits(cpus: int) -> dict[str, str]:
    """Return the environment that keeps numeric libraries within ``cpus`` cores."""
    return dict.fromkeys(THREAD_VARIABLES, str(cpus))
