"""The process of a tracker: ``python -m jupyter_mlops.mirrors NAME FOLDER``.

Runs come by standard input, what became of each goes to standard output. It ends with its input.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import BinaryIO

from ..core import values
from ..core.exceptions import MlopsError
from ..core.mirrors import Mirror
from .known import open_mirror
from .wire import LENGTH, Sent, pack, read_run

#: Characters of a problem.
_LONGEST = 300
#: Shorter values of variables are no secrets that could be told from other words.
_SHORTEST_SECRET = 6


def main() -> None:
    """Send runs until there are no more."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what clients print goes to the log
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chdir(folder)
    mirror: Mirror | None = None
    while (body := _read(sys.stdin.buffer)) is not None:
        try:
            mirror = mirror or open_mirror(name, folder)
            mirror.send(read_run(body))
            answer = Sent()
        except Exception as error:  # noqa: BLE001 - each client raises errors of its own
            traceback.print_exc()
            answer = Sent(_line(error))
        answers.write(pack(answer))
        answers.flush()
    if mirror is not None:
        mirror.close()


def _read(stream: BinaryIO) -> bytes | None:
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(header)[0])


def _line(error: Exception) -> str:
    """Say in one line what went wrong, without any secret of the environment."""
    text = error.message if isinstance(error, MlopsError) else f"{type(error).__name__}: {error}"
    for name, secret in os.environ.items():
        if values.looks_secret(name) and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, values.MASK)
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


if __name__ == "__main__":
    main()
