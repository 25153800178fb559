"""A process that has imported much ends at once, and still does all that it owes."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import atexit, sys, threading
from jupyter_mlops.core.imports import leave

class Slow:
    def __del__(self):
        print("taken apart")

kept = Slow()
atexit.register(print, "registered")
print("printed", end=" ")
"""
WORK = """
event = threading.Event()
threading.Thread(target=lambda: (event.wait(), print("worked", end=" "))).start()
threading._register_atexit(event.set)
"""
#: What is put before the end, and what is then printed.
ENDS = {
    "alone": ("", "printed registered\n"),
    "with a daemon": (
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n",
        "printed registered\n",
    ),
    # As at any end: the thread's work is done first, and what was imported is taken apart.
    "with work to do": (
        WORK,
        "printed worked registered\ntaken apart\n",
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_is_registered_is_done(end: str) -> None:
    """The exit code is the one given, what was printed appears, and nothing is taken apart."""
    last, printed = ENDS[end]
    done = subprocess.run(
        [sys.executable, "-c", f"{BEGIN}{last}leave(3)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, printed, "")
