"""Serve as a template; in the forks, as a kernel.

``python …/mlops_template/__main__.py CONTROL LISTENER``, with the numbers of two sockets.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

# As a script this file has no package. Neither its folder nor the one around it is a place from
# which kernels should import.
sys.path[0] = str(Path(__file__).parent.parent)
from mlops_template.channel import receive, send  # type: ignore[import-not-found]  # noqa: E402
from mlops_template.preload import Refusal, import_kernel, prepare  # type: ignore[import-not-found]  # noqa: E402
from mlops_template.serving import Template  # type: ignore[import-not-found]  # noqa: E402


def main() -> None:
    """Prepare, say how that went, and serve."""
    control, listener = (socket.socket(fileno=int(each)) for each in sys.argv[1:3])
    message = receive(control)
    if message is None:
        return
    config = message[0]
    try:
        import_kernel()
        from mlops_template.kernel import Kernel, become_kernel  # type: ignore[import-not-found]

        del sys.path[0]
        app = Kernel.instance()
        app.configure(config["arguments"])
        prepared = prepare(config["preload"])
    except Refusal as refusal:
        send(control, {"refused": str(refusal), "noisy": refusal.noisy})
        return
    send(control, {"ready": True, "preloaded": prepared.names, "path": sys.path})
    fork = Template(control, listener, config["folder"], config["idle"]).serve()
    if fork is not None:
        become_kernel(app, fork, prepared)


if __name__ == "__main__":
    main()
