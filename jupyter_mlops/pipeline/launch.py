"""Starting the process that hosts DVC, with nothing but the standard library."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..core.runs import ENGINE_VARIABLE


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that hosts DVC for a repository, and our end of its channel."""

    root: Path
    process: subprocess.Popen[bytes]
    channel: socket.socket
    #: The packed question that it was asked already.
    asked: bytes | None


def launch(root: Path, project: Path, log: Path, asked: bytes | None = None) -> Launched:
    """Start the process for a repository, on behalf of a project's worker.

    What it prints goes to ``log``. It answers what it is ``asked`` as soon as it can.
    """
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-P", "-m", "jupyter_mlops.pipeline", str(root)]
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, an argv list
                [*command, "--channel", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "DVC_NO_ANALYTICS": "1", ENGINE_VARIABLE: str(project)},
                start_new_session=True,
            )
    finally:
        theirs.close()
    if asked:
        ours.sendall(asked)
    return Launched(root, process, ours, asked or None)
