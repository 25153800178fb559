"""What it costs a kernel that the files which it opens are taken note of."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from jupyter_mlops.execution.warm.mlops_template import reads

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))

#: Opens a file of the project, the same one and always another one; and another audited event.
WORK = """
import json, os, sys, time

def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

def same():
    for _ in range(20_000):
        open("data/0.csv").close()

def others():
    for number in range(5_000):
        open(f"data/{number}.csv").close()

def audited():
    for number in range(200_000):
        id(number)

print(json.dumps([timed(same), timed(others), timed(audited)]))
"""


def _times(folder: Path, watched: bool) -> list[float]:
    environment = os.environ | {reads.PROJECT: str(folder), reads.REPORT: str(folder / "reads")}
    source = Path(reads.__file__).read_text("utf-8").replace("__main__", "mlops_reads")
    start = f"exec(compile({source!r}, 'reads', 'exec'), {{'__name__': 'mlops_reads'}})\n"
    done = subprocess.run(
        (sys.executable, "-c", (start if watched else "") + WORK),
        cwd=folder, env=environment, capture_output=True, check=True,
    )  # fmt: skip
    return [float(each) for each in done.stdout.decode().strip("[]\n ").split(",")]


def test_opening_files(tmp_path: Path) -> None:
    """Print how long it takes to open files, watched and not, as medians of alternating rounds."""
    (tmp_path / "data").mkdir()
    for number in range(5_000):
        (tmp_path / "data" / f"{number}.csv").touch()
    plain, watched = [], []
    for _ in range(ROUNDS):
        plain.append(_times(tmp_path, False))
        watched.append(_times(tmp_path, True))
    print()
    for number, (name, count) in enumerate(
        (("the same file", 20_000), ("always another file", 5_000), ("id(x)", 200_000))
    ):
        before = statistics.median(each[number] for each in plain)
        after = statistics.median(each[number] for each in watched)
        each = 1e6 * (after - before) / count
        print(f"  {name}: {after / before:.2f} times as long, {each:.1f} µs more each")
