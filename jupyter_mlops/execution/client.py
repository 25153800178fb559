"""papermill's client, which also reports progress and can be told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import nbformat
import psutil
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbclient.output_widget import OutputWidget
from nbclient.util import run_sync

from ..core.executors import CellFinished, CellStarted, KernelStarted, OutputTail, Progress, Task
from ..core.stages import ErrorRule
from .control import Control
from .exchange import Exchange, Message
from .kernels import START_TIMEOUT, KernelClient, Reserved
from .metrics import MetricsReader
from .output import OutputNotebook, Stopped
from .processes import descendants, has_forked, identify
from .shared_cells import SharedResult, read_results, result_of
from .tail import Tail
from .usage import measure
from .warm import Source


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
        reserved: Reserved | None = None,
    ) -> None:
        super().__init__(
            output,
            source=source,
            reserved=reserved,
            kernel_name=task.kernel,
            timeout=None,
            startup_timeout=task.start_timeout or START_TIMEOUT,
            resources={"metadata": {"path": str(task.cwd)}},
        )
        self._control = control
        self._report = report
        self._output = output
        self._metrics = MetricsReader()
        self._goes_on = task.errors is ErrorRule.NONE
        #: What shared cells have put out, if the kernel has what they made.
        self._shared: dict[int, SharedResult] = {}
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
        except DeadKernelError:
            self.abandoned = True
            raise
        try:
            self._control.kernel = identify(self.km.provisioner.pid)
            if self.warm:
                self._shared = read_results(self._source.shared)
        except (psutil.NoSuchProcess, FileNotFoundError):
            await self.async_note_end()
            await self._async_cleanup_kernel()
            raise DeadKernelError("The kernel ended at once.") from None
        how, cells = self.how_started(), len(self._output.numbers)
        self._report(KernelStarted(process=self._control.kernel, start=how, cells=cells))

    #: The client starts its kernel by this name.
    start_new_kernel = run_sync(async_start_new_kernel)

    def papermill_execute_cells(self) -> None:
        """Execute all cells, and remember what they leave running."""
        kernel = self._control.kernel
        argv = self.km.kernel_spec.argv
        bounded = any("ipykernel" in each for each in argv)
        exchange = Exchange(self.kc, kernel.pid if kernel else 0, self._async_check_alive)
        if bounded:
            exchange.bound(self.how_started() == "warm")
            if not self.warm:
                exchange.watch_reads()
        try:
            run_sync(self._execute_cells)(exchange)
        except DeadKernelError:
            self.note_end()
            raise
        finally:
            exchange.close()
            if kernel is not None:
                self._control.usage = measure(kernel)
                self._control.forked = has_forked(kernel)
                self._control.children = descendants(kernel) if self._control.forked else ()

    async def _execute_cells(self, exchange: Exchange) -> None:
        for index, cell in enumerate(self.nb.cells):
            self._output.cell_start(cell, index)
            try:
                if index in self._output.numbers:
                    await self._execute_code(exchange, cell, index)
            except CellExecutionError as error:
                self._output.cell_exception(cell, index, exception=error)
                break
            finally:
                self._output.cell_complete(cell, index)

    async def _execute_code(
        self, exchange: Exchange, cell: nbformat.NotebookNode, index: int
    ) -> None:
        """Execute a code cell unless we were told to stop."""
        if self._control.stop is not None:
            raise Stopped
        self._cell = number = self._output.numbers[index]
        self._report(CellStarted(cell=number))
        self._control.cell_began(number)
        self._tail.begin()
        began = time.monotonic()
        shared = result_of(cell, self._shared)
        try:
            if shared is not None:
                self._take_over(shared, cell)
            elif cell.source.strip() and "skip-execution" not in _tags(cell):
                await self._exchange_messages(exchange, cell, index)
        finally:
            self._control.cell_ended()
            self._tail.tell()
            self._report(CellFinished(cell=number, seconds=time.monotonic() - began))

    async def _exchange_messages(
        self, exchange: Exchange, cell: nbformat.NotebookNode, index: int
    ) -> None:
        cell.metadata["execution"] = {}
        self.clear_before_next_output = False
        raises = self._goes_on or "raises-exception" in _tags(cell)
        reply = await exchange.execute(
            cell.source,
            lambda message: self._handle(message, cell, index),
            self._tail.tick,
            stop_on_error=not raises,
        )
        cell.metadata["execution"]["shell.execute_reply"] = reply["header"]["date"]
        if reply["content"]["status"] == "error" and not raises:
            raise CellExecutionError.from_cell_and_msg(cell, reply["content"])

    # -- what comes from the kernel ----------------------------------------------------------------

    def _handle(self, message: Message, cell: nbformat.NotebookNode, index: int) -> None:
        """Take a message about the current cell."""
        kind, content = message["msg_type"], message["content"]
        timing = cell.metadata["execution"]
        if "execution_count" in content:
            cell["execution_count"] = content["execution_count"]
        if kind == "status":
            timing[f"iopub.status.{content['execution_state']}"] = message["header"]["date"]
        elif kind == "execute_input":
            timing["iopub.execute_input"] = message["header"]["date"]
        elif kind.startswith("comm_"):
            self.handle_comm_msg([], message, index)
        elif hooks := self.output_hook_stack.get(message["parent_header"]["msg_id"]):
            _hand_on(message, hooks[-1], index)
        else:
            self._put_out(kind, content)

    def _take_over(self, shared: SharedResult, cell: nbformat.NotebookNode) -> None:
        """Put out what a cell put out before the kernel was forked."""
        self.clear_before_next_output = False
        cell["execution_count"] = shared.count
        for kind, content in shared.messages:
            self._put_out(kind, content)

    def _put_out(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "clear_output" and content.get("wait"):
            self.clear_before_next_output = True
            return
        new = self.clear_before_next_output and kind != "update_display_data"
        if new or kind == "clear_output":
            self.clear_before_next_output = False
            self._output.clear()
            self._tail.clear()
        if kind == "stream":
            self._output.text(content["name"], content["text"])
            self._tail.add(content["text"])
        elif kind == "error":
            self._output.error(content)
        elif kind in ("display_data", "execute_result", "update_display_data"):
            self._take_metrics(content["data"])
            display = (content.get("transient") or {}).get("display_id")
            if kind != "update_display_data":
                self._output.show(kind, content, display)
            elif display:
                self._output.update(content, display)

    def _take_metrics(self, data: dict[str, Any]) -> None:
        """Take new metric points out of a display, which keeps the last values."""
        logged = self._metrics.take(data)
        if logged is not None and not self._output.restoring:
            self._report(logged)

    def _tell(self, text: str) -> None:
        self._report(OutputTail(cell=self._cell, text=text))


def _tags(cell: nbformat.NotebookNode) -> list[str]:
    tags: list[str] = cell.metadata.get("tags", [])
    return tags


def _hand_on(message: Message, widget: OutputWidget, index: int) -> None:
    """Let an Output widget have what it captures."""
    if message["msg_type"] == "clear_output":
        widget.clear_output([], message, index)
    elif message["msg_type"] != "update_display_data":
        widget.output([], message, None, index)
