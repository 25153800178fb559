"""The way into the worker's process.

``python -m jupyter_mlops.app.worker PROJECT`` serves until it has been idle for a while. What can
be begun before the worker's own imports, which take most of its start, is begun here.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..core.imports import leave, without_garbage_collection
from ..pipeline.launch import Launched, launch


def main() -> int:
    """Serve a project; returns the exit code."""
    parser = argparse.ArgumentParser(prog="jupyter_mlops.app.worker")
    parser.add_argument("project", type=Path)
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--stay", action="store_true", help="serve until told to end")
    parser.add_argument("--dvc", type=Path, help="DVC repository whose host is started first")
    parser.add_argument("--dvc-log", type=Path, help="where that host writes what it prints")
    parser.add_argument("--ask", type=bytes.fromhex, help="what that host is asked meanwhile")
    options = parser.parse_args()
    if options.ready_fd is not None and not options.stay and os.fork():
        os._exit(0)
    hosted: Launched | None = None
    if options.dvc is not None:
        hosted = launch(options.dvc, options.project, options.dvc_log, options.ask)
    with without_garbage_collection():
        from .composition import serve
    return serve(options.project, options.ready_fd, stay=options.stay, hosted=hosted)


if __name__ == "__main__":
    leave(main())
