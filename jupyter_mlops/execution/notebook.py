"""Executing one notebook with papermill's parts, in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.exceptions import PapermillExecutionError
from papermill.execute import raise_for_execution_errors, remove_error_markers
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ..core import values
from ..core.exceptions import MlopsError
from ..core.ports import CellStarted, KernelStarted, MetricsLogged, Outcome, Progress, Task
from ..core.runs import MetricPoint, ProcessIdentity, Reason, Status
from .output import OutputNotebook, Stopped
from .processes import descendants, identify

#: The display type by which a notebook in any language logs metrics.
METRICS_TYPE = "application/vnd.jupyter-mlops.metrics.v1+json"

#: Seconds that a kernel may take until it answers for the first time.
KERNEL_START_TIMEOUT = 120


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


def execute(task: Task, control: Control, report: Callable[[Progress], None]) -> Outcome:
    """Execute a task, leave its output notebook, and say how it ended. Raises nothing."""
    began = time.monotonic()
    failure: dict[str, Any] = {}
    output: OutputNotebook | None = None
    try:
        output = OutputNotebook(_prepare(task), task)
        output.save(now=True)
        _run(output, task, control, report)
    except Exception as error:  # noqa: BLE001 - the top of an attempt: every fault is an outcome
        failure = _explain(error, output, control, task)
    control.ended.set()
    written = output is not None
    if output is not None:
        try:
            output.save(now=True)
        except OSError as error:
            written = task.output.exists()
            failure = failure or _explain(error, output, control, task)
    duration = time.monotonic() - began
    if not failure:
        return Outcome(status=Status.SUCCEEDED, duration=duration, has_output=written)
    return Outcome(duration=duration, has_output=written, **failure)


def _prepare(task: Task) -> nbformat.NotebookNode:
    nb: nbformat.NotebookNode = load_notebook_node(str(task.snapshot))
    if task.parameters:
        nb = parameterize_notebook(
            nb, task.parameters, kernel_name=task.kernel, language=task.language
        )
    remove_error_markers(nb)
    return nb


def _run(
    output: OutputNotebook, task: Task, control: Control, report: Callable[[Progress], None]
) -> None:
    client = _Client(output, task, control, report)
    output.notebook_start()
    try:
        with task.log.open("ab") as log:
            client.execute(env=task.environment, stdout=log, stderr=log)
    finally:
        output.notebook_complete()
    raise_for_execution_errors(output.nb, None)


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, which also reports progress and takes metrics out of the outputs."""

    def __init__(
        self,
        output: OutputNotebook,
        task: Task,
        control: Control,
        report: Callable[[Progress], None],
    ) -> None:
        super().__init__(
            output,
            kernel_name=task.kernel,
            timeout=None,
            startup_timeout=KERNEL_START_TIMEOUT,
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
        self._report(
            KernelStarted(process=self._control.kernel, start="cold", cells=len(self._numbers))
        )

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


def _explain(
    error: Exception, output: OutputNotebook | None, control: Control, task: Task
) -> dict[str, Any]:
    """Return status, reason, one line and the cell of a failure."""
    if control.stop is Reason.USER:
        return {"status": Status.CANCELLED, "reason": Reason.USER}
    reason, line = _reason(error, control, task)
    return {
        "status": Status.FAILED,
        "reason": reason,
        "error": line[:500],
        "failed_cell": _current_cell(output),
    }


def _reason(error: Exception, control: Control, task: Task) -> tuple[Reason, str]:
    if control.stop is Reason.TIMEOUT:
        return Reason.TIMEOUT, f"It took longer than {task.timeout:g} s."
    match error:
        case PapermillExecutionError():
            line = f"{error.ename}: {_first_line(error.evalue)}" if error.evalue else error.ename
            return Reason.ERROR, line
        case DeadKernelError():
            return Reason.KERNEL_DIED, "The kernel died (out of memory, or a crash)."
        case NoSuchKernel():
            return Reason.KERNEL_MISSING, f"The kernel {task.kernel} is no longer installed."
        case OSError():
            what = f"{error.strerror or error}: {error.filename or task.output}"
            return Reason.DISK_FULL, f"The output cannot be written: {what}"
        case _:
            return Reason.INTERNAL, f"{type(error).__name__}: {_first_line(str(error))}"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _current_cell(output: OutputNotebook | None) -> int | None:
    """Return the number of the code cell that failed or was being executed."""
    if output is None:
        return None
    code = (cell for cell in output.nb.cells if cell.cell_type == "code")
    for number, cell in enumerate(code, start=1):
        if cell.metadata.get("papermill", {}).get("status") in ("failed", "running"):
            return number
    return None
