"""How long a run takes to begin. Figure 2: from the commit of its submission to its first cell.

Beside it papermill, from the call to the first cell, as in a script that has imported it.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import nbformat
import papermill

from jupyter_mlops.app.client import Client
from jupyter_mlops.core.runs import SweepKind
from tests.support import workers
from tests.support.notebooks import write_notebook

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))

#: Its first cell says when it is executed.
CELLS = ("n = 1\nimport time\nprint(time.time())", "n")


def _seconds_to_begin(client: Client) -> float:
    """Return the seconds from the time that the store has for a submission to the first cell."""
    sweep = workers.submit(client, kind=SweepKind.RUN)
    workers.wait_for(client, sweep.id)
    (output,) = (client.project.root / "runs" / "train").rglob(f"*{sweep.id}*/*.ipynb")
    return _begun(output) - sweep.created_at.timestamp()


def _seconds_with_papermill(folder: Path) -> float:
    """Return the seconds from the call to the first cell."""
    called = time.time()
    papermill.execute_notebook(folder / "train.ipynb", folder / "out.ipynb", progress_bar=False)
    return _begun(folder / "out.ipynb") - called


def _begun(output: Path) -> float:
    cells = nbformat.read(output, as_version=4).cells
    return float(cells[0].outputs[0].text)


def test_start_of_a_run(tmp_path: Path) -> None:
    """Print what it takes with a warm and with a cold kernel, in alternating rounds."""
    times: dict[str, list[float]] = {}
    with (
        workers.worker(workers.make_project(tmp_path / "warm")) as warm,
        workers.worker(workers.make_project(tmp_path / "cold", "warm_kernels = false")) as cold,
    ):
        for client in (warm, cold):
            write_notebook(client.project.root / "train.ipynb", *CELLS)
            _seconds_to_begin(client)
        for _ in range(ROUNDS):
            for name, client in (("warm", warm), ("cold", cold)):
                times.setdefault(name, []).append(_seconds_to_begin(client))
            times.setdefault("papermill", []).append(_seconds_with_papermill(warm.project.root))
    medians = {name: statistics.median(each) for name, each in times.items()}
    print(f"\nFrom the submission to the first cell, medians of {ROUNDS}:")
    for name, median in medians.items():
        print(f"  {name:10} {median:6.3f} s   {median / medians['warm']:6.2f} times warm")
