"""Cores, memory and GPUs: how requests are written, checked and shared out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from . import formats
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

#: An attempt may use that much more than it asked for: a twentieth, and at least 50 MB.
_MARGIN = 0.05
_LEAST_MARGIN = 50_000_000

#: What earlier runs used at most is raised by that part, and by 20 MB, for the next ones.
_LEARNED_MARGIN = 0.2
_LEAST_LEARNED_MARGIN = 20_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What one attempt needs. ``memory`` is in bytes; None means unspecified."""

    cpus: int
    memory: int | None = None
    gpus: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Capacity:
    """What all attempts together may use: cores, bytes, and GPUs by name."""

    cores: int
    memory: int
    gpus: tuple[str, ...] = ()


class Shortage(StrEnum):
    """What there is not enough of, just now."""

    CORES = "cores"
    MEMORY = "memory"
    GPUS = "gpus"
    ATTEMPTS = "attempts"  #: as many attempts run as this user allows


@dataclass(slots=True, eq=False)
class Hold:
    """What an attempt holds. Without cores it only waits, for runs of its own."""

    cores: int
    #: Bytes.
    memory: int
    gpus: tuple[str, ...]
    #: Where it is, by the name that its executor knows; empty for this machine.
    node: str = ""
    #: What people call that.
    place: str | None = None


class Ledger(Protocol):
    """What an executor has to give, and who holds what of it. For one event loop."""

    #: Called when something was given back, or has come to be there.
    released: list[Callable[[], None]]

    @property
    def largest(self) -> Capacity | None:
        """Return the most that one attempt may ask for; None as long as that is not known."""
        ...

    def acquire(self, request: Request) -> Hold | Shortage:
        """Take what an attempt needs, all or nothing. Raises `StoreUnavailable`."""
        ...

    def release(self, hold: Hold) -> None:
        """Give everything back."""
        ...

    def suspend(self, hold: Hold) -> None:
        """Give the cores back and keep the rest: the attempt only waits for other runs."""
        ...

    def resume(self, hold: Hold, cores: int) -> bool:
        """Take cores again for an attempt that goes on; return whether there were enough."""
        ...

    def expect(self, asker: str, request: Request | None, attempts: int) -> None:
        """Say what waits of those for whom one asks: so many, the first of whom was refused this.

        An executor that can get more machines does so. Of others nothing is expected.
        """
        ...

    def content(self) -> None:
        """Say that nobody waits for anything any more."""
        ...

    @property
    def full(self) -> bool:
        """Whether there is certainly nothing to take."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether something was refused that may come to be there without our being told."""
        ...


def parse_memory(text: str) -> int:
    """Read a size such as ``2GB``, ``512MiB`` or ``1000000`` and return bytes."""
    match = _MEMORY.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if not match or not unit:
        raise InvalidInput(
            f"memory: {text!r} is not a size. Write it like 2GB or 512MiB.", field="memory"
        )
    return int(float(match[1]) * unit)


def check_request(
    capacity: Capacity,
    *,
    cpus: int | None = None,
    memory: int | None = None,
    gpus: int = 0,
    place: str = "this machine",
) -> None:
    """Raise `TooManyResources` if one attempt asks for more than there is, even alone."""
    few = "Ask for fewer."
    if cpus is not None and cpus > capacity.cores:
        line = f"{cpus} cores were asked for, {place} grants {capacity.cores}. {few}"
        raise TooManyResources(f"cpus: {line}", field="cpus")
    if memory is not None and memory > capacity.memory:
        granted = formats.size(capacity.memory)
        line = f"{formats.size(memory)} were asked for, {place} grants {granted}. Ask for less."
        raise TooManyResources(f"memory: {line}", field="memory")
    if gpus > len(capacity.gpus):
        line = f"{gpus} were asked for, {place} has {len(capacity.gpus) or 'none'}. {few}"
        raise TooManyResources(f"gpus: {line}", field="gpus")


def share_of_cores(cpus: int | None, *, runs: int, cores: int) -> int:
    """Return how many cores each run of a sweep gets.

    Unasked, the runs share the machine: many runs get one core each, a single run gets all.
    """
    if cpus is None:
        return max(1, cores // max(1, runs))
    if cpus < 1:
        raise InvalidInput("cpus: a run needs at least 1 core.", field="cpus")
    return cpus


def expected_memory(peaks: Sequence[int]) -> int | None:
    """Return the bytes to expect of a run whose predecessors had these peaks; None if none had."""
    if not peaks:
        return None
    most = max(peaks)
    return most + max(int(most * _LEARNED_MARGIN), _LEAST_LEARNED_MARGIN)


def most_memory(requested: int) -> int:
    """Return the bytes above which an attempt that asked for ``requested`` is ended."""
    return requested + max(int(requested * _MARGIN), _LEAST_MARGIN)


def thread_limits(cpus: int) -> dict[str, str]:
    """Return the environment that keeps numeric libraries within ``cpus`` cores."""
    return dict.fromkeys(THREAD_VARIABLES, str(cpus))
