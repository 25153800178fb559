"""papermill's client, which also reports progress and can be told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import nbformat
from nbclient import NotebookClient
from nbclient.util import run_sync

from ..core import values
from ..core.exceptions import MlopsError
from ..core.ports import (
    CellFinished,
    CellStarted,
    KernelStarted,
    MetricsLogged,
    OutputTail,
    Progress,
    Task,
)
from ..core.runs import MetricPoint
from .control import Control
from .kernels import KernelClient
from .output import OutputNotebook, Stopped
from .processes import descendants, identify
from .tail import Tail
from .warm import Source

#: The display type by which a notebook in any language logs metrics.
METRICS_TYPE = "application/vnd.jupyter-mlops.metrics.v1+json"


class KernelGone(Exception):
    """The program of the kernel, or the folder to start it in, is not there."""


class Client(KernelClient):
    """papermill's client, which reports progress, and whose outputs go into the journal."""

    clear_before_next_output: bool

    def __init__(
        self,
        output: OutputNotebook,
        task: Task,
        control: Control,
        report: Callable[[Progress], None],
        source: Source,
    ) -> None:
        super().__init__(
            output,
            source=source,
            kernel_name=task.kernel,
            timeout=None,
            resources={"metadata": {"path": str(task.cwd)}},
        )
        self._control = control
        self._report = report
        self._output = output
        #: The code cell that is executed, counted from 1.
        self._cell = 0
        secrets = [task.parameters[name] for name in task.secrets if name in task.parameters]
        self._tail = Tail(secrets, self._tell)

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Start a kernel and say who it is."""
        try:
            await super().async_start_new_kernel(**kwargs)
        except (FileNotFoundError, PermissionError) as error:
            raise KernelGone(f"{error.strerror}: {error.filename}") from error
        self._control.kernel = identify(self.km.provisioner.pid)
        how, cells = self.how_started(), len(self._output.numbers)
        self._report(KernelStarted(process=self._control.kernel, start=how, cells=cells))

    #: The client starts its kernel by this name.
    start_new_kernel = run_sync(async_start_new_kernel)

    def papermill_execute_cells(self) -> None:
        """Execute all cells, and remember what they leave running."""
        try:
            super().papermill_execute_cells()
        finally:
            if self._control.kernel is not None:
                self._control.children = descendants(self._control.kernel)

    def execute_cell(self, cell: nbformat.NotebookNode, cell_index: int, **kwargs: Any) -> Any:
        """Execute a cell unless we were told to stop."""
        if self._control.stop is not None:
            raise Stopped
        number = self._output.numbers.get(cell_index)
        if number is None:
            return cell
        self._report(CellStarted(cell=number))
        self._control.cell_began(number)
        self._cell = number
        self._tail.begin()
        began = time.monotonic()
        try:
            return super().execute_cell(cell, cell_index, **kwargs)
        finally:
            self._control.cell_ended()
            self._tail.end()
            self._report(CellFinished(cell=number, seconds=time.monotonic() - began))

    # -- what comes from the kernel ----------------------------------------------------------------

    def process_message(
        self, msg: dict[str, Any], cell: nbformat.NotebookNode, cell_index: int
    ) -> None:
        """Take new metric points out of a display, which keeps the last values."""
        data = msg["content"].get("data")
        payload = data.get(METRICS_TYPE) if isinstance(data, dict) else None
        if isinstance(payload, dict):
            points = read_points(payload.pop("points", None))
            if points:
                self._report(MetricsLogged(points=points))
        NotebookClient.process_message(self, msg, cell, cell_index)

    def output(
        self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> None:
        """Take an output."""
        kind, content = msg["msg_type"], msg["content"]
        hooks = self.output_hook_stack.get(msg["parent_header"].get("msg_id"))
        if hooks:  # it goes into an Output widget
            hooks[-1].output(outs, msg, display_id, cell_index)
            return
        if self.clear_before_next_output:
            self.clear_before_next_output = False
            self._clear()
        if kind == "stream":
            self._output.text(content["name"], content["text"])
            self._tail.add(content["text"])
        elif kind in ("display_data", "execute_result"):
            self._output.show(kind, content, display_id)
        elif kind == "error":
            self._output.error(content)

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Clear the outputs of the current cell, or as soon as the next one comes."""
        hooks = self.output_hook_stack.get(msg["parent_header"].get("msg_id"))
        if hooks:
            hooks[-1].clear_output(outs, msg, cell_index)
        elif msg["content"].get("wait"):
            self.clear_before_next_output = True
        else:
            self._clear()

    def _tell(self, text: str) -> None:
        self._report(OutputTail(cell=self._cell, text=text))

    def _clear(self) -> None:
        self._output.clear()
        self._tail.clear()

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        if msg["msg_type"] == "update_display_data":
            self._output.update(msg["content"], display_id)


def read_points(raw: object) -> tuple[MetricPoint, ...]:
    """Read the points of a metrics message; what is no metric is left out."""
    return tuple(each for item in raw if (each := _point(item))) if isinstance(raw, list) else ()


def _point(item: object) -> MetricPoint | None:
    try:
        return msgspec.convert(values.decode(item), MetricPoint, strict=False)  # type: ignore[arg-type]
    except (msgspec.ValidationError, MlopsError):
        return None
