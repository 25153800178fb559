"""The output notebook: papermill's bookkeeping of cells, written aside and renamed."""

from __future__ import annotations

import copy
import sys
import time
from typing import Any

import nbformat
from papermill.engines import NotebookExecutionManager
from papermill.translators import translate_parameters

from ..core import values
from ..core.ports import Task
from .files import write_atomically

#: Seconds between two writings while the notebook runs.
SAVE_EVERY = 5.0


class Stopped(Exception):
    """The attempt was told to stop between two cells."""


class OutputNotebook(NotebookExecutionManager):  # type: ignore[misc]
    """The notebook under execution. A reader of its file always finds a whole notebook."""

    def __init__(self, nb: nbformat.NotebookNode, task: Task) -> None:
        super().__init__(nb, output_path=str(task.output), progress_bar=False)
        self._task = task
        self._saved = -SAVE_EVERY
        nb.metadata.papermill["input_path"] = task.source
        nb.metadata.papermill["output_path"] = str(task.output)
        nb.metadata.papermill["parameters"] = values.encode(self._shown())

    def cell_complete(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Record that a cell has ended: not well if an exception is under way."""
        error = sys.exc_info()[1]
        if isinstance(error, Stopped):
            cell.metadata.papermill.update(status=self.PENDING, start_time=None, exception=None)
            return
        if error is not None:
            self.cell_exception(cell, cell_index, exception=error)
        super().cell_complete(cell, cell_index, **kwargs)

    def notebook_complete(self, **kwargs: Any) -> None:
        """Finish the metadata. Cells that were not executed stay pending."""
        pending = [c for c in self.nb.cells if c.metadata.papermill["status"] == self.PENDING]
        super().notebook_complete(**kwargs)
        for cell in pending:
            cell.metadata.papermill["status"] = self.PENDING

    def save(self, *, now: bool = False, **kwargs: Any) -> None:
        """Write the file if that is due, or ``now``. Raises `OSError`."""
        if now or time.monotonic() - self._saved >= SAVE_EVERY:
            text = nbformat.writes(self._masked())
            write_atomically(self._task.output, text.encode("utf-8"))
            self._saved = time.monotonic()

    def _shown(self) -> dict[str, Any]:
        hidden = self._task.secrets
        return {k: values.MASK if k in hidden else v for k, v in self._task.parameters.items()}

    def _masked(self) -> nbformat.NotebookNode:
        """Return the notebook without the values of secret parameters."""
        nb: nbformat.NotebookNode = self.nb
        if not self._task.secrets:
            return nb
        source = translate_parameters(
            self._task.kernel, self._task.language, self._shown(), "Parameters"
        )
        shown = copy.copy(nb)
        shown["cells"] = [
            nbformat.from_dict({**cell, "source": source}) if _is_injected(cell) else cell
            for cell in nb.cells
        ]
        return shown


def _is_injected(cell: nbformat.NotebookNode) -> bool:
    return "injected-parameters" in cell.metadata.get("tags", [])
