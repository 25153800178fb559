"""The ledger of cores, memory and GPUs: one file per attempt in the user's runtime folder.

A file says what its attempt holds, and is locked by the worker of that attempt. The system frees
the locks of a dead process, so that the ledger is right whatever happens, without anybody to keep
it: what is not locked does not count.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.exceptions import StoreUnavailable
from ..core.resources import Capacity, Hold, Request, Shortage
from ..core.runs import new_id

#: Seconds after which one who waits for cores is let go first by all other projects.
PATIENCE = 10.0
#: Seconds after which a wish that is not renewed no longer counts: its worker is stopped.
_STALE = 5.0
#: Bytes of a record, so that it is replaced by one write.
_RECORD = 2048


@dataclass(frozen=True, slots=True)
class _File:
    """The file of a hold of ours, locked."""

    path: Path
    descriptor: int


class Slots:
    """One project's hold on the machine. Not for use from several threads."""

    def __init__(
        self,
        folder: Path,
        project: str,
        *,
        machine: Capacity,
        own: Capacity | None = None,
        most: int | None = None,
        available: Callable[[], int] | None = None,
        reserve: int = 0,
    ) -> None:
        """Use ``folder`` as the ledger of ``machine``, of which this project takes ``own`` at most.

        At most ``most`` attempts of all projects run at a time. Nothing is given away while fewer
        than ``reserve`` bytes are ``available`` in fact.
        """
        self.machine = machine
        #: What the project may use.
        self.own = own or machine
        self.limit = self.own.cores
        #: Cores that this project holds.
        self.held = 0
        self._most = most
        self._available = available or (lambda: machine.memory)
        self._reserve = reserve
        self._folder = folder
        self._mine: dict[Hold, _File] = {}
        self._wish = folder / f"wish-{project}"
        self._wishing: int | None = None
        self._since = 0.0
        #: Called when something was given back.
        self.released: list[Callable[[], None]] = []

    # -- taking and giving back --------------------------------------------------------------------

    def acquire(self, request: Request) -> Hold | Shortage:
        """Take what an attempt needs, all or nothing.

        Where other projects wait too, nobody takes more than an equal share, and in the end who
        has waited longest is served first. Raises `StoreUnavailable` if the ledger cannot be
        written.
        """
        try:
            return self._acquire(request)
        except OSError as error:
            raise StoreUnavailable(
                f"{self._folder} cannot be written ({error.strerror or error}). "
                "Free space there, or mend its permissions."
            ) from error

    def _acquire(self, request: Request) -> Hold | Shortage:
        cores = min(request.cpus, self.limit)
        if self.held + cores > self.limit:
            return Shortage.CORES
        with self._locked() as alone:
            if not alone:
                return self._wait(Shortage.CORES)
            others = list(self._others())
            short = self._short(cores, request, others)
            if short is not None:
                return self._wait(short) if others or short is Shortage.MEMORY else short
            gpus = self._free_gpus(others)[: request.gpus]
            hold = self._write(cores, request.memory or 0, gpus)
        self.held += cores
        self.content()
        return hold

    def release(self, hold: Hold) -> None:
        """Give everything back."""
        self.held -= hold.cores
        file = self._mine.pop(hold)
        file.path.unlink(missing_ok=True)
        os.close(file.descriptor)
        self._tell()

    def suspend(self, hold: Hold) -> None:
        """Give the cores back and keep the rest: the attempt only waits for other runs."""
        self.held -= hold.cores
        hold.cores = 0
        _record(self._mine[hold].descriptor, _facts(hold))
        self._tell()

    def _tell(self) -> None:
        for listener in list(self.released):
            listener()

    def resume(self, hold: Hold, cores: int) -> bool:
        """Take cores again for an attempt that goes on; return whether there were enough."""
        cores = min(cores, self.limit)
        if self.held + cores > self.limit:
            return False
        with self._locked() as alone:
            if not alone or self._held_cores(list(self._others())) + cores > self.machine.cores:
                self._wait(Shortage.CORES)
                return False
            hold.cores = cores
            _record(self._mine[hold].descriptor, _facts(hold))
        self.held += cores
        return True

    def expect(self, asker: str, request: Request | None, attempts: int) -> None:
        """This machine does not grow."""

    def content(self) -> None:
        """Say that we no longer wait for anything."""
        if self._wishing is not None:
            os.close(self._wishing)
            self._wishing = None

    @property
    def largest(self) -> Capacity:
        """Return what this project may use."""
        return self.own

    @property
    def waiting(self) -> bool:
        """Whether we were refused something by other projects, or for want of memory."""
        return self._wishing is not None

    @property
    def full(self) -> bool:
        """Whether this project holds all the cores that it may use."""
        return self.held >= self.limit

    def held_by_all(self) -> int:
        """Count the cores that all projects of this user hold."""
        with self._locked() as alone:
            return self._held_cores(list(self._others())) if alone else self.held

    # -- who holds what ----------------------------------------------------------------------------

    def _short(self, cores: int, request: Request, others: list[Hold]) -> Shortage | None:
        everybody = [*others, *self._mine]
        if self._most is not None and sum(bool(each.cores) for each in everybody) >= self._most:
            return Shortage.ATTEMPTS
        if self._held_cores(others) + cores > self.machine.cores or self._must_yield(cores):
            return Shortage.CORES
        if request.gpus > len(self._free_gpus(others)):
            return Shortage.GPUS
        memory = request.memory or 0
        held = sum(each.memory for each in others)
        mine = sum(each.memory for each in self._mine)
        if held + mine + memory > self.machine.memory or mine + memory > self.own.memory:
            return Shortage.MEMORY
        left = self._available()
        if left < self._reserve or (everybody and memory > left):
            return Shortage.MEMORY
        return None

    def _free_gpus(self, others: list[Hold]) -> tuple[str, ...]:
        taken = {name for each in (*others, *self._mine) for name in each.gpus}
        return tuple(name for name in self.own.gpus if name not in taken)

    def _held_cores(self, others: list[Hold]) -> int:
        return self.held + sum(each.cores for each in others)

    def _must_yield(self, cores: int) -> bool:
        """Whether other projects that wait for cores come first."""
        wishes = list(self._wishes())
        since = self._since if self.waiting else math.inf
        now = time.monotonic()
        if any(other < since and now - other > PATIENCE for other in wishes):
            return True
        share = math.ceil(self.machine.cores / (len(wishes) + 1))
        return bool(self.held) and self.held + cores > share

    def _others(self) -> Iterator[Hold]:
        """Yield what other projects hold, and clear away what dead ones have left."""
        mine = {each.path for each in self._mine.values()}
        for path in self._folder.glob("hold-*"):
            if path in mine:
                continue
            with _probed(path) as (facts, is_held):
                if not is_held:
                    path.unlink(missing_ok=True)
                elif facts:
                    yield Hold(facts["cores"], facts["memory"], tuple(facts["gpus"]))

    def _wishes(self) -> Iterator[float]:
        """Yield since when each of the other projects waits for cores."""
        for path in self._folder.glob("wish-*"):
            if path == self._wish:
                continue
            with _probed(path) as (facts, is_held):
                fresh = facts.get("seen", 0.0) > time.monotonic() - _STALE
                if is_held and fresh and facts["short"] == Shortage.CORES:
                    yield facts["since"]

    def _wait(self, short: Shortage) -> Shortage:
        now = time.monotonic()
        if self._wishing is None:
            self._wishing = _lock(self._wish)
            self._since = now
        if self._wishing is not None:
            _record(self._wishing, {"since": self._since, "seen": now, "short": short})
        return short

    def _write(self, cores: int, memory: int, gpus: tuple[str, ...]) -> Hold:
        path = self._folder / f"hold-{os.getpid()}-{new_id()}"
        descriptor = _lock(path)
        if descriptor is None:  # only somebody who does not ask for the ledger's lock could do that
            raise BlockingIOError(f"{path} is locked")
        hold = Hold(cores, memory, gpus)
        try:
            _record(descriptor, _facts(hold))
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        self._mine[hold] = _File(path, descriptor)
        return hold

    @contextlib.contextmanager
    def _locked(self) -> Iterator[bool]:
        """Be the only one who reads or takes; False if another is at it just now."""
        descriptor = _lock(self._folder / "ledger")
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _facts(hold: Hold) -> dict[str, Any]:
    return {"cores": hold.cores, "memory": hold.memory, "gpus": hold.gpus}


def _record(descriptor: int, facts: dict[str, Any]) -> None:
    os.pwrite(descriptor, json.dumps(facts).encode().ljust(_RECORD), 0)


@contextlib.contextmanager
def _probed(path: Path) -> Iterator[tuple[dict[str, Any], bool]]:
    """Read a file, and whether somebody holds it. It is locked by us meanwhile if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield {}, False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_held = False
        except BlockingIOError:
            is_held = True
        text = os.pread(descriptor, _RECORD, 0).strip()
        yield json.loads(text) if text else {}, is_held
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
