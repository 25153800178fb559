"""The life of a notebook's kernel: taken from a template or started, ready, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from nbclient.exceptions import DeadKernelError
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient

from .warm import Source
from .warm.provisioner import TemplateProvisioner

#: Seconds that a kernel may take until it answers for the first time.
START_TIMEOUT = 120.0

#: Seconds that a kernel may take to end by itself: jupyter_client's default.
END_TIMEOUT = 5.0


class _Manager(AsyncKernelManager):
    """A manager without the socket for polite requests to end: our client has one."""

    def _connect_control_socket(self) -> None:
        pass


class Reserved:
    """A warm kernel that waits for its attempt, and to which we are connected."""

    def __init__(self, kernel: str, template: Path) -> None:
        """Reserve one for the kernelspec ``kernel``.

        Raises `OSError` if there is none, and `DeadKernelError` if it ends at once.
        """
        self._suits = (kernel, template)
        self.manager: Any = _Manager(kernel_name=kernel)
        _provision(self.manager, template)
        self.client: Any = None
        try:
            run_sync(self._connect)()
        except BaseException:
            self.release()
            raise

    async def _connect(self) -> None:
        provisioner = self.manager.provisioner
        await provisioner.reserve()
        self.manager.load_connection_info(provisioner.connection_info)
        self.client = self.manager.client()
        self.client.start_channels(stdin=False, hb=False)
        await _until(_subscribed(self.client), provisioner, START_TIMEOUT)

    def suits(self, kernel: str, source: Source) -> bool:
        """Whether it is what an attempt with that kernelspec needs, and lives."""
        living = run_sync(self.manager.provisioner.poll)() is None
        return living and self._suits == (kernel, source.template)

    def release(self) -> None:
        """Let go of it, which ends it."""
        self.manager.provisioner.give_back()
        if self.client is not None:
            self.client.stop_channels()
        run_sync(self.manager.cleanup_resources)()


def _provision(manager: Any, template: Path | None) -> None:
    """Let a manager's kernel come from a template, if there is one."""
    manager.kernel_id = f"{os.getpid()}-{time.monotonic_ns()}"
    manager.provisioner = TemplateProvisioner(
        kernel_id=manager.kernel_id,
        kernel_spec=manager.kernel_spec,
        parent=manager,
        template=str(template or ""),
    )


async def _until(
    answer: Coroutine[Any, Any, None], provisioner: TemplateProvisioner, patience: float
) -> None:
    """Wait for an answer of a warm kernel. Raises `DeadKernelError` if none comes."""
    answering = asyncio.create_task(answer)
    end = asyncio.create_task(provisioner.watch())
    await asyncio.wait([answering, end], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    answered, ended = answering.done(), end.done()
    for each in (answering, end):
        each.cancel()
    await asyncio.gather(answering, end, return_exceptions=True)
    if not answered:
        waited = "it ended" if ended else f"{patience:g} s had passed"
        raise DeadKernelError(f"The kernel had not answered when {waited}.")


async def _subscribed(client: Any) -> None:
    """Return when our subscription to a kernel's outputs is in place (JEP 65)."""
    while (await client.get_iopub_msg())["msg_type"] != "iopub_welcome":
        pass


class KernelClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client with kernels that may be warm, and that end without a pause."""

    def __init__(
        self, *args: Any, source: Source, reserved: Reserved | None = None, **kwargs: Any
    ) -> None:
        super().__init__(
            *args,
            **{"startup_timeout": START_TIMEOUT, "kernel_manager_class": _Manager, **kwargs},
        )
        #: What the kernel says of its language, once that is known.
        self.language_info: dict[str, Any] | None = None
        #: How a kernel that has died ended: its exit code, negative for a signal.
        self.exit_code: int | None = None
        #: Whether it had to end with its template.
        self.abandoned = False
        self._source = source
        self._reserved = reserved
        self.km: Any

    def create_kernel_manager(self) -> Any:
        """Return a manager whose provisioner asks the template, if there is one."""
        if self._reserved is not None:
            return self._reserved.manager
        manager = super().create_kernel_manager()
        if "kernel_provisioner" not in manager.kernel_spec.metadata:
            _provision(manager, self._source.template)
        return manager

    @property
    def warm(self) -> bool:
        """Whether the kernel came from a template."""
        return _is_warm(self.km.provisioner)

    def how_started(self) -> str:
        """Return ``warm`` or ``cold``, and in brackets why, or why nothing is shared."""
        provisioner = self.km.provisioner
        start = "warm" if self.warm else "cold"
        reason = getattr(provisioner, "problem", None) or self._source.reason
        return f"{start} ({reason})" if reason else start

    def execute(self, **kwargs: Any) -> Any:
        """Execute the notebook; ``kwargs`` are for the start of the kernel."""
        self.reset_execution_trackers()
        with self.setup_kernel(**kwargs):
            self.papermill_execute_cells()
            info = self.language_info or self._ask_language()
            self.nb.metadata["language_info"] = info
            self.set_widgets_metadata()
        return self.nb

    def _ask_language(self) -> dict[str, Any]:
        reply = self.wait_for_reply(self.kc.kernel_info())
        info: dict[str, Any] = reply["content"]["language_info"]
        return info

    async def async_start_new_kernel_client(self) -> Any:
        """Connect to the kernel and return when it answers."""
        if not self.warm:
            try:
                return await super().async_start_new_kernel_client()
            except RuntimeError as error:
                raise DeadKernelError(f"{error}.") from error
        if self._reserved is not None:
            self.kc = self._reserved.client
        else:
            self.kc = self.km.client()
            self.kc.start_channels(stdin=False, hb=False)
        try:
            await self._until_ready()
        except DeadKernelError:
            await self.async_note_end()
            await self._async_cleanup_kernel()
            raise
        return self.kc

    #: The client calls it by this name.
    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    async def _until_ready(self) -> None:
        """Wait until our subscription to the outputs is in place, and the kernel answers.

        Unlike jupyter_client's wait it needs no pause in which nothing comes.
        """
        await _until(self._answer(), self.km.provisioner, self.startup_timeout)

    async def _answer(self) -> None:
        request = self.kc.kernel_info()
        if self._reserved is None:
            await _subscribed(self.kc)
        reply: dict[str, Any] = {"parent_header": {}}
        while reply["parent_header"].get("msg_id") != request:
            reply = await self.kc.get_shell_msg()
        self.language_info = reply["content"]["language_info"]

    async def async_note_end(self) -> None:
        """Take note of how a kernel that has died ended, as far as that is known."""
        provisioner = self.km.provisioner
        if isinstance(provisioner, TemplateProvisioner):
            self.exit_code = await provisioner.ended()
            self.abandoned = provisioner.abandoned
        else:
            self.exit_code = await provisioner.poll()

    note_end = run_sync(async_note_end)

    async def _async_cleanup_kernel(self) -> None:
        """Let the kernel end by itself, so that open files are written, or else kill it."""
        manager, client = self.km, self.kc
        if manager is None:
            return
        provisioner = manager.provisioner
        try:
            if client is not None and await provisioner.poll() is None:
                client.shutdown()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(END_TIMEOUT):
                        await provisioner.wait()
            if provisioner.has_process:
                await provisioner.kill()
                await provisioner.wait()
        finally:
            await manager.cleanup_resources()
            if client is not None:
                client.stop_channels()
            self.kc = self.km = None

    _cleanup_kernel = run_sync(_async_cleanup_kernel)


def _is_warm(provisioner: KernelProvisionerBase) -> bool:
    return isinstance(provisioner, TemplateProvisioner) and provisioner.warm
