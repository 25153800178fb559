"""The nursery: a process that has imported papermill, and forks runners that need not.

``python -m jupyter_mlops.execution.nursery --control N`` reads from the socket with that number.
Each message brings the channel of a runner; the pid of the fork that serves it goes back. The
nursery ends when the socket closes. Runners end with their own channels.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket

from ..core.imports import leave
from .runner import Runner
from .warm.mlops_template.channel import receive, send


def main() -> None:
    """Fork runners; in the forks, run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", type=int, required=True)
    control = socket.socket(fileno=parser.parse_args().control)
    channel = _serve(control)
    if channel is None:
        leave(0)
    Runner(channel).serve()


def _serve(control: socket.socket) -> socket.socket | None:
    """Fork on request until the socket closes; returns in the forks, with their channels."""
    gc.freeze()
    # The system buries the runners: nobody waits for them here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while (request := receive(control)) is not None:
        channel = socket.socket(fileno=request[1][0])
        pid = os.fork()
        if not pid:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            return channel
        channel.close()
        send(control, {"pid": pid})
    return None


if __name__ == "__main__":
    main()
