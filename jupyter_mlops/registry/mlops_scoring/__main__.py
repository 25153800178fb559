"""Load a model and serve it until terminated.

``python …/mlops_scoring/__main__.py``, told by a JSON object on standard input what to serve.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

# As a script this file has no package. Neither its folder nor the one around it is a place from
# which models should import.
sys.path[0] = str(Path(__file__).parent.parent)
from mlops_scoring.integrity import Altered, check  # type: ignore[import-not-found]  # noqa: E402
from mlops_scoring.serving import serve  # type: ignore[import-not-found]  # noqa: E402

del sys.path[0]


def main() -> int:
    """Serve; return the exit code."""
    config = json.load(sys.stdin)
    try:
        check(Path(config["folder"]), config["hashes"])
    except Altered as error:
        sys.stderr.write(f"The model's files are not those that were registered: {error}.\n")
        return 1
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    serve(config, listener)
    return 0


if __name__ == "__main__":
    sys.exit(main())
