"""Results that show themselves: in the shell, in a cell and as plain text."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..app import messages as m
from ..app.projects import Project
from ..reports import Report, as_html, as_text
from ..widgets import cell_number


class Shown:
    """A result that shows itself: one report for the shell, the notebook and plain text."""

    #: Number of the cell whose progress display has ended as this very report.
    _shown_in: int | None = None

    def report(self) -> Report:
        """Return what to tell a person."""
        raise NotImplementedError

    def record(self) -> Any:
        """Return what to tell a program: plain values and message structs."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the report as plain text."""
        return as_text(self.report())

    def _repr_html_(self) -> str:
        return as_html(self.report())

    def _ipython_display_(self) -> None:
        """Show nothing where the report stands already, directly above."""
        shown_here = self._shown_in is not None and self._shown_in == cell_number()
        self._shown_in = None
        if not shown_here:
            raise NotImplementedError  # IPython then goes by the other representations.


class Message(Shown):
    """A result that is one line and a record."""

    def __init__(self, report: Report | str, record: Any) -> None:
        self._report = Report(headline=report) if isinstance(report, str) else report
        self._record = record

    def report(self) -> Report:
        """Return what to tell a person."""
        return self._report

    def record(self) -> Any:
        """Return what to tell a program."""
        return self._record


def reachable(report: Report, project: Project) -> Report:
    """Return a report whose hints work from the current folder, which may lie elsewhere."""
    here = Path.cwd()
    if here.is_relative_to(project.root):
        return report
    way = f"cd {shlex.quote(os.path.relpath(project.root, here))} && "
    hints = tuple(
        (purpose, f"{way}jupyter {command}" if command.startswith("mlops ") else f"{way}{command}")
        for purpose, command in report.hints
    )
    return replace(report, hints=hints)


def fields(view: m.View) -> dict[str, Any]:
    """Return a view's fields by name, to be put into a larger record."""
    return {name: getattr(view, name) for name in view.__struct_fields__}
