"""Tells those who want to know that work has ended, without ever holding it up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from dotenv import dotenv_values

from ..core import formats
from ..core.exceptions import MlopsError
from ..core.notices import Notice, NoticeKind
from ..core.runs import Status, Sweep, SweepKind
from ..notifying import NotSent, check, send
from ..store import RunFilter, Store, Tally
from . import messages as m
from . import views
from .projects import Notification, Project
from .variables import Variable

log = logging.getLogger(__name__)

#: Seconds before each further try to send.
PAUSES = (2.0, 10.0, 60.0)
#: Seconds that an ending worker waits for what is being sent.
_LAST = 10.0
_TEST = Notice(
    kind=NoticeKind.RUN,
    name="a test of notifications",
    status=Status.SUCCEEDED,
    look="jupyter mlops doctor",
)


class Notifier:
    """Sends notifications from a thread of its own, and remembers what went wrong."""

    def __init__(self, project: Project, store: Store, *, pauses: Sequence[float] = PAUSES) -> None:
        self._project = project
        self._store = store
        self._pauses = tuple(pauses)
        self._targets = project.settings.notifications
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notifications")
        self._tasks: set[asyncio.Task[None]] = set()
        #: What went wrong with each target the last time.
        self._problems: dict[str, str] = {}

    @property
    def problem(self) -> str | None:
        """What keeps notifications from being sent, in one line; None while nothing does."""
        return next((f"{label}: {line}" for label, line in self._problems.items()), None)

    @property
    def pending(self) -> int:
        """Number of notifications that are being sent, or tried again."""
        return len(self._tasks)

    async def tell(self, notice: Notice, to: Collection[str] = ()) -> None:
        """Have a notice sent to those whom the settings name, and return at once.

        ``to`` are names of the settings' notifications, or URLs, that get it in any case. Never
        raises: what cannot be sent is logged, and shown as a problem.
        """
        if notice.status is Status.CANCELLED and not to:
            return
        for label, target in self._receivers(notice, to):
            task = asyncio.create_task(self._send(label, target, notice))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def sweep_ended(self, sweep: Sweep, tally: Tally) -> None:
        """Tell that all runs of a sweep have ended; of a stage's run, its pipeline tells."""
        if self._targets and sweep.stage is None and views.status_of(tally) is not Status.CANCELLED:
            error = await asyncio.to_thread(self._why_failed, sweep)
            await self.tell(_of_sweep(sweep, tally, error))

    async def close(self) -> None:
        """Finish what is being sent; what would only wait for a further try is given up."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=_LAST)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def findings(self) -> list[m.Finding]:
        """Say of each notification whether it can be sent, without sending it."""
        problems = dict(self._problems)
        for label, target in self._named():
            problem = await self._in_thread(partial(self._check, target))
            if problem is not None:
                problems[label] = f"It cannot be sent: {problem}."
        bad = [m.Finding(name=name, ok=False, message=line) for name, line in problems.items()]
        if bad or not self._targets:
            return bad
        line = f"{formats.counted(len(self._targets), 'notification')} set up."
        return [m.Finding(name="notifications", ok=True, message=line)]

    async def test_notifications(self) -> list[m.Finding]:
        """Send a test to every notification of the settings, and say what became of it."""
        found = []
        for label, target in self._named():
            problem = await self._attempt(target, _TEST)
            if problem is None:
                self._problems.pop(label, None)
            line = "A test was sent." if problem is None else problem
            found.append(m.Finding(name=label, ok=problem is None, message=line))
        line = "There is none to test. Set one in mlops.toml, under [[notifications]]."
        return found or [m.Finding(name="notifications", ok=False, message=line)]

    # -- whom to tell ------------------------------------------------------------------------------

    def _named(self) -> Iterator[tuple[str, Notification]]:
        for number, each in enumerate(self._targets, start=1):
            yield f"Notification {each.name or number}", each

    def _receivers(self, notice: Notice, to: Collection[str]) -> Iterator[tuple[str, Notification]]:
        known = set()
        for label, each in self._named():
            known.add(each.name)
            if (each.name and each.name in to) or (not to and _wants(each, notice)):
                yield label, each
        for other in to:
            if "://" in other:
                yield "Notification of a stage", Notification(to=other)
            elif other not in known:
                line = f"There is no notification {other!r} in mlops.toml. Add one of that name."
                self._note(f"Notification {other}", line)

    def _why_failed(self, sweep: Sweep) -> str | None:
        """Return the error of a sweep's first failed run."""
        failed = RunFilter(sweep_id=sweep.id, status=Status.FAILED)
        with contextlib.suppress(MlopsError):
            return next((each.error for each in self._store.history.runs(failed)), None)
        return None

    # -- sending -----------------------------------------------------------------------------------

    async def _send(self, label: str, target: Notification, notice: Notice) -> None:
        for pause in (*self._pauses, None):
            problem = await self._attempt(target, notice)
            if problem is None:
                self._problems.pop(label, None)
                log.info("%s: %s", label, notice.subject)
                return
            self._note(label, f"{problem} See mlops.toml, then: jupyter mlops doctor --notify")
            if pause is not None:
                await asyncio.sleep(pause)

    async def _attempt(self, target: Notification, notice: Notice) -> str | None:
        """Send once; return why it failed, or None."""
        place = f"{self._project.root} on {os.uname().nodename}"

        def attempt() -> None:
            body = notice.body(place)
            send(self._url(target), notice.subject, body, failed=notice.failed)

        problem = await self._in_thread(attempt)
        return None if problem is None else f"It was not sent: {problem}."

    async def _in_thread(self, work: Callable[[], None]) -> str | None:
        """Do something; return what goes wrong, which is never more than a line."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except NotSent as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  # of a hundred services; the work goes on
            return type(error).__name__
        return None

    def _check(self, target: Notification) -> None:
        check(self._url(target))

    def _url(self, target: Notification) -> str:
        """Return a target's URL. Raises `NotSent`."""
        if not isinstance(target.to, Variable):
            return target.to
        name = target.to.env
        url = os.environ.get(name) or dotenv_values(self._project.root / ".env").get(name)
        if not url:
            raise NotSent(f"{name} is neither an environment variable nor set in .env")
        return url

    def _note(self, label: str, line: str) -> None:
        if self._problems.get(label) != line:
            log.warning("%s: %s", label, line)
        self._problems[label] = line


def _wants(target: Notification, notice: Notice) -> bool:
    """Whether a notice is of those that a notification is set up for."""
    if ("failure" if notice.failed else "success") not in target.on:
        return False
    scheduled = bool(notice.origin) and NoticeKind.SCHEDULE in target.of
    return notice.kind in target.of or (scheduled and notice.kind is not NoticeKind.STAGE)


def _of_sweep(sweep: Sweep, tally: Tally, error: str | None) -> Notice:
    single = sweep.kind is SweepKind.RUN
    counts = (f"{tally.counts[each]} {each}" for each in Status if tally.counts.get(each))
    times = tally.started_at, tally.finished_at
    return Notice(
        kind=NoticeKind.RUN if single else NoticeKind.SWEEP,
        name=sweep.notebook,
        status=views.status_of(tally),
        error=error,
        duration=(times[1] - times[0]).total_seconds() if times[0] and times[1] else None,
        look=f"jupyter mlops runs show {sweep.id}",
        origin=sweep.context.get("origin") or "",
        details=() if single else (f"Runs: {', '.join(counts)}.",),
    )
