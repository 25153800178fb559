"""Admission: what each attempt asks for, what there is, and who comes next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core.exceptions import InvalidInput
from ..core.resources import (
    Capacity,
    Hold,
    Ledger,
    Request,
    Shortage,
    expected_memory,
    parse_memory,
)
from ..core.runs import Sweep
from ..execution import machine
from ..execution.slots import Slots
from ..store import Store
from .projects import Project, Settings

#: Earlier runs of a notebook from which its need of memory is learned.
_REMEMBERED = 20
#: Seconds for which it is taken for granted how much memory is left.
_SAMPLED = 0.1


def open_ledger(folder: Path, project: Project) -> Slots:
    """Open the ledger of this machine for a project.

    Raises `InvalidInput` if the project's settings cannot be read.
    """
    whole = Capacity(
        cores=machine.granted_cores(),
        memory=machine.granted_memory(),
        gpus=machine.gpu_devices(),
    )
    return Slots(
        folder,
        project.id,
        machine=whole,
        own=_own_part(whole, project.settings),
        most=project.settings.max_running,
        available=machine.sampled(machine.available_memory, _SAMPLED),
        reserve=machine.nearly_gone(whole.memory),
    )


def _own_part(whole: Capacity, settings: Settings) -> Capacity:
    chosen = None if settings.gpus is None else {str(each) for each in settings.gpus}
    memory = whole.memory
    if settings.memory is not None:
        try:
            memory = min(memory, parse_memory(settings.memory))
        except InvalidInput as error:
            raise InvalidInput(f"mlops.toml: {error.message}") from error
    return Capacity(
        cores=min(whole.cores, settings.cores or whole.cores),
        memory=memory,
        gpus=tuple(each for each in whole.gpus if chosen is None or each in chosen),
    )


class Admission:
    """What the attempts of sweeps are taken to need.

    Where no memory was asked for, what earlier runs of the notebook used at most stands in.
    """

    def __init__(self, store: Store, ledgers: Mapping[str, Ledger]) -> None:
        """``ledgers`` are those of the executors, by name."""
        self._store = store
        self._ledgers = ledgers
        self._peaks: dict[str, list[int]] = {}

    def request(self, sweep: Sweep) -> Request:
        """Return what an attempt of a sweep needs. Reads the store once for each notebook."""
        most = self._ledgers[sweep.executor].largest
        memory = sweep.memory
        if memory is None:
            memory = expected_memory(self._known(sweep.notebook))
        if most is None:
            return Request(cpus=sweep.cpus, memory=memory, gpus=sweep.gpus)
        if sweep.memory is None and memory is not None:
            memory = min(memory, most.memory)
        return Request(
            cpus=min(sweep.cpus, most.cores),
            memory=memory,
            gpus=min(sweep.gpus, len(most.gpus)),
        )

    def learn(self, notebook: str, peak: int) -> None:
        """Take note of the memory that a run that succeeded has used."""
        peaks = self._known(notebook)
        peaks.append(peak)
        del peaks[:-_REMEMBERED]

    def _known(self, notebook: str) -> list[int]:
        if notebook not in self._peaks:
            self._peaks[notebook] = self._store.history.peaks(notebook, _REMEMBERED)
        return self._peaks[notebook]


class Round:
    """One round of giving away what the executors have."""

    def __init__(self, ledgers: Mapping[str, Ledger]) -> None:
        self._ledgers = ledgers
        self._turns = {name: Turns() for name in ledgers}
        #: What each executor refused first.
        self.refused: dict[str, Request] = {}

    @property
    def open(self) -> set[str]:
        """The executors that may have something left."""
        return {
            name
            for name, turns in self._turns.items()
            if not (turns.over or self._ledgers[name].full)
        }

    @property
    def skipped(self) -> set[str]:
        """The sweeps that wait in this round."""
        return set().union(*(each.skipped for each in self._turns.values()))

    def take(self, sweep: Sweep, request: Request) -> Hold | None:
        """Take what an attempt of a sweep needs; None if the sweep waits."""
        turns = self._turns[sweep.executor]
        if not turns.may_go(sweep, request):
            return None
        hold = self._ledgers[sweep.executor].acquire(request)
        if isinstance(hold, Shortage):
            turns.refuse(sweep, hold)
            self.refused.setdefault(sweep.executor, request)
            return None
        return hold

    def content(self) -> None:
        """Say where nobody waits for anything any more."""
        for name, turns in self._turns.items():
            if not turns.skipped:
                self._ledgers[name].content()


class Turns:
    """Who comes next in a round: who lacks something waits, others may pass.

    Nobody passes who wants what is lacking, so that a large request is not put off for ever.
    """

    def __init__(self) -> None:
        self._scarce: set[Shortage] = set()
        #: The sweeps that wait in this round.
        self.skipped: set[str] = set()

    @property
    def over(self) -> bool:
        """Whether nobody can be let in."""
        return bool(self._scarce & {Shortage.CORES, Shortage.ATTEMPTS})

    def may_go(self, sweep: Sweep, request: Request) -> bool:
        """Whether a sweep wants nothing that is lacking; it waits otherwise."""
        wanted = {
            Shortage.MEMORY: request.memory is not None,
            Shortage.GPUS: request.gpus > 0,
        }
        if any(wanted.get(each, True) for each in self._scarce):
            self.skipped.add(sweep.id)
            return False
        return True

    def refuse(self, sweep: Sweep, short: Shortage) -> None:
        """Take note that a sweep was refused something."""
        self._scarce.add(short)
        self.skipped.add(sweep.id)
