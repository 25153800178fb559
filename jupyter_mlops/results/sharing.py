"""What sharing cells does, as the Python API tells it."""

from __future__ import annotations

from ..app import messages as m
from ..app import operations as ops
from ..app.client import connect
from ..app.projects import Project
from ..reports import Report
from ..reports.sharing import sharing_report
from .base import Shown


class SharingResult(Shown):
    """Which cells the runs of a sweep share, and what sharing more of them would save."""

    def __init__(self, view: m.SharingView) -> None:
        self.view = view

    @property
    def shared(self) -> list[int]:
        """The cells that are executed once for all runs, counted from 1 among the code cells."""
        return [each.cell for each in self.view.cells if each.state == "shared"]

    @property
    def suggested(self) -> list[int]:
        """The cells that are worth the tag ``shared``, counted likewise."""
        return [each.cell for each in self.view.cells if each.state == "suggested"]

    @property
    def saved(self) -> float:
        """The seconds that sharing these would save."""
        return self.view.saved

    def report(self) -> Report:
        """Return what to tell a person."""
        return sharing_report(self.view)

    def record(self) -> m.SharingView:
        """Return what to tell a program."""
        return self.view


def explain_sharing(project: Project, request: m.SpaceRequest) -> SharingResult:
    """Ask which cells the runs would share. Raises `InvalidInput`."""
    names = m.SpaceRequest.__struct_fields__
    body = m.SpaceRequest(**{name: getattr(request, name) for name in names})
    return SharingResult(connect(project).call(ops.EXPLAIN, body=body))
