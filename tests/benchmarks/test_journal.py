"""What it costs to keep the outputs of 100 cells with 200 KB each, with us and with papermill."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.notebooks import write_notebook

CELLS = 100
SIZE = 200_000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))

#: Prints lines, at once, so that it is not the kernel that is measured.
CELL = f"print(('x' * 99 + '\\n') * {SIZE // 100}, end='')"

#: Executes a notebook and prints, as JSON, the seconds that it took and the bytes that this
#: process wrote to files: the system counts what writing calls were given.
MEASURE = """
import json, sys, time
from pathlib import Path

def written():
    facts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(facts["wchar"])

{prepare}
before, began = written(), time.monotonic()
{execute}
taken, done = time.monotonic() - began, written()
print(json.dumps({{"seconds": taken, "bytes": done - before}}))
"""

PAPERMILL = MEASURE.format(
    prepare="import papermill",
    execute="papermill.execute_notebook(*sys.argv[1:3], progress_bar=False, kernel_name='python3')",
)

OURS = MEASURE.format(
    prepare="""
import os
from jupyter_mlops.core.executors import (Task)
from jupyter_mlops.execution.control import Control
from jupyter_mlops.execution.notebook import execute
from jupyter_mlops.execution.warm import Source
folder = Path(sys.argv[2]).parent
task = Task(attempt_id="s-1.1", source="many.ipynb", snapshot=Path(sys.argv[1]),
    output=Path(sys.argv[2]), result=folder / "r.json", log=folder / "log", cwd=folder,
    parameters={}, kernel="python3", language="python", secrets=frozenset(),
    environment=dict(os.environ), cpus=1, memory=None, gpus=0, timeout=None)
def ignore(progress): pass
""",
    execute="outcome = execute(task, Control(task, ignore), ignore, Source(reason='measured'))",
)


@dataclass(frozen=True)
class Cost:
    """What one execution cost, and how large its notebook is."""

    seconds: float
    written: int
    size: int


def _run(program: str, notebook: Path, output: Path) -> Cost:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    argv = (sys.executable, "-c", program, str(notebook), str(output))
    printed = subprocess.run(
        argv, cwd=output.parent, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    facts = json.loads(printed.splitlines()[-1])
    cells = json.loads(output.read_text("utf-8"))["cells"]
    assert [sum(len(x) for o in cell["outputs"] for x in o["text"]) for cell in cells] == [
        SIZE
    ] * CELLS
    return Cost(facts["seconds"], facts["bytes"], output.stat().st_size)


def test_journal_against_papermill(tmp_path: Path) -> None:
    """Print bytes and times, medians of alternating rounds, both with cold kernels."""
    notebook = write_notebook(tmp_path / "many.ipynb", *[CELL] * CELLS)
    _run(OURS, notebook, tmp_path / "warm-up.ipynb")
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(_run(PAPERMILL, notebook, tmp_path / "theirs.ipynb"))
        ours.append(_run(OURS, notebook, tmp_path / "ours.ipynb"))
    slow, fast = (statistics.median(each.seconds for each in side) for side in (theirs, ours))
    many, few = (
        statistics.median(each.written / each.size for each in side) for side in (theirs, ours)
    )
    print(
        f"\n{CELLS} cells with {SIZE:,} bytes of output, medians of {ROUNDS}: "
        f"papermill {slow:.1f} s, with the journal {fast:.1f} s, ratio {slow / fast:.1f}; "
        f"bytes written by size of the notebook: papermill {many:.1f}, with the journal {few:.2f}"
    )
    assert few <= 2.2
    assert slow / fast >= 10
