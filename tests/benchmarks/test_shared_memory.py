"""What a sweep takes of memory whose runs share 500 MB. Figure 4."""

from __future__ import annotations

import contextlib
import os
import statistics
import threading
from pathlib import Path
from typing import Self

import nbformat
import psutil

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.runs import Status
from tests.support import workers

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
POINTS = 16

LOAD = "import numpy as np\ndata = np.random.default_rng(0).random(500_000_000 // 8)"
USE = "import time\nprint(data[n::1000].sum()); time.sleep(0.3)"


class Peak:
    """The most memory that kernels and templates had at a time, shared pages counted once."""

    def __init__(self, client: Client) -> None:
        self._worker = psutil.Process(client.call(ops.HEALTH).pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            total = 0
            for each in self._worker.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    total += each.memory_full_info().pss
            self.bytes = max(self.bytes, total)


def _peak(folder: Path, points: int) -> int:
    with workers.worker(workers.make_project(folder)) as client:
        path = workers.write(client, "n = 1", LOAD, USE)
        nb = nbformat.read(path, as_version=4)
        nb.cells[1].metadata["tags"] = ["shared"]
        nbformat.write(nb, path)
        with Peak(client) as peak:
            sweep = workers.submit(client, space={"n": f"1..{points}"})
            done = workers.wait_for(client, sweep.id)
        assert done.status is Status.SUCCEEDED
        return peak.bytes


def test_shared_memory(tmp_path: Path) -> None:
    """Print the peak of a sweep beside that of one run."""
    peaks = {
        points: statistics.median(
            _peak(tmp_path / f"{points}-{index}", points) for index in range(ROUNDS)
        )
        for points in (1, POINTS)
    }
    print(
        f"\nPeak memory (PSS), medians of {ROUNDS}: one run {peaks[1] / 1e6:.0f} MB, {POINTS} runs "
        f"{peaks[POINTS] / 1e6:.0f} MB, ratio {peaks[POINTS] / peaks[1]:.2f}"
    )
