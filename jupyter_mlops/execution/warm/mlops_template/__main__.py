"""Serve as a template; in the forks, as a kernel.

``python …/mlops_template/__main__.py CONTROL LISTENER``, with the numbers of two sockets.
"""

from __future__ import annotations

import os
import socket
import sys

# As a script this file has no package. Neither its folder nor the one around it is a place from
# which kernels should import.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
from mlops_template.channel import receive, send  # noqa: E402
from mlops_template.kernel import become_kernel  # noqa: E402
from mlops_template.preload import Refusal, prepare  # noqa: E402
from mlops_template.serving import Template  # noqa: E402

del sys.path[0]


def main() -> None:
    """Prepare, say how that went, and serve."""
    control, listener = (socket.socket(fileno=int(each)) for each in sys.argv[1:3])
    message = receive(control)
    if message is None:
        return
    config = message[0]
    template = os.getpid()
    try:
        prepared = prepare(config["preload"])
    except Refusal as refusal:
        send(control, {"refused": str(refusal), "noisy": refusal.noisy})
        return
    facts = {"preloaded": prepared.names, "path": sys.path, "pid": template}
    send(control, {"ready": True, **facts})
    forked = Template(control, listener, config["folder"], config["idle"]).serve()
    if forked is not None:
        become_kernel(template, *forked, config["arguments"], prepared)


if __name__ == "__main__":
    main()
