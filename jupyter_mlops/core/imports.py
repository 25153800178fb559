"""Processes that import much: at their begin, and at their end."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Import without looking for garbage, of which there is none: a fifth of the time.

    What was imported stays, and is never looked through again.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def leave(code: int) -> NoReturn:
    """End the process without taking apart what it has imported, which would take a second.

    What was registered for the exit is carried out. A thread that still works is waited for, as at
    any end.
    """
    others = (each for each in threading.enumerate() if each is not threading.main_thread())
    if not all(each.daemon for each in others):
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001  # there is no public way
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
