"""papermill's client, which also reports progress and can be told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import nbformat
from nbclient.util import run_sync

from ..core import values
from ..core.exceptions import MlopsError
from ..core.ports import CellStarted, KernelStarted, MetricsLogged, Progress, Task
from ..core.runs import MetricPoint, ProcessIdentity, Reason
from .kernels import KernelClient
from .output import OutputNotebook, Stopped
from .processes import descendants, identify
from .warm import Source

#: The display type by which a notebook in any language logs metrics.
METRICS_TYPE = "application/vnd.jupyter-mlops.metrics.v1+json"


class Control:
    """What may be asked of an attempt under way, from another thread."""

    def __init__(self) -> None:
        #: Why the attempt must stop; None while it may go on.
        self.stop: Reason | None = None
        #: The kernel, as soon as it runs.
        self.kernel: ProcessIdentity | None = None
        #: The processes that the kernel had started and that still ran when it had done its work.
        self.children: tuple[ProcessIdentity, ...] = ()
        #: Set when the notebook has ended, whichever way.
        self.ended = threading.Event()


class Client(KernelClient):
    """papermill's client, which also reports progress and takes metrics out of the outputs."""

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
        code = (cell for cell in output.nb.cells if cell.cell_type == "code")
        self._numbers = {id(cell): number for number, cell in enumerate(code, start=1)}

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Start a kernel and say who it is."""
        await super().async_start_new_kernel(**kwargs)
        self._control.kernel = identify(self.km.provisioner.pid)
        how, cells = self.how_started(), len(self._numbers)
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
        if number := self._numbers.get(id(cell)):
            self._report(CellStarted(cell=number))
        return super().execute_cell(cell, cell_index, **kwargs)

    def process_message(self, msg: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Take new metric points out of a display, which keeps the last values."""
        data = msg["content"].get("data")
        payload = data.get(METRICS_TYPE) if isinstance(data, dict) else None
        if isinstance(payload, dict):
            points = read_points(payload.pop("points", None))
            if points:
                self._report(MetricsLogged(points=points))
        return super().process_message(msg, *args, **kwargs)


def read_points(raw: object) -> tuple[MetricPoint, ...]:
    """Read the points of a metrics message; what is no metric is left out."""
    return tuple(each for item in raw if (each := _point(item))) if isinstance(raw, list) else ()


def _point(item: object) -> MetricPoint | None:
    try:
        return msgspec.convert(values.decode(item), MetricPoint, strict=False)  # type: ignore[arg-type]
    except (msgspec.ValidationError, MlopsError):
        return None
