"""The project's memory: sweeps, runs, attempts, leases, metrics and events in a SQL database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.clock import Clock
from .attempts import AttemptLog
from .base import Database
from .causes import Causes, Ended
from .database import first_project, network_file_system, open_database
from .endpoints import EndpointLog
from .history import History, RunFilter, Tally, Timing
from .inventory import Inventory
from .leases import TTL, LeaseTable
from .mirrored import Mirrored
from .notes import Notes
from .occasions import OCCASIONS, Occasions, find
from .pipelines import PipelineLog
from .progress import ProgressLog, Step
from .queue import Queue, of_run, of_runs, of_stages, of_sweep, unpruned
from .resuming import Resuming
from .searching import FoundRuns, RunSearch, Searching
from .trials import Trials

__all__ = [
    "OCCASIONS",
    "TTL",
    "Ended",
    "FoundRuns",
    "RunFilter",
    "RunSearch",
    "Step",
    "Store",
    "Tally",
    "Timing",
    "find",
    "network_file_system",
    "of_run",
    "of_runs",
    "of_stages",
    "of_sweep",
    "unpruned",
]


class Store:
    """A project's part of the database. Blocking; its methods may be called from any thread."""

    def __init__(
        self,
        project: str,
        *,
        url: str | None,
        state: Path,
        clock: Clock | None = None,
        mirrors: Sequence[str] = (),
        moves: bool = False,
    ) -> None:
        """``mirrors`` are the trackers, beside MLflow, that get each run which has finished.

        A database that ``moves`` with its project keeps the name that the project had in it first.
        """
        engine = open_database(url, state)
        if moves:
            project = first_project(engine) or project
        self._database = Database(engine, project, clock or Clock())
        self.queue = Queue(self._database)
        self.attempts = AttemptLog(self._database, mirrors)
        self.progress = ProgressLog(self._database)
        self.history = History(self._database)
        self.searching = Searching(self._database)
        self.inventory = Inventory(self._database)
        self.occasions = Occasions(self._database)
        self.causes = Causes(self._database)
        self.resuming = Resuming(self._database)
        self.trials = Trials(self._database)
        self.notes = Notes(self._database)
        self.mirrored = Mirrored(self._database)
        self.pipelines = PipelineLog(self._database)
        self.endpoints = EndpointLog(self._database)
        self.leases = LeaseTable(self._database.engine, project)
        #: Whether workers on other machines can reach it too.
        self.shared = self._database.engine.dialect.name != "sqlite"
        #: Called, in the writer's thread, after each change that made an event.
        self.listeners = self._database.changed

    def close(self) -> None:
        """Release connections."""
        self._database.engine.dispose()
