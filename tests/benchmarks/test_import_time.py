"""How long a program waits for ``import jupyter_mlops``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import jupyter_mlops

ROOT = Path(jupyter_mlops.__file__).parents[1]
REPEATS = 15


def seconds(code: str) -> float:
    """Run a fresh interpreter, which ignores environment and user site, and return how long."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-Es", "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - start


def test_import_time() -> None:
    """Print how much longer Python takes with the import than without, medians of many starts."""
    # The first import compiles the bytecode, which an installation has done before.
    seconds("import jupyter_mlops")
    # Alternating, so that a change of the machine's speed meets both.
    pairs = [(seconds("pass"), seconds("import jupyter_mlops")) for _ in range(REPEATS)]
    bare, imported = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"\nimport jupyter_mlops: {1000 * (imported - bare):.0f} ms more than Python itself "
        f"({1000 * imported:.0f} against {1000 * bare:.0f} ms, medians of {REPEATS}; "
        "the goal is under 100 ms)"
    )
