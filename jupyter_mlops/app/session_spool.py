"""What sessions logged while no worker listened: files that only grow until they are taken in.

A file is locked by who writes to it and by who takes it in. Taking the same lines in twice changes
nothing, so that a worker may be killed at any point.
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ..core import values
from ..core.exceptions import InvalidInput, LeaseLost, MlopsError
from ..core.runs import SESSION, Attempt, MetricPoint, check_point
from ..store import Store
from . import messages as m

log = logging.getLogger(__name__)


class SessionSpool:
    """The spool files of a project's sessions."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store

    def take_all(self) -> list[Attempt]:
        """Take in what waits of all sessions; return the attempts that got something new.

        Raises `StoreUnavailable`.
        """
        found = (self.take(path.stem) for path in sorted(self._folder.glob("*.jsonl")))
        return [attempt for attempt in found if attempt is not None]

    def take(self, run_id: str) -> Attempt | None:
        """Take in what waits of a session, before it is closed; return it if that was something.

        Raises `StoreUnavailable`.
        """
        path = self._folder / f"{run_id}.jsonl"
        try:
            with _locked(path) as file:
                content = file.read()
                taken = self._import(path, run_id, content) if content else None
                file.truncate(0)
        except (FileNotFoundError, LeaseLost):  # it is closed at this moment
            return None
        except OSError as error:
            log.warning("%s cannot be taken in: %s", path.name, error)
            return None
        return taken

    def forget(self, run_id: str) -> None:
        """Remove the file of a session that has been closed."""
        (self._folder / f"{run_id}.jsonl").unlink(missing_ok=True)

    def _import(self, path: Path, run_id: str, content: bytes) -> Attempt | None:
        points: list[MetricPoint] = []
        bad: list[bytes] = []
        for line in content.splitlines(keepends=True):
            try:
                points += _points(line)
            except (ValueError, KeyError, TypeError, MlopsError) as error:
                log.warning("A line of %s was not taken in: %s", path.name, error)
                bad.append(line)
        attempt = self._attempt(run_id)
        if attempt is None:
            log.warning("%s was not taken in: its session has ended.", path.name)
            bad, points = [content], []
        if bad:
            with path.with_suffix(".refused").open("ab") as refused:
                refused.write(b"".join(bad))
        if attempt is None or not (new := self._new(attempt, points)):
            return None
        self._store.attempts.progress(attempt, logged=new)
        return attempt

    def _attempt(self, run_id: str) -> Attempt | None:
        """Return the session's attempt, as long as it is open."""
        for each in self._store.history.attempts(run_id):
            if each.executor == SESSION and not each.status.finished:
                return each
        return None

    def _new(self, attempt: Attempt, points: Sequence[MetricPoint]) -> list[MetricPoint]:
        """Return the points that a worker, which was killed meanwhile, has not taken in yet."""
        known = set(map(_identity, self._store.history.series(attempt.id)))
        return [each for each in points if _identity(each) not in known]


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _points(line: bytes) -> list[MetricPoint]:
    body = msgspec.convert({"points": json.loads(line)["points"]}, m.LogRequest)
    return [read_point(each) for each in body.points]


def read_point(point: m.Point) -> MetricPoint:
    """Read a point of a session. Raises `InvalidInput` if it is no metric."""
    value: Any = values.decode(point.value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{point.key}: a metric is a number.", field=point.key)
    try:
        made = MetricPoint(key=point.key, value=float(value), step=point.step, time=point.time)
    except OverflowError:
        raise InvalidInput(f"{point.key}: the number is too large.", field=point.key) from None
    problem = check_point(made)
    if problem is not None:
        raise InvalidInput(problem, field=point.key)
    return made


def _identity(point: MetricPoint) -> tuple[str, int, float, str]:
    return point.key, point.step, point.time, repr(point.value)
