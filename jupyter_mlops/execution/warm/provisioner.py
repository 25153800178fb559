"""A kernel provisioner that takes kernels from a template, where there is one.

Without one, or for a kernel that it does not serve, kernels are started as usual.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from nbclient.exceptions import DeadKernelError
from traitlets import Unicode

from .mlops_template.channel import receive, send

#: Seconds that a template may take to hand out a kernel.
PATIENCE = 30.0


class TemplateProvisioner(LocalProvisioner):
    """Takes a kernel from the template that listens on a Unix socket."""

    template = Unicode(
        "",
        config=True,
        help="Path of the socket of a template process. Without it kernels are started cold.",
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._connection: socket.socket | None = None
        self._pid = 0
        self._taken = False
        self._exit_code: int | None = None
        #: Whether the template has ended, which takes its kernels along.
        self.abandoned = False
        #: Why the kernel was started cold although there is a template.
        self.problem: str | None = None

    @property
    def warm(self) -> bool:
        """Whether the kernel came from a template."""
        return self._connection is not None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel; one that is reserved is not ours yet."""
        return (self.warm and self._taken) or super().has_process

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Take a kernel from the template, or prepare to start one."""
        if self.template:
            try:
                return await self._take(**kwargs)
            except (OSError, ValueError) as error:
                self.problem = f"its template does not answer: {error}"
        return await super().pre_launch(**kwargs)

    async def reserve(self) -> None:
        """Get hold of a kernel that waits for its attempt. Raises `OSError`."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(self.template)
            send(connection, {})
            async with asyncio.timeout(PATIENCE):
                await _readable(connection)
            reply = receive(connection)
        except BaseException:
            connection.close()
            raise
        if reply is None:
            connection.close()
            raise ConnectionError("it has ended")
        connection.setblocking(False)
        self._connection = connection
        self.pid = self.pgid = self._pid = reply[0]["pid"]
        self.connection_info = _decoded(reply[0]["connection"])

    async def _take(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.pop("extra_arguments", None)
        # Applies what the kernelspec says of the environment.
        kwargs = await KernelProvisionerBase.pre_launch(self, cmd=[], **kwargs)
        environment = {**kwargs["env"], "JPY_PARENT_PID": str(os.getpid())}
        environment.pop("PYTHONEXECUTABLE", None)
        log = kwargs.get("stdout")
        descriptors = [log if isinstance(log, int) else log.fileno()] if log else []
        request = {"cwd": str(kwargs.get("cwd") or Path.cwd()), "environment": environment}
        reserved = self._connection is not None
        if not reserved:
            await self.reserve()
        try:
            self._send(request, *descriptors)
        except OSError:
            self.give_back()
            if reserved:
                # Whoever reserved it is connected to it already.
                raise DeadKernelError("The kernel ended while it waited.") from None
            raise
        self._taken = True
        return kwargs

    def _send(self, request: dict[str, Any], *descriptors: int) -> None:
        if self._connection is not None:
            self._connection.settimeout(PATIENCE)
            send(self._connection, request, *descriptors)
            self._connection.setblocking(False)

    def give_back(self) -> None:
        """Let go of a kernel, which ends it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Return how to reach the kernel that was taken, or start one."""
        if self.warm:
            return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def poll(self) -> int | None:
        """Return the exit code of the kernel, or None while it runs."""
        if self._connection is None:
            return await super().poll()
        if self._exit_code is None:
            with suppress(BlockingIOError):
                code = _read_exit(self._connection)
                self.abandoned = code is None
                self._exit_code = -signal.SIGKILL if code is None else code
        return self._exit_code

    async def wait(self) -> int | None:
        """Wait for the kernel's end and return its exit code."""
        if self._connection is None:
            return await super().wait()
        await self.watch()
        self._connection.close()
        self._connection = None
        return self._exit_code

    async def watch(self) -> None:
        """Return when a kernel that came from a template has ended."""
        while self._connection is not None and await self.poll() is None:
            await _readable(self._connection)

    async def ended(self) -> int | None:
        """Return the exit code of a kernel that is known to have ended; None if nobody tells."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.watch()
        return await self.poll()

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group."""
        if self._connection is None:
            await super().send_signal(signum)
        elif await self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signum)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once."""
        if self._connection is None:
            await super().kill(restart)
        else:
            await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        if self._connection is None:
            await super().terminate(restart)
        else:
            await self.send_signal(signal.SIGTERM)


def _read_exit(connection: socket.socket) -> int | None:
    """Return what the template says of the kernel's end; None if it has ended itself.

    Raises `BlockingIOError` before that.
    """
    connection.recv(1, socket.MSG_PEEK)
    connection.settimeout(PATIENCE)
    message = receive(connection)
    connection.setblocking(False)
    return int(message[0]["exit"]) if message else None


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(connection)


def _decoded(connection: dict[str, Any]) -> KernelConnectionInfo:
    key = connection.pop("key")
    return cast("KernelConnectionInfo", {**connection, "key": key.encode("ascii")})
