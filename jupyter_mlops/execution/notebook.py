"""Executing one notebook with papermill's parts, in this process."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ..core.executors import Outcome, Progress, Task
from ..core.runs import Reason, Status
from .client import Client, KernelGone
from .control import Control
from .kernels import Reserved
from .kernelspecs import kernel_names
from .output import OutputNotebook, Stopped
from .shared_cells import mark_shared
from .warm import Source

#: Seconds after a kernel's death in which we may be told why it had to die.
_RUMOUR = 0.2


def execute(
    task: Task,
    control: Control,
    report: Callable[[Progress], None],
    source: Source,
    reserved: Reserved | None = None,
) -> Outcome:
    """Execute a task, leave its output notebook, and say how it ended. Raises nothing.

    The kernel is the one that is ``reserved``, or else it comes from ``source``.
    """
    began = time.monotonic()
    failure: dict[str, Any] = {}
    output: OutputNotebook | None = None
    try:
        output = OutputNotebook(_prepare(task), task)
        client = Client(output, task, control, report, source, reserved)
        _run(client, output, task, control)
    except Exception as error:  # noqa: BLE001 - the top of an attempt: every fault is an outcome
        failure = _explain(error, output, control, task)
        if output is not None and not isinstance(error, PapermillExecutionError):
            output.explain(failure.get("error"))
    control.end()
    written = False
    if output is not None:
        try:
            output.finish()
            written = True
        except OSError as error:
            failure = failure or _explain(error, output, control, task)
    outcome: dict[str, Any] = {"status": Status.SUCCEEDED, **failure}
    if control.usage is not None:
        outcome |= {
            "peak_memory": control.usage.peak_memory,
            "cpu_time": control.usage.cpu_time,
        }
    return Outcome(
        duration=time.monotonic() - began,
        has_output=written,
        cell_times=tuple(output.cell_times) if output is not None else (),
        **outcome,
    )


def _prepare(task: Task) -> nbformat.NotebookNode:
    nb: nbformat.NotebookNode = load_notebook_node(str(task.snapshot))
    mark_shared(nb, task.shared)
    if task.parameters:
        nb = parameterize_notebook(
            nb, task.parameters, kernel_name=task.kernel, language=task.language
        )
    remove_error_markers(nb)
    return nb


def _run(client: Client, output: OutputNotebook, task: Task, control: Control) -> None:
    output.notebook_start()
    try:
        try:
            with task.log.open("ab") as log:
                client.execute(env=task.environment, stdout=log, stderr=log)
        except DeadKernelError:
            # A template ends its kernels as the worker is gone, of which we are just being told.
            control.told.wait(_RUMOUR)
            control.exit_code, control.abandoned = client.exit_code, client.abandoned
            raise
    finally:
        output.notebook_complete()
    if control.stop is not None:
        raise Stopped  # the last cell may have caught the interrupt
    output.raise_for_errors()


def _explain(
    error: Exception, output: OutputNotebook | None, control: Control, task: Task
) -> dict[str, Any]:
    """Return status, reason, one line and the cell of a failure."""
    if control.stop is Reason.USER:
        return {"status": Status.CANCELLED, "reason": Reason.USER}
    reason, line = (control.stop, control.line) if control.stop else _reason(error, task, control)
    return {
        "status": Status.FAILED,
        "reason": reason,
        "error": line[:500],
        "failed_cell": _current_cell(output) or (control.stop and control.cell),
    }


def _reason(error: Exception, task: Task, control: Control) -> tuple[Reason, str]:
    match error:
        case PapermillExecutionError():
            line = f"{error.ename}: {_first_line(error.evalue)}" if error.evalue else error.ename
            return Reason.ERROR, line
        case DeadKernelError():
            return _death(control)
        case NoSuchKernel():
            line = f"The kernel {task.kernel} is no longer installed (installed: {_kernels()})."
            return Reason.KERNEL_MISSING, line
        case KernelGone():
            line = f"The kernel {task.kernel} cannot be started: {error}."
            return Reason.KERNEL_MISSING, f"{line} Installed kernels: {_kernels()}."
        case OSError():
            what = f"{error.strerror or error}: {error.filename or task.output}"
            return Reason.DISK_FULL, f"The output cannot be written: {what}"
        case _:
            return Reason.INTERNAL, f"{type(error).__name__}: {_first_line(str(error))}"


def _death(control: Control) -> tuple[Reason, str]:
    if control.abandoned:
        return Reason.LOST, "The process that its kernel was forked from ended unexpectedly."
    return Reason.KERNEL_DIED, f"The kernel died ({_end_of_kernel(control.exit_code)})."


def _end_of_kernel(code: int | None) -> str:
    """Say how a kernel ended by itself."""
    if code == -signal.SIGKILL:
        return "signal 9; maybe out of memory"
    if code is not None and code < 0:
        return f"signal {-code}, a crash"
    return "by itself" if code is None else f"by itself, exit code {code}"


def _kernels() -> str:
    return ", ".join(kernel_names()) or "none"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _current_cell(output: OutputNotebook | None) -> int | None:
    """Return the number of the code cell that failed or was being executed."""
    if output is None or output.failed is None:
        return None
    return output.numbers.get(output.failed)
