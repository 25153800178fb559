"""``mlops.log``: metrics as display messages of a cell, and as points of a tracked session.

Needs the standard library and, in a kernel, IPython: it works in any environment that has this
package alone.
"""

from __future__ import annotations

import atexit
import contextvars
import math
import operator
import posixpath
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .core import formats
from .core.exceptions import InvalidInput
from .core.values import encode, quote
from .sessions import current_session

MIME = "application/vnd.jupyter-mlops.metrics.v1+json"

#: Least seconds between two messages.
INTERVAL = 0.25
#: Points that wait for the next message at most; more are sent at once.
MAX_PENDING = 1000
#: Metrics that the summary under a cell names.
MAX_SHOWN = 12

#: MLflow's rule for names and steps, without the colon, which it refuses on Windows.
_NAME = re.compile(r"[/\w.\- ]+")
_MAX_NAME = 250
_MAX_STEP = 2**63 - 1

Point = dict[str, Any]


def log(step: int | None = None, **metrics: Any) -> None:
    """Log metrics of the notebook's run: ``mlops.log(loss=0.3, auc=0.7)``.

    In a notebook they appear under the cell, in the sidebar and in MLflow while the cell runs. In
    a script they go to the session that ``jupyter mlops track`` opened, if there is one. ``step``
    counts on by itself for each metric, from 0, unless it is given. Raises `InvalidInput` for a
    value that is no number and for a name that MLflow would refuse.
    """
    log_values(metrics, step=step)


def log_values(metrics: Mapping[str, Any], *, step: int | None = None) -> None:
    """Do what `log` does, for names that are no Python identifiers."""
    values = {checked_name(name): checked_value(name, each) for name, each in metrics.items()}
    if values:
        _emitter.add(values, None if step is None else checked_step(step))


def checked_name(name: str) -> str:
    """Return a metric's name, or raise `InvalidInput` if MLflow would refuse it."""
    norm = posixpath.normpath(name)
    if not _NAME.fullmatch(name) or norm != name or norm.startswith(("..", "/")) or norm == ".":
        raise InvalidInput(
            f"{quote(name)} is not a metric's name. Use letters, digits, spaces and _ - . /",
            field=name,
        )
    if len(name) > _MAX_NAME:
        raise InvalidInput(
            f"{quote(name)} is longer than {_MAX_NAME} characters. Use a shorter name.", field=name
        )
    return name


def checked_value(name: str, value: Any) -> float:
    """Return a metric's value as a float: numbers, and arrays and tensors that hold one."""
    item = getattr(value, "item", None)
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError  # noqa: TRY301  # float() would take text
        return float(item() if callable(item) else value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        kind = type(value).__name__
        raise InvalidInput(f"{name}: a {kind} is not a number. Log a number.", field=name) from None


def checked_step(step: Any) -> int:
    """Return a step as an int, or raise `InvalidInput`."""
    try:
        whole = operator.index(step)
    except TypeError:
        whole = _MAX_STEP + 1
    if abs(whole) > _MAX_STEP:
        raise InvalidInput("step: it must be a whole number.", field="step")
    return whole


def flush() -> None:
    """Send the points that wait."""
    _emitter.flush()


@dataclass
class _Cell:
    """What one cell has logged; its display is updated in place."""

    publish: Callable[..., None]
    display_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    last: dict[str, Point] = field(default_factory=dict)
    count: int = 0
    shown: bool = False

    def send(self, points: list[Point]) -> None:
        for point in points:
            self.last[point["key"]] = {"value": point["value"], "step": point["step"]}
        self.count += len(points)
        payload = {"points": points, "last": self.last, "count": self.count}
        self.publish(
            data={MIME: payload, "text/plain": _summary(self.last)},
            metadata={},
            transient={"display_id": self.display_id},
            update=self.shown,
        )
        self.shown = True


def _summary(last: Mapping[str, Point]) -> str:
    shown = [
        f"{name} {formats.value(point['value'])} (step {point['step']})"
        for name, point in list(last.items())[:MAX_SHOWN]
    ]
    more = [f"and {len(last) - MAX_SHOWN} more"] if len(last) > MAX_SHOWN else []
    return " · ".join(shown + more)


class _Emitter:
    """Collects points and sends them on, at most four times a second."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pending: list[Point] = []
        self._steps: dict[str, int] = {}
        self._cell: _Cell | None = None
        self._timer: threading.Timer | None = None
        self._sent = -math.inf
        self._hooked: object = None
        self._warned = False

    def add(self, values: Mapping[str, float], step: int | None) -> None:
        """Take one value of each metric."""
        now = time.time()
        with self._lock:
            for key, value in values.items():
                number = self._steps.get(key, 0) if step is None else step
                self._steps[key] = number + 1
                self._pending.append(
                    {"key": key, "value": encode(value), "step": number, "time": now}
                )
            self._find_cell()
            if self._due():
                self.flush()
            elif self._timer is None:
                self._start_timer()

    def _due(self) -> bool:
        waited = time.monotonic() - self._sent
        return waited >= INTERVAL or len(self._pending) >= MAX_PENDING

    def _start_timer(self) -> None:
        """Send later what nothing else may send: the cell goes on without logging."""
        # The context says to which cell the kernel counts the message.
        context = contextvars.copy_context()
        self._timer = threading.Timer(INTERVAL, context.run, (self.flush,))
        self._timer.daemon = True
        self._timer.start()

    def flush(self) -> None:
        """Send what waits."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not self._pending:
                return
            points, self._pending = self._pending, []
            self._sent = time.monotonic()
            session = current_session()
            if session is not None:
                session.log(points)
            if self._cell is not None:
                self._cell.send(points)
            elif session is None:
                self._warn()

    def _find_cell(self) -> None:
        """Note the cell that is executed, and ask to be told when it ends."""
        if self._cell is not None:
            return
        shell = _kernel_shell()
        if shell is None:
            return
        if self._hooked is not shell:
            shell.events.register("post_run_cell", self._cell_ended)
            self._hooked = shell
        self._cell = _Cell(shell.display_pub.publish)

    def _cell_ended(self, _result: object = None) -> None:
        with self._lock:
            self.flush()
            self._cell = None

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            message = (
                "mlops.log: nobody listens. Track the script with: "
                "jupyter mlops track -- python SCRIPT"
            )
            print(message, file=sys.stderr)  # noqa: T201  # the one line that a script sees


def _kernel_shell() -> Any:
    """Return IPython's shell if somebody reads what it displays: a kernel's, or a shared cell's."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    heard = getattr(shell, "kernel", None) is not None or hasattr(shell, "shared_cells")
    return shell if heard else None


_emitter = _Emitter()
atexit.register(flush)
