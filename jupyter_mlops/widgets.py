"""Live progress where there is no shell: in a notebook, in terminal IPython, in a script.

Each display follows one sweep in place and ends as the sweep's table.
"""

from __future__ import annotations

import os
import sys
import uuid
from typing import Any, Protocol

from .app import messages as m
from .app.following import Update
from .core import formats
from .core.runs import ATTEMPT_VARIABLE, Status
from .reports import runs as reports


class Result(Protocol):
    """What a display ends as."""

    def _repr_html_(self) -> str: ...


class Display(Protocol):
    """Shows how far a sweep is."""

    def update(self, update: Update) -> None:
        """Show progress."""
        ...

    def note(self, text: str) -> None:
        """End with a line in place of the table."""
        ...

    def finish(self, result: Result) -> bool:
        """End as the result's table; return whether it stands there now."""
        ...


def ipython_shell() -> Any:
    """Return IPython's shell, if this process has one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def in_ipython() -> bool:
    """Whether somebody works in IPython: a kernel or its terminal."""
    return ipython_shell() is not None


def in_kernel() -> bool:
    """Whether this process is a kernel."""
    return getattr(ipython_shell(), "kernel", None) is not None


def cell_number() -> int | None:
    """Return the number of the cell that is executed."""
    return getattr(ipython_shell(), "execution_count", None)


def show_progress(sweep: m.SweepView) -> Display | None:
    """Return the display that fits this process, or None if nobody would see one."""
    if in_kernel():
        # The kernel of an attempt has no front end that could draw a widget.
        return _KernelText(sweep) if os.environ.get(ATTEMPT_VARIABLE) else _widgets(sweep)
    if in_ipython():
        return _Lines(sweep, sys.stdout)
    return _Lines(sweep, sys.stderr) if sys.stderr.isatty() else None


def _widgets(sweep: m.SweepView) -> Display:
    try:
        return _Widgets(sweep)
    except ImportError:
        return _KernelText(sweep)


class _Cell:
    """One output of a cell, changed in place."""

    def __init__(self) -> None:
        self._display_id = uuid.uuid4().hex
        self._shown = False

    def show(self, data: dict[str, Any]) -> None:
        """Show a bundle of representations in place of the one before."""
        ipython_shell().display_pub.publish(
            data=data,
            metadata={},
            transient={"display_id": self._display_id},
            update=self._shown,
        )
        self._shown = True


class _KernelText:
    """A line of text that is updated in place."""

    def __init__(self, sweep: m.SweepView) -> None:
        self._cell = _Cell()
        self._line = ""
        self._show(reports.sweep_headline(sweep))

    def _show(self, line: str) -> None:
        if line != self._line:
            self._line = line
            self._cell.show({"text/plain": line})

    def update(self, update: Update) -> None:
        self._show(reports.sweep_headline(update.sweep))

    def note(self, text: str) -> None:
        self._show(f"{self._line}\n{text}")

    def finish(self, result: Result) -> bool:
        self._cell.show({"text/plain": repr(result), "text/html": result._repr_html_()})
        return True


class _Widgets:
    """A bar and one line per state."""

    _STATES = (
        Status.SUCCEEDED,
        Status.RUNNING,
        Status.QUEUED,
        Status.FAILED,
        Status.CANCELLED,
    )

    def __init__(self, sweep: m.SweepView) -> None:
        import ipywidgets

        self._headline = ipywidgets.Label()
        self._bar = ipywidgets.IntProgress(max=max(1, sweep.total))
        self._lines = {status: ipywidgets.Label() for status in self._STATES}
        self._box = ipywidgets.VBox([self._headline, self._bar, *self._lines.values()])
        self._sweep = sweep
        self._set(sweep)
        self._cell = _Cell()
        data = dict(self._box._repr_mimebundle_())
        # Read where no widget can be drawn.
        data["text/plain"] = reports.sweep_headline(sweep)
        self._cell.show(data)

    def _set(self, sweep: m.SweepView) -> None:
        self._sweep = sweep
        facts = (
            sweep.notebook,
            f"{reports.done(sweep.counts)}/{sweep.total}",
            reports.best_text(sweep),
            formats.remaining(sweep.remaining),
        )
        self._headline.value = " · ".join(fact for fact in facts if fact)
        self._bar.value = reports.done(sweep.counts)
        self._bar.bar_style = "warning" if sweep.counts.failed else ""
        for status, line in self._lines.items():
            count = getattr(sweep.counts, status)
            line.value = f"{formats.MARKS[status]} {count:,} {status}"
            if status is Status.CANCELLED and sweep.counts.pruned:
                line.value += f", {sweep.counts.pruned:,} of them pruned"
            # What may never happen takes no room until it does.
            rare = status in (Status.FAILED, Status.CANCELLED) and not count
            line.layout.display = "none" if rare else ""

    def update(self, update: Update) -> None:
        self._set(update.sweep)

    def note(self, text: str) -> None:
        self._cell.show({"text/plain": f"{reports.sweep_headline(self._sweep)}\n{text}"})
        self._close()

    def finish(self, result: Result) -> bool:
        self._cell.show({"text/plain": repr(result), "text/html": result._repr_html_()})
        self._close()
        return True

    def _close(self) -> None:
        for widget in (*self._box.children, self._box):
            for part in (widget.layout, getattr(widget, "style", None), widget):
                if part is not None:
                    part.close()


class _Lines:
    """A line for each run that has finished."""

    def __init__(self, sweep: m.SweepView, stream: Any) -> None:
        self._stream = stream
        self._lines = reports.ProgressLines(sweep)

    def update(self, update: Update) -> None:
        for line in self._lines.of(update.finished):
            self.note(line)

    def note(self, text: str) -> None:
        print(text, file=self._stream, flush=True)  # this is a display

    def finish(self, result: Result) -> bool:
        if self._stream is not sys.stdout:
            return False
        self.note(repr(result))
        return True
