"""Executing one notebook with papermill's parts, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import raise_for_execution_errors, remove_error_markers
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ..core.ports import Outcome, Progress, Task
from ..core.runs import Reason, Status
from .client import Client, Control
from .output import OutputNotebook
from .warm import Source


def execute(
    task: Task, control: Control, report: Callable[[Progress], None], source: Source
) -> Outcome:
    """Execute a task, leave its output notebook, and say how it ended. Raises nothing."""
    began = time.monotonic()
    failure: dict[str, Any] = {}
    output: OutputNotebook | None = None
    try:
        output = OutputNotebook(_prepare(task), task)
        output.save(now=True)
        _run(output, task, control, report, source)
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
    output: OutputNotebook,
    task: Task,
    control: Control,
    report: Callable[[Progress], None],
    source: Source,
) -> None:
    client = Client(output, task, control, report, source)
    output.notebook_start()
    try:
        with task.log.open("ab") as log:
            client.execute(env=task.environment, stdout=log, stderr=log)
    finally:
        output.notebook_complete()
    raise_for_execution_errors(output.nb, None)


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
