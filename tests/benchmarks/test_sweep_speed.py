"""How long 32 points of a small notebook take, with us and with papermill in a loop."""

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

PAPERMILL_LOOP = (
    "import sys, papermill\n"
    f"for n in range(1, {POINTS} + 1):\n"
    "    papermill.execute_notebook(sys.argv[1], f'{sys.argv[2]}/{n}.ipynb', {'n': n},\n"
    "        progress_bar=False)\n"
)


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _timed(*argv: str, cwd: Path) -> float:
    start = time.perf_counter()
    subprocess.run(argv, cwd=cwd, env=_environment(), check=True, capture_output=True)
    return time.perf_counter() - start


def test_sweep_against_papermill(tmp_path: Path) -> None:
    """Print both times and their ratio, medians of alternating rounds, tracking on for us."""
    folder = workers.make_project(tmp_path / "project")
    notebook = write_notebook(folder / "small.ipynb", *CELLS)
    (folder / "loop").mkdir()
    loop = (sys.executable, "-c", PAPERMILL_LOOP, str(notebook), str(folder / "loop"))
    ours = (
        sys.executable,
        "-m",
        "jupyter_mlops",
        "sweep",
        "small.ipynb",
        f"n=1..{POINTS}",
        "--json",
    )
    times: dict[str, list[float]] = {"papermill": [], "ours": []}
    with workers.worker(folder):
        for _ in range(ROUNDS):
            times["papermill"].append(_timed(*loop, cwd=folder))
            times["ours"].append(_timed(*ours, cwd=folder))
    papermill, sweep = (statistics.median(times[name]) for name in ("papermill", "ours"))
    print(
        f"\n{POINTS} points, {len(os.sched_getaffinity(0))} cores, medians of {ROUNDS}: "
        f"papermill in a loop {papermill:.1f} s, jupyter mlops sweep {sweep:.1f} s, "
        f"ratio {papermill / sweep:.2f}"
    )
    outputs = list((folder / "runs" / "small").rglob("*.ipynb"))
    assert len(outputs) == ROUNDS * POINTS
    scores = [json.loads(path.read_text("utf-8"))["cells"][-1]["outputs"] for path in outputs]
    assert all(scores)
