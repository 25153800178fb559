"""A forked process on its way to being the kernel of an attempt."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import random
import sys
import threading
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ipykernel_launcher
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.application import BaseIPythonApplication
from traitlets.config import Config

from .channel import die_with_parent, receive, send
from .flow import bound, wait_for_the_reader
from .preload import Prepared
from .reads import reads
from .serving import Fork
from .sharing import Shared

#: What all streams derive from, in C: `io.IOBase` itself would ask every class registered with it.
_STREAM: Any = io.IOBase.__base__


def reseed(generators: list[random.Random]) -> None:
    """Give this process random numbers of its own. `random` itself sees to it at each fork."""
    for each in generators:
        each.seed()
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy_random.seed()
    if (torch := sys.modules.get("torch")) is not None:
        torch.seed()
    if (processes := sys.modules.get("multiprocessing.process")) is not None:
        processes.current_process().authkey = os.urandom(32)


class Kernel(IPKernelApp):
    """An ipykernel that gets ready before it knows the attempt that it will serve."""

    #: What is done once, and not again in a fork.
    _configured = False
    #: The environment before the shell has changed it.
    environment: dict[str, str]
    #: Called when all is ready that does not depend on the attempt.
    when_ready: Callable[[], None]

    def make_kernel(self, user_ns: dict[str, Any] | None) -> None:
        """Make, in the template, the kernel that forks connect; ``user_ns`` are its globals."""
        self.environment = dict(os.environ)
        self.user_ns = user_ns
        # Libraries know by this section of the configuration that they are in a kernel.
        self.update_config(Config(IPKernelApp={"connection_file": ""}))
        if issubclass(self.kernel_class, IPythonKernel):
            self.kernel_class.instance(
                parent=self, log=self.log, profile_dir=self.profile_dir, user_ns=user_ns
            )

    def configure(self, arguments: list[str]) -> None:
        """Read the options and the user's configuration files, and do nothing else."""
        self.arguments = arguments
        BaseIPythonApplication.initialize(self, arguments)
        self._configured = True

    def parse_command_line(self, argv: Any = None) -> None:
        """Read the options, once."""
        if not self._configured:
            super().parse_command_line(argv)

    def init_crash_handler(self) -> None:
        """Do so once."""
        if not self._configured:
            super().init_crash_handler()

    def init_profile_dir(self) -> None:
        """Do so once."""
        if not self._configured:
            super().init_profile_dir()

    def init_config_files(self) -> None:
        """Do so once."""
        if not self._configured:
            super().init_config_files()

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Do so once."""
        if not self._configured:
            super().load_config_file(*args, **kwargs)

    def init_poller(self) -> None:
        """Do nothing: the system ends this process with its parent."""

    def init_heartbeat(self) -> None:
        """Do nothing: who uses the kernel is told of its end by the template."""

    def init_kernel(self) -> None:
        """Connect the kernel that the template has made."""
        kernel_class: Any = self.kernel_class
        if kernel_class.initialized():
            # `super` asks it for the kernel, and alone has the streams.
            connect = {"instance": staticmethod(partial(_connect, kernel_class.instance()))}
            self.kernel_class = type(kernel_class.__name__, (kernel_class,), connect)
        super().init_kernel()
        self.kernel_class = kernel_class

    def init_gui_pylab(self) -> None:
        """Wait for the attempt; the user's start-up files are read next."""
        self.when_ready()
        super().init_gui_pylab()

    def start(self) -> None:
        """Serve, and end as Python does, but without taking every object apart."""
        super().start()
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
        # Our sockets may go with the process.
        atexit.unregister(self.close)
        atexit._run_exitfuncs()  # noqa: SLF001 - no other way
        for each in gc.get_objects():
            if isinstance(each, _STREAM):
                with contextlib.suppress(OSError, ValueError):
                    each.flush()
        os._exit(0)


def _connect(kernel: Any, **traits: Any) -> Any:
    """Give a kernel its sockets and streams, as it takes them over itself when it is made."""
    for name, value in traits.items():
        if getattr(kernel, name, None) is not value:
            setattr(kernel, name, value)
    kernel.ident = str(uuid.uuid4())
    kernel._stdout, kernel._stderr = sys.stdout, sys.stderr  # noqa: SLF001 - no other way
    hook, publisher = kernel.shell.displayhook, kernel.shell.display_pub
    for each in (hook, publisher):
        each.session, each.pub_socket = kernel.session, kernel.iopub_socket
    hook.topic = kernel._topic("execute_result")  # noqa: SLF001 - no other way
    return kernel


def become_kernel(app: Kernel, fork: Fork, prepared: Prepared, shared: Shared | None) -> None:
    """Get ready as a kernel, wait for the attempt that needs one, and serve it to its end."""
    die_with_parent()
    if os.getppid() != fork.template:
        os._exit(1)
    if shared is None or not shared.seeded:
        reseed(prepared.generators)
    folder = Path(fork.folder)
    folder.mkdir(mode=0o700)
    file = folder / "kernel.json"

    def wait_for_the_attempt() -> None:
        prepared.out.lead_to(sys.stdout)
        prepared.err.lead_to(sys.stderr)
        wait_for_the_reader()
        send(fork.channel, {"connection": json.loads(file.read_bytes())})
        request = receive(fork.channel)
        if request is None:
            os._exit(0)
        fork.channel.close()
        _adopt(*request, app.environment)

    sys.argv = [ipykernel_launcher.__file__, "-f", str(file), *app.arguments]
    app.transport, app.ip = "ipc", str(folder / "s")
    app.config.IPKernelApp.connection_file = app.connection_file = str(file)
    app.parent_handle = fork.template
    app.when_ready = wait_for_the_attempt
    bound()
    app.initialize()
    if shared is not None:
        shared.take_over(app.shell)
    app.start()


def _changes(before: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def _adopt(request: dict[str, Any], descriptors: list[int], before: dict[str, str]) -> None:
    """Take over the attempt's folder, environment and log."""
    # What ipykernel and IPython have set since the fork stands above what the attempt brings.
    environment = {**request["environment"], **_changes(before)}
    for name in [each for each in os.environ if each not in environment]:
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    os.chdir(request["cwd"])
    reads.begin()
    for log in descriptors:
        for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
            # ipykernel watches the descriptor itself and keeps a copy of where it led to.
            os.dup2(log, getattr(stream, "_original_stdstream_copy", number))
        os.close(log)
