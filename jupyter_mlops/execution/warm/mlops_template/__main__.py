"""Serve as a template; in the forks, as a kernel.

``python …/mlops_template/__main__.py CONTROL LISTENER``, with the numbers of two sockets.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from pathlib import Path

# As a script this file has no package. Neither its folder nor the one around it is a place from
# which kernels should import.
sys.path[0] = str(Path(__file__).parent.parent)
from mlops_template.channel import die_with_parent, receive, send  # type: ignore[import-not-found]  # noqa: E402
from mlops_template.preload import Refusal, freeze, import_kernel, prepare  # type: ignore[import-not-found]  # noqa: E402
from mlops_template.serving import Template  # type: ignore[import-not-found]  # noqa: E402


def main() -> None:
    """Prepare, say how that went, and serve."""
    control, listener = (socket.socket(fileno=int(each)) for each in sys.argv[1:3])
    die_with_parent()
    message = receive(control)
    if message is None:
        return
    config = message[0]
    # Nothing that is imported becomes garbage, and looking for it takes a tenth of the time.
    gc.disable()
    try:
        import_kernel()
        from mlops_template.kernel import Kernel, become_kernel  # type: ignore[import-not-found]
        from mlops_template.sharing import share  # type: ignore[import-not-found]

        del sys.path[0]
        app = Kernel.instance()
        app.configure(config["arguments"])
        prepared = prepare(config["preload"])
        gc.enable()
        shared = share(config["shared"], Path(config["folder"]))
        app.make_kernel(shared.namespace if shared is not None else None)
        freeze()
    except Refusal as refusal:
        send(control, {"refused": str(refusal), "noisy": refusal.noisy})
        # Threads of what was imported or shared shall not keep us.
        os._exit(0)
    send(control, {"ready": True, "preloaded": prepared.names, "path": sys.path})
    fork = Template(control, listener, config["folder"], config["idle"]).serve()
    if fork is not None:
        become_kernel(app, fork, prepared, shared)


if __name__ == "__main__":
    main()
