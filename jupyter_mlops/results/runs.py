"""Sweeps and runs, as the Python API returns them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..app import messages as m
from ..app import operations as ops
from ..app.client import connect
from ..app.following import Update, follow
from ..app.projects import Project
from ..core.runs import Status, SweepKind
from ..core.values import Value, decode
from ..reports import Report, as_html
from ..reports import runs as reports
from ..widgets import Display, cell_number, in_ipython, show_progress
from .base import Message, Shown, fields, reachable
from .comparing import Gallery, sweep_gallery
from .models import ModelVersion, register_model
from .run_list import RunList, frame

if TYPE_CHECKING:
    import pandas as pd

    from .artifacts import ArtifactList

#: Rows that a notebook shows of a sweep.
HTML_ROWS = 50


def _plain(encoded: Mapping[str, Value]) -> dict[str, Any]:
    return {name: decode(each) for name, each in encoded.items()}


class RunResult(Shown):
    """A run: its parameters, how far it is, and its metrics as far as they are known."""

    def __init__(self, project: Project, view: m.RunView) -> None:
        self._project = project
        self._view = view

    @property
    def view(self) -> m.RunView:
        """The run's state, asked for again as long as it has not finished."""
        if not self._view.status.finished:
            self._view = self.detail().run
        return self._view

    def detail(self) -> m.RunDetail:
        """Return all that is known of the run: its attempts, and the code and data it saw."""
        return connect(self._project).call(ops.GET_RUN, run_id=self.id)

    @property
    def id(self) -> str:
        """The run's id, such as ``k3m9x2ab-4``."""
        return self._view.id

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``."""
        return str(self.view.status)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that the notebook was given; values of secrets are masked."""
        return _plain(self._view.parameters)

    @property
    def metrics(self) -> dict[str, Any]:
        """The last value of each metric."""
        return _plain(self.view.metrics)

    @property
    def error(self) -> str | None:
        """What went wrong, in one line."""
        return self.view.error

    @property
    def duration(self) -> float | None:
        """Seconds that the last attempt took."""
        return self.view.duration

    @property
    def output(self) -> Path | None:
        """The output notebook."""
        output = self.view.output
        return self._project.root / output if output else None

    @property
    def tail(self) -> str:
        """The last lines that the current cell printed, while the run is running."""
        return connect(self._project).call(ops.TAIL, run_id=self.id).text

    def _tail(self, detail: m.RunDetail) -> m.TailView | None:
        if detail.run.status is not Status.RUNNING:
            return None
        return connect(self._project).call(ops.TAIL, run_id=self.id)

    def write_notebook(self) -> Path:
        """Write the output notebook as far as the run has come, and return its path.

        Raises `Conflict` if the run has not begun yet.
        """
        written = connect(self._project).call(ops.PARTIAL_NOTEBOOK, run_id=self.id)
        return self._project.root / written.path

    @property
    def artifacts(self) -> ArtifactList:
        """The files that the run kept: output notebook, plots, tables, models."""
        from .artifacts import artifacts_of

        return artifacts_of(self._project, self.id)

    @property
    def mlflow_run_id(self) -> str | None:
        """The id of the run in MLflow."""
        return self.view.mlflow_run_id

    @property
    def sweep(self) -> SweepResult:
        """The sweep that the run belongs to."""
        return SweepResult.of(self._project, self._view.sweep_id)

    def wait(self, *, progress: bool = True) -> Self:
        """Return when the run has finished; an interrupt in a notebook returns at once."""
        self.sweep.wait(progress=progress, only=self.id)
        return self

    def cancel(self) -> Self:
        """Stop the run. Raises `Conflict` if it has finished."""
        self._view = connect(self._project).call(ops.CANCEL_RUN, run_id=self.id)
        return self

    def retry(self, *, from_failed_cell: bool = False) -> Self:
        """Run it again. Raises `Conflict` unless it has failed or was cancelled.

        ``from_failed_cell`` keeps the outputs and metrics of the cells before that, which are
        executed again only to restore the kernel's state, and executes the notebook as it is now
        from there on. Raises `Conflict` if one of those cells has changed.
        """
        client = connect(self._project)
        if from_failed_cell:
            agreed = m.ResumeRequest(agreed=True)
            self._view = client.call(ops.RESUME_RUN, body=agreed, run_id=self.id)
        else:
            self._view = client.call(ops.RETRY_RUN, run_id=self.id)
        return self

    def resumption(self) -> m.ResumptionView:
        """Tell what a retry from the failed cell executes again. Raises `Conflict`."""
        return connect(self._project).call(ops.RESUMPTION, run_id=self.id)

    def register(
        self, name: str, *, alias: str | None = None, tags: Mapping[str, str] | None = None
    ) -> ModelVersion:
        """Make the model that the run logged a version of the registered model ``name``."""
        request = m.RegisterRequest(run=self.id, alias=alias, tags=dict(tags or {}))
        return register_model(self._project, name, request)

    def delete(self) -> None:
        """Delete the run with its output notebook. Raises `Conflict` while it runs."""
        connect(self._project).call(ops.DELETE_RUN, run_id=self.id)

    def report(self) -> Report:
        """Return what to tell a person."""
        detail = self.detail()
        report = reports.run_report(detail, self._tail(detail), self.artifacts.view)
        report = reachable(report, self._project)
        output = self.output
        if output is None or not self._view.status.finished:
            return report
        path = shlex.quote(os.path.relpath(output))
        return replace(report, hints=(*report.hints, ("Open it", f"jupyter lab {path}")))

    def record(self) -> dict[str, Any]:
        """Return what to tell a program."""
        detail = self.detail()
        return {
            **fields(detail.run),
            "notebook_hash": detail.notebook_hash,
            "context": detail.context,
            "attempt_records": detail.attempts,
            "cpus": detail.sweep.cpus,
            "memory": detail.sweep.memory,
            "gpus": detail.sweep.gpus,
            "artifacts": (kept := self.artifacts.view).artifacts,
            "artifacts_problem": kept.problem,
            "tail": self._tail(detail),
        }

    def __repr__(self) -> str:
        """Say in one line what the run is and how far it is."""
        return reports.run_headline(self.view)


def together(results: Sequence[RunResult | SweepResult], done: str) -> Message:
    """Say what was done with several runs and sweeps; one alone is its own record."""
    views = [result.view for result in results]
    report = Report(
        headline=f"{done}: {', '.join(view.id for view in views)}",
        hints=tuple(("See", f"mlops runs show {view.id}") for view in views[:1]),
    )
    return Message(report, views[0] if len(views) == 1 else views)


class SweepResult(Shown):
    """A sweep: its runs, its ranking, and what can be done with it."""

    def __init__(self, project: Project, view: m.SweepView, after: int | None = None) -> None:
        self._project = project
        self._view = view
        #: Number of the last event before the sweep, so that no finished run is missed.
        self._after = after

    @classmethod
    def of(cls, project: Project, sweep_id: str) -> SweepResult:
        """Return the sweep of an id."""
        return cls(project, connect(project).call(ops.GET_SWEEP, sweep_id=sweep_id))

    @property
    def view(self) -> m.SweepView:
        """The sweep's state, asked for again as long as it has not finished."""
        if not self._view.status.finished:
            self._view = connect(self._project).call(ops.GET_SWEEP, sweep_id=self.id)
        return self._view

    @property
    def id(self) -> str:
        """The sweep's id."""
        return self._view.id

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``."""
        return str(self.view.status)

    @property
    def runs(self) -> RunList:
        """The runs, best first."""
        return RunList(RunResult(self._project, view) for view in self._run_views())

    def _run_views(self) -> list[m.RunView]:
        query = m.RunsQuery(sweep=self.id)
        views = connect(self._project).call(ops.LIST_RUNS, query=query)
        return reports.ranked(views)

    @property
    def frame(self) -> pd.DataFrame:
        """Parameters, metrics, status and duration in seconds, one row per run, best first."""
        return frame(self._run_views())

    @property
    def best(self) -> RunResult | None:
        """The run with the best value of the sweep's metric; None as long as there is none."""
        best = self.view.best
        if best is None:
            return None
        detail = connect(self._project).call(ops.GET_RUN, run_id=best.run_id)
        return RunResult(self._project, detail.run)

    def updates(self) -> Iterable[Update]:
        """Yield the sweep's progress until it has finished."""
        after, self._after = self._after, None
        for update in follow(connect(self._project), self.id, after):
            self._view = update.sweep
            yield update

    def wait(self, *, progress: bool = True, only: str | None = None) -> Self:
        """Return when the sweep has finished, or as soon as the run ``only`` has.

        An interrupt leaves the runs alone: in a notebook it returns at once and says how to
        cancel them, in a script it raises KeyboardInterrupt.
        """
        display = None
        try:
            display = show_progress(self._view) if progress else None
            for update in self.updates():
                if display is not None:
                    display.update(update)
                if only is not None and any(run.id == only for run in update.finished):
                    break
        except KeyboardInterrupt:
            self._say_detached(display, progress)
            if not in_ipython():
                raise
            return self
        if display is not None and display.finish(self):
            self._shown_in = cell_number()
        return self

    def single(self) -> RunResult:
        """Return the only run of what was asked for with `run`."""
        detail = connect(self._project).call(ops.GET_RUN, run_id=f"{self.id}-1")
        run = RunResult(self._project, detail.run)
        run._shown_in = self._shown_in  # noqa: SLF001  # both show the same
        return run

    def _say_detached(self, display: Display | None, progress: bool) -> None:
        command = "%mlops runs cancel" if in_ipython() else "jupyter mlops runs cancel"
        line = f"The runs go on. Cancel them with: {command} {self.id}"
        if display is not None:
            display.note(line)
        elif progress and in_ipython():
            print(line)  # noqa: T201  # interrupted before the display was there

    def cancel(self) -> Self:
        """Cancel the runs that wait and stop those that run."""
        self._view = connect(self._project).call(ops.CANCEL_SWEEP, sweep_id=self.id)
        return self

    def retry(self) -> Self:
        """Run again what has failed or was cancelled. Raises `Conflict` if nothing was."""
        self._view = connect(self._project).call(ops.RETRY_SWEEP, sweep_id=self.id)
        return self

    def register(
        self, name: str, *, alias: str | None = None, tags: Mapping[str, str] | None = None
    ) -> ModelVersion:
        """Make the model of the best run a version of the registered model ``name``."""
        request = m.RegisterRequest(sweep=self.id, alias=alias, tags=dict(tags or {}))
        return register_model(self._project, name, request)

    def gallery(
        self, cell: int | str | None = None, *, limit: int | None = None, offset: int = 0
    ) -> Gallery:
        """Return what a cell put out as images in each run, best run first.

        ``cell`` is a code cell's number, from 1, or its tag; without one the last that put out an
        image. Raises `InvalidInput`.
        """
        query = m.GalleryQuery(
            limit=limit,
            offset=offset,
            cell=cell if isinstance(cell, int) else None,
            tag=cell if isinstance(cell, str) else None,
        )
        return sweep_gallery(self._project, self.id, query)

    def delete(self) -> None:
        """Delete the sweep with its runs. Raises `Conflict` while one of them runs."""
        connect(self._project).call(ops.DELETE_SWEEP, sweep_id=self.id)

    def report(self) -> Report:
        """Return what to tell a person."""
        return self._report(reports.MAX_ROWS)

    def receipt(self) -> Message:
        """Return a short report of a sweep that goes on alone. Its runs may be too many for it."""
        return Message(reachable(reports.receipt(self._view), self._project), fields(self._view))

    def _report(self, rows: int) -> Report:
        if self._view.kind is not SweepKind.SWEEP:
            return self.single().report()
        report = reports.sweep_report(self.view, self._run_views(), rows=rows)
        return reachable(report, self._project)

    def record(self) -> dict[str, Any]:
        """Return what to tell a program: the sweep, and its runs best first."""
        return {**fields(self.view), "runs": self._run_views()}

    def _repr_html_(self) -> str:
        return as_html(self._report(HTML_ROWS))
