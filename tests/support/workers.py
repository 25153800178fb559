"""Projects with a real worker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import WorkerUnavailable
from tests.support.notebooks import write_notebook

T = TypeVar("T")

#: A cell that defines how to log a metric without our package.
LOG_METRIC = (
    "from IPython.display import publish_display_data\n"
    "def log(key, value, step):\n"
    "    publish_display_data({'application/vnd.jupyter-mlops.metrics.v1+json': {'points':\n"
    "        [{'key': key, 'value': value, 'step': step, 'time': 1.5 + step}]}})\n"
)
#: A cell that tells of its process by a file, and then waits for another file.
WAITS = """\
import os, pathlib, time
pathlib.Path(f"pid-{os.getpid()}").touch()
while not os.path.exists("gate"): time.sleep(0.1)
"""
#: A cell that never ends by itself.
FOREVER = "import threading; threading.Event().wait()"


def make_project(folder: Path, settings: str = "") -> Path:
    """Make an empty project."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mlops.toml").write_text(settings, "utf-8")
    return folder


@contextmanager
def worker(folder: Path) -> Iterator[Client]:
    """Start a project's worker; in the end it is gone, whoever serves by then."""
    client = connect(folder)
    try:
        yield client
    finally:
        stop(folder)


def stop(folder: Path) -> None:
    """End a project's worker and wait for it."""
    client = Client(find_project(folder))
    health = client.alive()
    if health is None:
        return
    process = psutil.Process(health.pid)
    client.call(ops.DRAIN, body=m.DrainRequest(now=True))
    process.wait(30)


def kill(client: Client) -> None:
    """End a worker as the kernel's out-of-memory killer would."""
    health = client.call(ops.HEALTH)
    process = psutil.Process(health.pid)
    os.kill(health.pid, signal.SIGKILL)
    process.wait(30)


def wait_for(client: Client, sweep_id: str) -> m.SweepView:
    """Wait until all runs of a sweep have ended, through changes of worker if need be."""
    seq = 0
    while True:
        try:
            sweep = client.call(ops.GET_SWEEP, sweep_id=sweep_id)
            if not sweep.counts.queued and not sweep.counts.running:
                return sweep
            for event in client.events(seq, beat=5):
                if event is None or event.sweep_id == sweep_id:
                    seq = event.seq if event else seq
                    break
        except WorkerUnavailable:
            client = connect(client.project)


def until(condition: Callable[[], T], *, seconds: float = 180.0) -> T:
    """Wait until something is so that no event tells of, and return what it is then."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def kernels(folder: Path, number: int) -> list[psutil.Process]:
    """Wait for so many kernels that execute WAITS in a folder."""
    until(lambda: len(list(folder.glob("pid-*"))) >= number)
    return [psutil.Process(int(each.name.removeprefix("pid-"))) for each in folder.glob("pid-*")]


def runs(client: Client, sweep_id: str) -> list[m.RunView]:
    """The runs of a sweep."""
    return client.call(ops.LIST_RUNS, query=m.RunsQuery(sweep=sweep_id))


def attempts(client: Client, sweep: m.SweepView) -> list[m.AttemptView]:
    """Return all attempts of a sweep."""
    return [
        attempt
        for run in runs(client, sweep.id)
        for attempt in client.call(ops.GET_RUN, run_id=run.id).attempts
    ]


def submit(client: Client, notebook: str = "train.ipynb", **request: object) -> m.SweepView:
    """Submit a sweep of a notebook."""
    body = m.SubmitRequest(notebook=notebook, **request)  # type: ignore[arg-type]
    return client.call(ops.SUBMIT, body=body)


def write(client: Client, *cells: str, name: str = "train.ipynb") -> Path:
    """Write a notebook into the client's project."""
    return write_notebook(client.project.root / name, *cells)


def started(client: Client, sweep_id: str, cell: int) -> m.RunView:
    """Wait until a run of the sweep has begun a cell."""
    for event in client.events(0, beat=5):
        if event and event.run_id and event.sweep_id == sweep_id and event.data.get("cell") == cell:
            return client.call(ops.GET_RUN, run_id=event.run_id).run
    raise AssertionError
