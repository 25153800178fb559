"""Runs as a list, as a table and as a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..app import messages as m
from ..core.values import decode
from ..reports import Report
from ..reports.run_list import runs_report
from ..reports.runs import ranked
from .base import Shown

if TYPE_CHECKING:
    import pandas as pd

    from .runs import RunResult


class RunList(list["RunResult"], Shown):
    """Runs, as a list and as a table."""

    #: Number of runs that were found, of which these may be a part.
    total: int

    def __init__(
        self,
        runs: Iterable[RunResult],
        *,
        query: m.SearchQuery | None = None,
        total: int | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(runs)
        self.total = len(self) if total is None else total
        self._query = query
        self._notes = notes

    @property
    def frame(self) -> pd.DataFrame:
        """Parameters, metrics, status and duration in seconds, one row per run."""
        return frame([run.view for run in self])

    def ranked(self, *, limit: int | None = None, offset: int = 0) -> RunList:
        """Return the runs best first, or a page of them; those without the metric follow."""
        by_id = {run.id: run for run in self}
        order = [by_id[view.id] for view in ranked(run.view for run in self)]
        page = order[offset : None if limit is None else offset + limit]
        asked = self._query if self._query is not None else m.SearchQuery()
        query = msgspec.structs.replace(asked, limit=limit, offset=offset)
        return RunList(page, query=query, total=self.total, notes=self._notes)

    def report(self) -> Report:
        """Return what to tell a person."""
        views = [run.view for run in self]
        return runs_report(views, total=self.total, query=self._query, notes=self._notes)

    def record(self) -> list[m.RunView]:
        """Return what to tell a program."""
        return [run.view for run in self]

    __repr__ = Shown.__repr__


def frame(views: Iterable[m.RunView]) -> pd.DataFrame:
    """Make a DataFrame of runs, one row each, named by the run's id.

    Columns are parameters, then metrics, then ``status`` and ``duration`` in seconds. A name that
    is taken already gets the prefix ``parameters.`` or ``metrics.``.
    """
    import pandas as pd

    views = list(views)
    own = ("status", "duration")
    parameters = dict.fromkeys(name for view in views for name in view.parameters)
    metrics = dict.fromkeys(name for view in views for name in view.metrics)
    rows = []
    for view in views:
        row: dict[str, Any] = {}
        for name in parameters:
            column = f"parameters.{name}" if name in own else name
            row[column] = decode(view.parameters.get(name))
        for name in metrics:
            column = f"metrics.{name}" if name in own or name in parameters else name
            row[column] = decode(view.metrics.get(name))
        rows.append({**row, "status": str(view.status), "duration": view.duration})
    return pd.DataFrame(rows, index=pd.Index([view.id for view in views], name="run"))
