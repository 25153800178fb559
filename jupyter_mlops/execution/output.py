"""The output notebook: papermill's bookkeeping of cells, and what they put out, in a journal."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import nbformat
from nbformat.v4 import new_markdown_cell
from papermill.engines import NotebookExecutionManager
from papermill.exceptions import PapermillExecutionError
from papermill.execute import ERROR_ANCHOR_MSG, ERROR_MARKER_TAG, ERROR_MESSAGE_TEMPLATE
from papermill.translators import translate_parameters

from ..core import formats, values
from ..core.executors import Task
from ..core.stages import ErrorRule
from .journal import CellChanged, Cleared, Closed, Marked, Opened, Shown, Spilled, Text
from .keeping import Keeping
from .limits import Limits
from .recording import Recording


class Stopped(Exception):
    """The attempt was told to stop between two cells."""


class OutputNotebook(NotebookExecutionManager):  # type: ignore[misc]
    """The notebook under execution: its journal says at any moment what has become of it."""

    def __init__(self, nb: nbformat.NotebookNode, task: Task) -> None:
        """Raises `OSError` if the notebook could never be written."""
        super().__init__(nb, output_path=str(task.output), progress_bar=False)
        self._task = task
        _check_writable(task.output.parent)
        self._recording = Recording(task.journal)
        self._limits = Limits(task.output, task.stream_limit)
        code = (index for index, cell in enumerate(nb.cells) if cell.cell_type == "code")
        #: Number of each code cell, from 1, by its place among all cells.
        self.numbers = {index: number for number, index in enumerate(code, start=1)}
        self._kept = Keeping(task.kept)
        #: An error of a cell whose outputs are kept, for the case that it ends the notebook.
        self._kept_error: dict[str, Any] | None = None
        #: Seconds that each code cell took that has ended, in order.
        self.cell_times: list[float] = []
        #: The cell that is executed.
        self._current = 0
        self._began = time.monotonic()
        self._cell_began = self._began
        self._errors: dict[int, dict[str, Any]] = {}
        nb.metadata.papermill["input_path"] = task.source
        nb.metadata.papermill["output_path"] = str(task.output)
        nb.metadata.papermill["parameters"] = values.encode(self._shown())

    # -- bookkeeping, called by papermill's client -------------------------------------------------

    def notebook_start(self, **kwargs: Any) -> None:
        """Clear what an earlier execution left, and begin the journal."""
        super().notebook_start(**kwargs)
        self._recording.add(Opened(self._masked()))
        for record in self._kept.records(self.numbers):
            self._recording.add(record)

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Record that a cell begins."""
        self._current = cell_index or 0
        self._cell_began = time.monotonic()
        self._limits.begin(self.numbers.get(self._current, 0))
        cell.metadata.papermill.update(
            start_time=self.now().isoformat(), status=self.RUNNING, exception=False
        )
        self._changed(cell)

    def cell_complete(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Record that a cell has ended: not well if an exception is under way."""
        own, error = cell.metadata.papermill, sys.exc_info()[1]
        if self.restoring and (error or own["status"] == self.FAILED):
            self._stop_keeping(error)
        if isinstance(error, Stopped):
            own.update(status=self.PENDING, start_time=None, exception=None)
        else:
            if error is not None:
                self.cell_exception(cell, cell_index, exception=error)
            seconds = time.monotonic() - self._cell_began
            own.update(end_time=self.now().isoformat(), duration=round(seconds, 6))
            if own["status"] != self.FAILED:
                own["status"] = self.COMPLETED
            if self._current in self.numbers:
                self.cell_times.append(seconds)
        if self._limits.lost:
            lost = formats.size(self._limits.lost)
            self.text("stderr", f"[{lost} of output were lost: the disk was full.]\n")
        self._limits.end()
        self._changed(cell)

    @property
    def restoring(self) -> bool:
        """Whether the current cell is executed only for what it does to the kernel."""
        return self._kept.holds(self.numbers.get(self._current))

    def _stop_keeping(self, error: BaseException | None) -> None:
        """Take the outputs from here on anew, since the state could not be restored."""
        if isinstance(error, Stopped):
            return
        first = self.numbers[self._current]
        for record in self._kept.give_up(first, self.numbers, self.nb.cells):
            self._recording.add(record)
        if self._kept_error is not None:
            self.error(self._kept_error)

    def notebook_complete(self, **kwargs: Any) -> None:
        """Finish the metadata. Cells that were not executed stay pending."""
        facts = self.nb.metadata.papermill
        facts["end_time"] = self.now().isoformat()
        facts["duration"] = round(time.monotonic() - self._began, 6)
        self._recording.add(Closed(self.nb.metadata))

    def save(self, **kwargs: Any) -> None:
        """Do nothing: what happens is in the journal at once."""

    def autosave_cell(self) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Write the notebook. Raises `OSError`; then the journal stays."""
        self._recording.finish(self._task.output)
        if not self._task.attempt_id.endswith(".1"):
            self._limits.remove_others(self._kept.holds)

    def raise_for_errors(self) -> None:
        """Raise papermill's error if a cell failed, and mark the cell in the notebook."""
        errors = {i: each for i, each in self._errors.items() if self._counts(i, each)}
        if not errors:
            failed = self.failed
            if failed is None or failed in self._errors:
                return
            errors = {failed: {"ename": "CellExecutionError", "evalue": "", "traceback": []}}
        index = max(errors)
        cell = self.nb.cells[index]
        self._mark(index)
        raise PapermillExecutionError(
            cell_index=index,
            exec_count=cell.execution_count,
            source=cell.source,
            **errors[index],
        )

    def _counts(self, index: int, error: dict[str, Any]) -> bool:
        """Whether a cell's error makes the notebook fail."""
        if self._task.errors is ErrorRule.ALL:
            return not _is_exit(error)
        return index == self.failed

    def explain(self, why: str | None) -> None:
        """Say in the notebook why the current cell failed, which put out no error itself."""
        if self.failed is None:
            return
        if why:
            self.text("stderr", f"{why}\n")
        self._mark(self.failed)

    @property
    def failed(self) -> int | None:
        """The place of the cell that failed, or is being executed."""
        for index, cell in enumerate(self.nb.cells):
            if cell.metadata.get("papermill", {}).get("status") in (self.FAILED, self.RUNNING):
                return index
        return None

    def _mark(self, index: int) -> None:
        count = self.nb.cells[index].execution_count
        top = ERROR_MESSAGE_TEMPLATE % (" " if count is None else count)
        self._recording.add(
            Marked(index, _marker("message", top), _marker("cell", ERROR_ANCHOR_MSG))
        )

    # -- outputs of the current cell, called by the client -----------------------------------------

    def text(self, name: str, text: str) -> None:
        """Take what a cell printed."""
        if self.restoring:
            return
        kept, file = self._limits.text(name, text)
        if kept:
            self._recording.add(Text(self._current, name, kept))
        if file is not None:
            self._recording.add(Spilled(self._current, name, file))

    def show(self, kind: str, content: dict[str, Any], display: str | None) -> None:
        """Take what a cell displayed, or its result."""
        if self.restoring:
            return
        output = self._bundle(kind, content, display)
        if kind == "execute_result":
            output["execution_count"] = content.get("execution_count")
        self._recording.add(Shown(self._current, output, display))

    def update(self, content: dict[str, Any], display: str) -> None:
        """Replace what was displayed, in whichever cell."""
        if not self.restoring and self._recording.displays(display):
            output = self._bundle("display_data", content, display)
            self._recording.add(Shown(None, output, display))

    def error(self, content: dict[str, Any]) -> None:
        """Take an error."""
        if self.restoring:
            self._kept_error = content
            return
        error = {"ename": str(content.get("ename", "")), "evalue": str(content.get("evalue", ""))}
        traceback = [str(line) for line in content.get("traceback") or ()]
        found = {**error, "traceback": self._limits.error(traceback)}
        self._errors[self._current] = found
        self._recording.add(Shown(self._current, {"output_type": "error", **found}))

    def clear(self) -> None:
        """Clear the outputs so far."""
        if self.restoring:
            return
        self._limits.cleared()
        self._errors.pop(self._current, None)
        self._recording.add(Cleared(self._current))

    def _bundle(self, kind: str, content: dict[str, Any], display: str | None) -> dict[str, Any]:
        data = {name: _valid(name, item) for name, item in (content.get("data") or {}).items()}
        return {
            "output_type": kind,
            "data": self._limits.bundle(data, display),
            "metadata": content.get("metadata") or {},
        }

    # -- what is written ---------------------------------------------------------------------------

    def _changed(self, cell: Any) -> None:
        if self.restoring:
            return
        count = cell.get("execution_count")
        self._recording.add(CellChanged(self._current, cell.metadata, count))

    def _shown(self) -> dict[str, Any]:
        hidden = self._task.secrets
        return {k: values.MASK if k in hidden else v for k, v in self._task.parameters.items()}

    def _masked(self) -> dict[str, Any]:
        """Return the notebook without the values of secret parameters."""
        nb: dict[str, Any] = self.nb
        if not self._task.secrets:
            return nb
        source = translate_parameters(
            self._task.kernel, self._task.language, self._shown(), "Parameters"
        )
        cells = [{**cell, "source": source} if _is_injected(cell) else cell for cell in nb["cells"]]
        return {**nb, "cells": cells}


def _check_writable(folder: Path) -> None:
    """Notice before a long run that its notebook can never be written."""
    problem = None
    if not folder.is_dir():
        problem = errno.ENOTDIR
    elif not os.access(folder, os.W_OK):
        problem = errno.EACCES
    if problem is not None:
        raise OSError(problem, os.strerror(problem), str(folder))


def _is_injected(cell: nbformat.NotebookNode) -> bool:
    return "injected-parameters" in cell.metadata.get("tags", [])


def _is_exit(error: dict[str, Any]) -> bool:
    """Whether a cell ended the notebook with success."""
    return error["ename"] == "SystemExit" and error["evalue"] in ("", "0")


def _marker(name: str, text: str) -> nbformat.NotebookNode:
    cell: nbformat.NotebookNode = new_markdown_cell(text, id=f"papermill-error-{name}")
    cell.metadata["tags"] = [ERROR_MARKER_TAG]
    return cell


def _valid(kind: str, item: Any) -> Any:
    """Return an item of a mime bundle as the format of notebooks demands it."""
    is_json = kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
    if is_json or isinstance(item, str):
        return item
    if isinstance(item, list) and all(isinstance(line, str) for line in item):
        return item
    return msgspec.json.encode(item).decode()
