"""Kernels to run cells in, with all their messages kept."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

Message = dict[str, Any]


@dataclass
class Cell:
    """What a cell has sent."""

    messages: list[Message] = field(default_factory=list)

    def content(self, *kinds: str) -> list[Message]:
        """The contents of the messages of some kinds, in order."""
        return [each["content"] for each in self.messages if each["msg_type"] in kinds]

    def displays(self) -> list[Message]:
        """Displays and their updates."""
        return self.content("display_data", "update_display_data")

    @property
    def text(self) -> str:
        """What was printed."""
        return "".join(each["text"] for each in self.content("stream"))

    @property
    def result(self) -> Message:
        """The representations of the cell's value; empty if it has none."""
        found = self.content("execute_result")
        return found[0]["data"] if found else {}

    @property
    def error(self) -> Message | None:
        """The exception, if the cell failed."""
        found = self.content("error")
        return found[0] if found else None


class Kernel:
    """A running kernel."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager = manager
        self._client = client

    def start(self, code: str) -> str:
        """Begin to execute a cell; return what `finish` asks for."""
        request: str = self._client.execute(code)
        return request

    def finish(self, request: str, *, interrupt_at: str | None = None) -> Cell:
        """Wait for the end of a cell; press Stop as soon as a text appears in a message."""
        cell = Cell()
        deadline = time.monotonic() + 90
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"The cell did not end: {cell.messages}") from None
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return cell
            cell.messages.append(message)
            if interrupt_at is not None and interrupt_at in str(content.get("data")):
                self._manager.interrupt_kernel()
                interrupt_at = None

    def run(self, code: str, *, interrupt_at: str | None = None) -> Cell:
        """Execute a cell."""
        return self.finish(self.start(code), interrupt_at=interrupt_at)


@contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    """Start a kernel in a folder."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
