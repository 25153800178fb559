"""The shell: a live bar on a terminal, sparse lines elsewhere, and what Ctrl-C does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

import click

from ..core import formats

if TYPE_CHECKING:
    from ..app.following import Update
    from ..app.messages import SweepView
    from ..results import PipelineResult, SweepResult


class Shell:
    """The face of a shell."""

    prefix = "jupyter "
    is_cell = False
    body = None

    def __init__(self) -> None:
        self.json = False
        self.debug = False
        self.failed = False
        self.exit_code: int | None = None

    def note(self, text: str) -> None:
        """Print a line on standard error."""
        click.echo(text, err=True)

    def confirm(self, question: str) -> bool:
        """Ask on a terminal; elsewhere nobody could answer, and the command was meant."""
        return not _interactive() or click.confirm(question, err=True)

    def ask(self, question: str) -> bool | None:
        """Ask on a terminal."""
        return click.confirm(question, err=True) if _interactive() else None

    def follow(self, sweep: SweepResult) -> bool:
        """Show progress until the end. Ctrl-C asks whether to cancel, a second one does it."""
        cancelled = False
        while True:
            try:
                self._show(sweep)
            except KeyboardInterrupt:
                if cancelled or not self._cancel(sweep):
                    self._say_goodbye(sweep)
                    return False
                cancelled = True
            else:
                return True

    def follow_pipeline(self, pipeline: PipelineResult) -> bool:
        """Print a line for each stage that ends. Ctrl-C asks whether to cancel."""
        from ..reports.pipelines import progress_lines

        try:
            for update in pipeline.updates():
                for line in progress_lines(update):
                    self.note(line)
        except KeyboardInterrupt:
            if not self._cancels_pipeline(pipeline):
                self.note("The pipeline goes on in the worker.")
                return False
            pipeline.cancel().wait()
        return True

    def _cancels_pipeline(self, pipeline: PipelineResult) -> bool:
        if not _interactive():
            return False
        try:
            return click.confirm("\nCancel the pipeline?", default=False, err=True)
        except click.Abort as abort:
            self.note("")
            return not isinstance(abort.__context__, EOFError)

    def _show(self, sweep: SweepResult) -> None:
        bar: _Progress = _Bar(sweep.view) if _terminal() else _Lines(sweep.view)
        try:
            bar.open()
            for update in sweep.updates():
                bar.update(update)
        finally:
            bar.close()

    def _cancel(self, sweep: SweepResult) -> bool:
        """Ask whether to cancel what is left, and do it."""
        from ..reports.runs import left

        view = sweep.view
        if view.status.finished:
            return True
        count = left(view.counts)
        what = "the run" if view.total == 1 else f"the {formats.counted(count, 'run')} left"
        if not _interactive():
            return False
        try:
            if not click.confirm(f"\nCancel {what}?", default=False, err=True):
                return False
        except click.Abort as abort:
            self.note("")
            if isinstance(abort.__context__, EOFError):
                return False
        sweep.cancel()
        return True

    def _say_goodbye(self, sweep: SweepResult) -> None:
        goes = "The run goes" if sweep.view.total == 1 else "The runs go"
        self.note(f"{goes} on in the worker.")


def _terminal() -> bool:
    return sys.stderr.isatty()


def _interactive() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and _terminal()


class _Progress(Protocol):
    def open(self) -> None: ...

    def update(self, update: Update) -> None: ...

    def close(self) -> None: ...


class _Lines:
    """A line for each run that has finished."""

    def __init__(self, sweep: SweepView) -> None:
        from ..reports.runs import ProgressLines

        self._lines = ProgressLines(sweep)

    def open(self) -> None:
        """Do nothing: no run has finished yet."""

    def update(self, update: Update) -> None:
        for line in self._lines.of(update.finished):
            click.echo(line, err=True)

    def close(self) -> None:
        """Do nothing: what was printed stays."""


class _Bar:
    """One line that is updated in place, and gone at the end."""

    def __init__(self, sweep: SweepView) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.fields[notebook]}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[state]}", markup=False),
            console=Console(stderr=True, highlight=False),
            auto_refresh=False,  # Nothing moves unless there is news.
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(
            "", total=sweep.total, notebook=sweep.notebook, state=_state(sweep)
        )

    def open(self) -> None:
        self._progress.start()

    def update(self, update: Update) -> None:
        from ..reports.runs import done

        sweep = update.sweep
        self._progress.update(
            self._task, completed=done(sweep.counts), state=_state(sweep), refresh=True
        )

    def close(self) -> None:
        self._progress.stop()


def _state(sweep: SweepView) -> str:
    from ..reports.runs import best_text, counts_text

    left = formats.remaining(sweep.remaining)
    parts = (counts_text(sweep.counts), best_text(sweep, limit=30), left)
    return " · ".join(part for part in parts if part)
