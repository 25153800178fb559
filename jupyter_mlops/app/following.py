"""Follow a sweep or a pipeline run from outside the worker, across its restarts."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..core.exceptions import WorkerUnavailable
from ..core.pipelines import StageState
from ..core.runs import ATTEMPT_VARIABLE, PROJECT_VARIABLE, Status
from . import messages as m
from . import operations as ops
from .client import Client, connect
from .projects import find_project

R = TypeVar("R")

#: Seconds between two looks at a sweep whose runs change all the time.
INTERVAL = 0.25
#: Seconds between two signs of life of the worker, and how often it is tried again.
BEAT = 1.0
TRIES = 5


@dataclass(frozen=True, slots=True)
class Update:
    """How far a sweep is, and the runs that have finished since the update before."""

    sweep: m.SweepView
    finished: tuple[m.RunView, ...]


def follow(client: Client, sweep_id: str, after: int | None = None) -> Iterator[Update]:
    """Yield a sweep's progress until it has finished; the last update says how it ended.

    ``after`` is the number of the last event before the sweep began, so that none of its finished
    runs is missed. Raises `NotFound` if the sweep is deleted meanwhile, and `WorkerUnavailable`
    if its worker is away and no other can be started.
    """
    watch = _Watch(client, sweep_id)
    start = watch.ask(lambda: client.call(ops.STATUS)).seq if after is None else after
    update = watch.update()
    yield update
    if after is None and update.sweep.status.finished:
        return  # before we came
    with closing(events(client, start)) as stream:
        while not (update.sweep.status.finished and watch.heard_all):
            event = next(stream)
            watch.notice(event)
            if watch.due(event):
                update = watch.update()
                yield update


@dataclass(frozen=True, slots=True)
class PipelineUpdate:
    """How far a pipeline run is, and the stages that have ended since the update before."""

    run: m.PipelineRunView
    ended: tuple[m.StageView, ...]


def follow_pipeline(
    client: Client, pipeline_id: str, after: int | None = None
) -> Iterator[PipelineUpdate]:
    """Yield a pipeline run's progress until it has ended; the last update says how it ended.

    ``after`` is the number of the last event before it began. Raises as `follow` does.
    """
    watch = _Watch(client, "")
    start = watch.ask(lambda: client.call(ops.STATUS)).seq if after is None else after
    told: set[str] = set()
    looked = 0.0
    with closing(events(client, start)) as stream:
        for event in stream:
            if event is not None and event.data.get("pipeline") != pipeline_id:
                continue
            urgent = event is not None and (_has_ended(event) or "waits_for" in event.data)
            if event is not None and not urgent and time.monotonic() - looked < INTERVAL:
                continue
            detail = watch.ask(lambda: client.call(ops.GET_PIPELINE_RUN, pipeline_id=pipeline_id))
            looked = time.monotonic()
            new = [each for each in detail.stages if _is_new(each, told)]
            told.update(each.name for each in new)
            yield PipelineUpdate(detail.run, tuple(sorted(new, key=_ended_at)))
            if detail.run.status.finished:
                return


def _has_ended(event: m.EventView) -> bool:
    return event.status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)


def _ended_at(stage: m.StageView) -> float:
    return stage.finished_at.timestamp() if stage.finished_at is not None else math.inf


def _is_new(stage: m.StageView, told: set[str]) -> bool:
    """Whether a stage has come to its end that nobody was told of; fresh ones had none."""
    quiet = stage.state is StageState.FRESH and stage.finished_at is None
    return stage.state.finished and not quiet and stage.name not in told


def events(client: Client, after: int) -> Generator[m.EventView | None]:
    """Yield the project's events after a number, for ever, and None at every beat.

    A worker that goes away is replaced, and its events go on where they broke off.
    """
    attempt = os.environ.get(ATTEMPT_VARIABLE)
    failures = 0
    with _standing_aside(client):
        while True:
            try:
                for event in client.events(after, attempt=attempt, beat=BEAT):
                    failures = 0
                    if event is not None:
                        after = event.seq
                    yield event
            except WorkerUnavailable:
                failures += 1
                _reconnect(client, failures)
                yield None


@contextmanager
def _standing_aside(client: Client) -> Iterator[None]:
    """Hold no core if we belong to an attempt of another project than the one we wait for."""
    attempt, root = os.environ.get(ATTEMPT_VARIABLE), os.environ.get(PROJECT_VARIABLE)
    if attempt is None or root is None or Path(root) == client.project.root:
        yield
        return
    with Client(find_project(root)).waiting(attempt):
        yield


def _reconnect(client: Client, failures: int) -> None:
    """Make sure that a worker answers; raise when it was tried in vain too often."""
    try:
        connect(client.project)
    except WorkerUnavailable:
        if failures >= TRIES:
            raise
    if failures > 1:
        # Nothing tells when the worker that dies has let go of the project.
        time.sleep(min(BEAT * failures, 5.0))


class _Watch:
    """What is known of the followed sweep, and when to look again."""

    def __init__(self, client: Client, sweep_id: str) -> None:
        self._client = client
        self._sweep_id = sweep_id
        self._finished: list[str] = []
        self._dirty = True
        self._ending = False
        self._looked = 0.0
        #: Whether the sweep was seen to have ended, and whether the events have told of it too.
        self._ended = False
        self.heard_all = False

    def ask(self, request: Callable[[], R]) -> R:
        """Ask the worker, again if it has just been replaced."""
        for failures in range(1, TRIES + 1):
            try:
                return request()
            except WorkerUnavailable:
                _reconnect(self._client, failures)
        return request()

    def notice(self, event: m.EventView | None) -> None:
        """Take in an event."""
        if event is None:
            self._dirty = True
            self.heard_all = self._ended
        elif event.sweep_id == self._sweep_id and event.kind in ("run", "sweep"):
            self._dirty = True
            if event.status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED):
                if event.kind == "sweep":
                    self._ending = self.heard_all = True
                elif event.run_id is not None:
                    self._finished.append(event.run_id)

    def due(self, event: m.EventView | None) -> bool:
        """Whether to look at the sweep now: at its end at once, else not too often."""
        waited = time.monotonic() - self._looked >= INTERVAL
        return self._dirty and (self._ending or event is None or waited)

    def update(self) -> Update:
        """Look at the sweep and at the runs that have finished."""
        sweep = self.ask(lambda: self._client.call(ops.GET_SWEEP, sweep_id=self._sweep_id))
        runs = [self._run(run_id) for run_id in dict.fromkeys(self._finished)]
        finished = tuple(run for run in runs if run.status.finished)
        self._ended = sweep.status.finished
        self.heard_all = self.heard_all and self._ended
        self._finished.clear()
        self._dirty = self._ending = False
        self._looked = time.monotonic()
        return Update(sweep, finished)

    def _run(self, run_id: str) -> m.RunView:
        return self.ask(lambda: self._client.call(ops.GET_RUN, run_id=run_id)).run
