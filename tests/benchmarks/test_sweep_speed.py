"""How long 32 points of a small notebook take: with us, and with what people use today.

Figure 1: a notebook that imports pandas and scikit-learn and works about 0.2 s per point.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.support import workers
from tests.support.notebooks import write_notebook

POINTS = 32
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))

#: Imports what most notebooks import, then works about 0.2 s.
CELLS = (
    "n: int = 1",
    "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    """import time
end = time.process_time() + 0.2
rng = np.random.default_rng(n)
while time.process_time() < end:
    X = rng.normal(size=(2000, 10))
    y = (X[:, 0] + rng.normal(size=2000) > 0).astype(int)
    score = LogisticRegression().fit(X, y).score(X, y)""",
    "pd.Series({'score': score})",
)

#: Executes the points from FIRST on in steps of STEP, one after the other.
PAPERMILL = f"""
import sys, papermill
for n in range(int(sys.argv[3]), {POINTS} + 1, int(sys.argv[4])):
    papermill.execute_notebook(
        sys.argv[1], f"{{sys.argv[2]}}/{{n}}.ipynb", {{"n": n}}, progress_bar=False
    )
"""

PLOOMBER = f"""
import sys
from ploomber_engine import execute_notebook
for n in range(int(sys.argv[3]), {POINTS} + 1, int(sys.argv[4])):
    execute_notebook(
        sys.argv[1], f"{{sys.argv[2]}}/{{n}}.ipynb", parameters={{"n": n}}, progress_bar=False
    )
"""

POOL = f"""
from concurrent.futures import ProcessPoolExecutor
def work(n):
{chr(10).join("    " + line for cell in CELLS[1:3] for line in cell.splitlines())}
    return score
if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(len(list(pool.map(work, range({POINTS})))))
"""


#: Python with ploomber-engine, as `make bench` installs it.
PEERS = Path(sys.prefix) / "peers" / "bin" / "python"


def _start(python: Path, argv: tuple[str, ...], cwd: Path) -> subprocess.Popen[bytes]:
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    variables |= {"PLOOMBER_STATS_ENABLED": "false", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([python, *argv], cwd=cwd, env=variables, stdout=subprocess.DEVNULL)


def _timed(cwd: Path, *commands: tuple[str, ...], python: Path = Path(sys.executable)) -> float:
    """Return the seconds that commands take, side by side."""
    began = time.perf_counter()
    for process in [_start(python, each, cwd) for each in commands]:
        assert process.wait() == 0
    return time.perf_counter() - began


def _halves(code: str, notebook: Path, output: Path) -> list[tuple[str, ...]]:
    output.mkdir(exist_ok=True)
    return [("-c", code, str(notebook), str(output), str(first), "2") for first in (1, 2)]


def _ours(folder: Path) -> float:
    """Return what a sweep takes from the command to its end, without a template at first."""
    with workers.worker(folder) as client:
        # A worker that has just been started still imports what it tracks runs with.
        workers.wait_for(client, workers.submit(client, "first.ipynb").id)
        return _timed(
            folder, ("-m", "jupyter_mlops", "sweep", "small.ipynb", f"n=1..{POINTS}", "--json")
        )


def test_sweep_speed(tmp_path: Path) -> None:
    """Print medians of alternating rounds and their ratios, tracking on for us."""
    folder = workers.make_project(tmp_path / "project")
    notebook = write_notebook(folder / "small.ipynb", *CELLS)
    write_notebook(folder / "first.ipynb", "n = 1")
    (folder / "pool.py").write_text(POOL, "utf-8")
    output = tmp_path / "loop"
    output.mkdir()
    loop = ("-c", PAPERMILL, str(notebook), str(output), "1", "1")
    peers = {
        "papermill in a loop": lambda: _timed(folder, loop),
        "two papermill processes": lambda: _timed(
            folder, *_halves(PAPERMILL, notebook, tmp_path / "two")
        ),
        "a plain process pool": lambda: _timed(folder, ("pool.py",)),
    }
    if PEERS.exists():
        peers["two ploomber-engine processes"] = lambda: _timed(
            folder, *_halves(PLOOMBER, notebook, tmp_path / "ploomber"), python=PEERS
        )
    else:
        print("\nploomber-engine is not installed (make bench does it): not compared with it.")
    times: dict[str, list[float]] = {name: [] for name in (*peers, "ours")}
    for _ in range(ROUNDS):
        for name, peer in peers.items():
            times[name].append(peer())
        times["ours"].append(_ours(folder))
    medians = {name: statistics.median(each) for name, each in times.items()}
    print(f"\n{POINTS} points, {len(os.sched_getaffinity(0))} cores, medians of {ROUNDS}:")
    for name, median in medians.items():
        print(f"  {name:30} {median:6.1f} s   {median / medians['ours']:6.2f} times ours")
    outputs = list((folder / "runs" / "small").rglob("*.ipynb"))
    assert len(outputs) == ROUNDS * POINTS
    assert all(json.loads(path.read_text("utf-8"))["cells"][-1]["outputs"] for path in outputs)
