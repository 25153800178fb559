"""Sends finished runs to the other trackers that the settings name, without holding up anything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Mapping
from pathlib import PurePosixPath

from dotenv import dotenv_values

from ..core import formats, values
from ..core.exceptions import MlopsError, NotFound
from ..core.mirrors import MirroredRun
from ..core.ports import Registry, Tracker
from ..core.runs import Attempt, MetricPoint, Run, Sweep
from ..mirrors import MirrorProcess, is_known, known_trackers
from ..store import Store
from . import messages as m
from .projects import Project
from .recorder import Recorder

log = logging.getLogger(__name__)

#: Seconds before the first and the last further tries to send, when something went wrong.
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 600.0
#: Seconds without work after which the process of a tracker ends.
IDLE = 30.0
#: Seconds in which finished runs are gathered.
_GATHER = 1.0
#: Runs that are asked for at a time, and failures that end a round.
_MANY = 50
_FAILURES = 3


class Mirrors:
    """The trackers of a project beside MLflow."""

    def __init__(self, project: Project, store: Store, recorder: Recorder) -> None:
        self._mirrors = [
            _Mirror(project, store, recorder, name)
            for name in dict.fromkeys(project.settings.trackers)
        ]
        self._store = store

    @property
    def problem(self) -> str | None:
        """What keeps runs from being sent, in one line; None while nothing does."""
        return next((each.problem for each in self._mirrors if each.problem), None)

    async def findings(self) -> list[m.Finding]:
        """Say of each tracker what it has got, and what is wrong with it."""
        return [await each.finding() for each in self._mirrors]

    async def run(self) -> None:
        """Send runs until cancelled."""
        if not self._mirrors:
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()

        def changed() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._wake)

        self._store.listeners.append(changed)
        async with asyncio.TaskGroup() as tasks:
            for each in self._mirrors:
                tasks.create_task(each.run())

    def _wake(self) -> None:
        for each in self._mirrors:
            each.wake.set()

    async def close(self) -> None:
        """End the processes of the trackers."""
        for each in self._mirrors:
            await each.close()


class _Mirror:
    """One tracker."""

    def __init__(self, project: Project, store: Store, recorder: Recorder, name: str) -> None:
        self.name = name
        self.wake = asyncio.Event()
        self.wake.set()
        self._hurry = asyncio.Event()
        #: When its process was last needed, by a monotonic clock.
        self._used = time.monotonic()
        self.problem: str | None = None
        self._project = project
        self._store = store
        self._recorder = recorder
        folder, logs = project.state / "mirrors" / name, project.state / "logs"
        self._process = MirrorProcess(name, folder, logs / f"mirror-{name}.log")
        if not is_known(name):
            known = ", ".join(known_trackers())
            self.problem = f"There is no tracker {name} (there are: {known}). Mend the settings."

    async def run(self) -> None:
        """Send what waits, and what comes, until cancelled."""
        pause = FIRST_PAUSE
        while is_known(self.name):
            await self._wait()
            await asyncio.sleep(_GATHER)
            self.wake.clear()
            done = await self._try()
            if time.monotonic() - self._used > IDLE:
                await self._process.close()
            if done:
                pause = FIRST_PAUSE
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurry.wait()
            self._hurry.clear()
            pause = min(pause * 2, LONGEST_PAUSE)
            self.wake.set()
        await asyncio.Event().wait()

    async def finding(self) -> m.Finding:
        """Say how it stands, and have what waits tried again."""
        self._hurry.set()
        waits, sent = await asyncio.to_thread(self._store.mirrored.counts, self.name)
        line = f"{formats.counted(sent, 'run')} sent"
        line += f", {formats.counted(waits, 'run')} to send." if waits else "."
        problem = self.problem or await asyncio.to_thread(self._store.mirrored.problem, self.name)
        if problem:
            line = f"{problem} {line}"
        return m.Finding(name=f"tracker {self.name}", ok=not problem, message=line)

    async def close(self) -> None:
        """End its process."""
        await self._process.close()

    async def _wait(self) -> None:
        """Wait for something to send; meanwhile its process is not needed."""
        try:
            async with asyncio.timeout(IDLE):
                await self.wake.wait()
        except TimeoutError:
            await self._process.close()
            await self.wake.wait()

    async def _try(self) -> bool:
        """Send all that waits; return whether it was sent. Nothing that fails here goes further."""
        try:
            return await self._send_all()
        except MlopsError as error:  # the store refuses, which others tell
            log.warning("%s: %s", self.name, error.message)
        except Exception as error:
            log.exception("%s", self.name)
            self.problem = f"Runs are not sent to {self.name}: {type(error).__name__}"
        return False

    async def _send_all(self) -> bool:
        failures = 0
        while attempts := await asyncio.to_thread(self._store.mirrored.waiting, self.name, _MANY):
            for attempt_id in attempts:
                problem = await self._send(attempt_id)
                if problem is None:
                    await asyncio.to_thread(self._store.mirrored.sent, self.name, attempt_id)
                    continue
                failures += 1
                self._note(attempt_id, problem)
                failed = self._store.mirrored.failed
                await asyncio.to_thread(failed, self.name, attempt_id, problem)
                if failures == _FAILURES:
                    return False
            if failures:
                return False
        self.problem = None
        return True

    def _note(self, attempt_id: str, problem: str) -> None:
        log.warning("%s: run %s was not sent: %s", self.name, attempt_id, problem)
        self.problem = f"Runs are not sent to {self.name}: {problem}"

    async def _send(self, attempt_id: str) -> str | None:
        self._used = time.monotonic()
        try:
            sweep, run, attempt = await asyncio.to_thread(self._find, attempt_id)
        except NotFound:  # it was deleted
            return None
        points = await self._points(run, attempt)
        made = await asyncio.to_thread(self._make, sweep, run, attempt, points)
        return await self._process.send(made, _environment(self._project))

    def _find(self, attempt_id: str) -> tuple[Sweep, Run, Attempt]:
        run = self._store.history.run(attempt_id.rpartition(".")[0])
        for attempt in self._store.history.attempts(run.id):
            if attempt.id == attempt_id:
                return self._store.history.sweep(run.sweep_id), run, attempt
        raise NotFound(f"Attempt {attempt_id} was deleted.")

    async def _points(self, run: Run, attempt: Attempt) -> list[MetricPoint]:
        """Return all metric values, those included that plain MLflow code logged if we get them."""
        own = await asyncio.to_thread(self._store.history.logged, attempt.id)
        known = {point.key for point in own}
        if run.metrics.keys() <= known or attempt.mlflow_run_id is None:
            return own
        tracked_id = attempt.mlflow_run_id

        def ask(tracker: Tracker, _: Registry) -> list[MetricPoint]:
            return tracker.series(tracked_id, None)

        try:
            others = await self._recorder.call(ask)
        except MlopsError:
            now = attempt.started_at.timestamp()
            last = run.metrics.items()
            others = [MetricPoint(key=k, value=value, step=0, time=now) for k, value in last]
        return own + [each for each in others if each.key not in known]

    def _make(
        self, sweep: Sweep, run: Run, attempt: Attempt, points: list[MetricPoint]
    ) -> MirroredRun:
        output = self._project.root / run.output if run.output else None
        return MirroredRun(
            id=attempt.id,
            run_id=run.id,
            sweep_id=sweep.id,
            kind=sweep.kind,
            name=f"{PurePosixPath(run.notebook).stem or sweep.kind} {run.id}",
            project=self._project.root.name or "project",
            experiment=run.experiment,
            notebook=run.notebook,
            parameters=values.masked(run.parameters),
            status=attempt.status,
            reason=attempt.reason,
            error=attempt.error,
            started_at=attempt.started_at.timestamp(),
            duration=attempt.duration,
            points=tuple(points),
            facts=_facts(sweep, run),
            files=(output,) if output is not None and output.is_file() else (),
        )


def _facts(sweep: Sweep, run: Run) -> dict[str, str]:
    """Return where a run comes from."""
    git = sweep.context.get("git") or {}
    found = {
        "run": run.id,
        "notebook": run.notebook,
        "mlflow_run_id": run.mlflow_run_id,
        "git.commit": git.get("commit"),
        "git.branch": git.get("branch"),
        "git.remote": git.get("remote"),
        "host": sweep.context.get("host"),
        "python": sweep.context.get("python"),
    }
    return {name: str(value) for name, value in found.items() if value}


def _environment(project: Project) -> Mapping[str, str]:
    """Return what a tracker's client finds its settings and keys in."""
    given = {name: text for name, text in dotenv_values(project.root / ".env").items() if text}
    return {**os.environ, **given}
