"""How long a run takes to begin. Figure 2: from the commit of its submission to its first cell."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from jupyter_mlops.app.client import Client
from jupyter_mlops.core.runs import SweepKind
from tests.support import workers
from tests.support.notebooks import write_notebook

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))


def _seconds_to_begin(client: Client) -> float:
    """Return the seconds between the events of one run's submission and of its first cell."""
    sweep = workers.submit(client, kind=SweepKind.RUN)
    workers.wait_for(client, sweep.id)
    events = []
    for event in client.events(0, beat=5):
        if event is None:
            break
        if event.sweep_id == sweep.id:
            events.append(event)
        if event.kind == "sweep" and event.sweep_id == sweep.id and event.status:
            break
    first = next(each for each in events if each.data.get("cell") == 1)
    return (first.time - events[0].time).total_seconds()


def test_start_of_a_run(tmp_path: Path) -> None:
    """Print what it takes with a warm and with a cold kernel, in alternating rounds."""
    times: dict[str, list[float]] = {}
    with (
        workers.worker(workers.make_project(tmp_path / "warm")) as warm,
        workers.worker(workers.make_project(tmp_path / "cold", "warm_kernels = false")) as cold,
    ):
        for client in (warm, cold):
            write_notebook(client.project.root / "train.ipynb", "n = 1", "print(n)")
            _seconds_to_begin(client)
        for _ in range(ROUNDS):
            for name, client in (("warm", warm), ("cold", cold)):
                times.setdefault(name, []).append(_seconds_to_begin(client))
    warm_start, cold_start = (statistics.median(times[name]) for name in ("warm", "cold"))
    print(
        f"\nFrom the submission to the first cell, medians of {ROUNDS}: warm {warm_start:.3f} s, "
        f"cold {cold_start:.3f} s, ratio {cold_start / warm_start:.1f}"
    )
