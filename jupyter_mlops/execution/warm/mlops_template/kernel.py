"""A forked process on its way to being the kernel of an attempt."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import random
import signal
import socket
import sys
import threading
from typing import Any

from .channel import receive, send
from .preload import Prepared

#: From sys/prctl.h: the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1


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


def become_kernel(
    template: int, channel: socket.socket, folder: str, arguments: list[str], prepared: Prepared
) -> None:
    """Get ready as a kernel, wait for the attempt that needs one, and serve it to its end."""
    _die_with(template)
    reseed(prepared.generators)
    import ipykernel_launcher
    from ipykernel.kernelapp import IPKernelApp

    class Kernel(IPKernelApp):  # type: ignore[misc]
        """An ipykernel that is ready but for what depends on the attempt."""

        def init_poller(self) -> None:
            """The system ends this process with its parent."""

        def init_gui_pylab(self) -> None:
            """Wait for the attempt before the user's start-up files are read."""
            prepared.out.lead_to(sys.stdout)
            prepared.err.lead_to(sys.stderr)
            with open(connection_file, encoding="utf-8") as file:
                send(channel, {"connection": json.load(file)})
            request = receive(channel)
            if request is None:
                os._exit(0)
            channel.close()
            _adopt(*request)
            super().init_gui_pylab()

        def start(self) -> None:
            """Serve, and end as Python does, but without taking every object apart."""
            super().start()
            threading._shutdown()  # type: ignore[attr-defined]
            # Our sockets may go with the process.
            atexit.unregister(self.close)
            atexit._run_exitfuncs()
            for each in gc.get_objects():
                if isinstance(each, io.IOBase):
                    with contextlib.suppress(OSError, ValueError):
                        each.flush()
            os._exit(0)

    os.mkdir(folder, 0o700)
    connection_file = os.path.join(folder, "kernel.json")
    sys.argv = [ipykernel_launcher.__file__, "-f", connection_file, *arguments]
    app = Kernel.instance(transport="ipc", ip=os.path.join(folder, "s"), parent_handle=template)
    app.initialize()
    app.start()


def _die_with(template: int) -> None:
    """Let the system kill this process when the template dies. Linux only."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != template:
        os._exit(1)


def _adopt(request: dict[str, Any], descriptors: list[int]) -> None:
    """Take over the attempt's folder, environment and log."""
    environment = request["environment"]
    for name in [each for each in os.environ if each not in environment]:
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    os.chdir(request["cwd"])
    for log in descriptors:
        for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
            # ipykernel watches the descriptor itself and keeps a copy of where it led to.
            os.dup2(log, getattr(stream, "_original_stdstream_copy", number))
        os.close(log)
