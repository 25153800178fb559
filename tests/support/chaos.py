"""A monkey that kills processes of a project at random moments."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.client import connect
from jupyter_mlops.app.following import events
from jupyter_mlops.core.exceptions import MlopsError
from jupyter_mlops.core.runs import Status
from tests.support.notebooks import write_notebook
from tests.support.workers import LOG_METRIC

#: Environment variable that marks every process of a storm.
MARK = "MLOPS_TEST_STORM"

#: What is killed, and how often one is chosen compared with another. An "attempt" is the kernel of
#: one, a "kernel" one that waits to be.
ROLES = {
    "worker": 3,
    "template": 3,
    "nursery": 2,
    "runner": 4,
    "attempt": 5,
    "kernel": 2,
    "server": 1,
}

#: Moments after which, a little later, something is killed: of a run, and of the engine that has
#: just lost its worker. The delay is random up to so many seconds.
PHASES = {
    "claimed": 0.5,
    "kernel": 0.2,
    "a cell": 0.2,
    "last cell": 0.3,
    "ended": 0.2,
    "boot": 2.5,
}

#: How often each of them is chosen.
WEIGHTS = [2, 2, 2, 2, 2, 1]

#: Code cells of the notebook, with the one that holds the injected parameters.
CELLS = 6


def write_points(folder: Path, log: Path) -> None:
    """Write a notebook whose kernels note in a file when they begin, live and end.

    It also logs a metric of three steps.
    """
    write_notebook(
        folder / "train.ipynb",
        "x: int = 0",
        f"""
import os, threading, time
fd = os.open({str(log)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
attempt = os.environ["JUPYTER_MLOPS_ATTEMPT"]
def note(what):
    os.write(fd, f"{{x}} {{attempt}} {{os.getpid()}} {{time.monotonic_ns()}} {{what}}\\n".encode())
def beat():
    while True:
        note("lives")
        time.sleep(0.01)
note("begins")
threading.Thread(target=beat, daemon=True).start()
""",
        LOG_METRIC + "log('loss', x / 10, 0)",
        "log('loss', x / 20, 1); time.sleep(0.05)",
        "log('loss', x / 40, 2); print('x' * 1000); note('ends')",
    )


# -- the processes --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Process:
    """A process of the storm."""

    role: str
    process: psutil.Process


def find_processes(mark: str) -> list[Process]:
    """Return all processes of a storm but ours."""
    found: dict[int, tuple[psutil.Process, str, int]] = {}
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if pid != os.getpid() and f"{MARK}={mark}".encode() in variables:
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    found[pid] = process, " ".join(process.cmdline()), process.ppid()
    return [
        Process(_role(line, found.get(parent, (None, "", 0))[1]), process)
        for process, line, parent in found.values()
    ]


def _role(line: str, parent: str) -> str:
    """Tell what a process does by its command line and its parent's."""
    of_worker = "jupyter_mlops.app.worker" in parent
    for word, role in (
        ("jupyter_mlops.app.worker", "worker"),
        ("jupyter_mlops.execution.nursery", "nursery" if of_worker else "runner"),
        ("jupyter_mlops.execution.runner", "runner"),
        ("mlops_template", "template" if of_worker else "kernel"),
        ("ipykernel_launcher", "kernel"),
        ("jupyter-server", "server"),
    ):
        if word in line:
            return role
    return "other"


class Server:
    """A Jupyter server that follows a project, started again whenever it was killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()

    def start(self) -> None:
        """Start it, and return when it follows."""
        self.stop()
        self._process = process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "jupyter", "server", "--no-browser", "--port=0", "--allow-root"),
                f"--ServerApp.root_dir={self._folder}",
                "--IdentityProvider.token=secret",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"},
        )
        assert process.stderr is not None
        while line := process.stderr.readline():
            if found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/", line):
                break
        else:
            raise AssertionError("the server did not start")
        self._reader = threading.Thread(target=process.stderr.read)
        self._reader.start()
        url = f"{found[0]}mlops/api/sweeps?project="
        httpx.get(url, headers={"Authorization": "token secret"}, timeout=60)

    def stop(self) -> None:
        """Kill it, if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            assert self._process.stderr is not None
            self._process.stderr.close()
            self._process = None


# -- the monkey -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill:
    """What was killed, and when."""

    number: int
    phase: str
    delay: float
    role: str

    def __str__(self) -> str:
        return f"{self.number:4} {self.role:9} {self.delay:.3f} s after: {self.phase}"


class Monkey:
    """Kills what it finds, at moments that follow events of the project."""

    def __init__(self, folder: Path, log: Path, mark: str, seed: int) -> None:
        self.kills: list[Kill] = []
        self._folder = folder
        self._log = log
        self._mark = mark
        self._random = random.Random(seed)  # noqa: S311 - it makes faults, not secrets
        self._phases: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._server = Server(folder)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Follow the project inside the block, as `jupyter mlops sweep` does."""
        self._server.start()
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        try:
            yield
        finally:
            self._ended.set()
            watcher.join()
            self._server.stop()

    def rage(self, until: int, done: threading.Event) -> None:
        """Kill until so many were killed, or the work is done."""
        while len(self.kills) < until and not done.is_set():
            (phase,) = self._random.choices(list(PHASES), WEIGHTS)
            self._wait_for(phase, done)
            delay = self._random.uniform(0, PHASES[phase])
            time.sleep(delay)
            role = self._kill()
            if role is not None:
                self.kills.append(Kill(len(self.kills) + 1, phase, delay, role))
            if role == "server":
                self._server.start()

    def _kill(self) -> str | None:
        busy = _living(self._log)
        there = [
            Process("attempt", each.process) if each.process.pid in busy else each
            for each in find_processes(self._mark)
        ]
        roles = [role for role in ROLES if any(each.role == role for each in there)]
        if not roles:
            return None
        (role,) = self._random.choices(roles, [ROLES[each] for each in roles])
        victim = self._random.choice([each for each in there if each.role == role])
        try:
            victim.process.kill()
        except psutil.NoSuchProcess:
            return None
        return role

    def _wait_for(self, phase: str, done: threading.Event) -> None:
        """Wait for the next moment of a kind, or until the work is done."""
        if phase == "boot":
            self._wait_for("ended", done)
            for each in find_processes(self._mark):
                if each.role == "worker" and not done.is_set():
                    with contextlib.suppress(psutil.NoSuchProcess):
                        each.process.kill()
                    self.kills.append(Kill(len(self.kills) + 1, "any", 0.0, "worker"))
            return
        while not self._phases.empty():
            self._phases.get()
        while not done.is_set():
            with contextlib.suppress(queue.Empty):
                if self._phases.get(timeout=0.5) == phase:
                    return

    def _watch(self) -> None:
        after = 0
        while not self._ended.is_set():
            # So many workers were killed in a row that a user would have been told.
            with contextlib.suppress(MlopsError):
                for event in events(connect(self._folder), after):
                    if self._ended.is_set():
                        return
                    if event is not None:
                        after = event.seq
                        if (phase := _phase(event)) is not None:
                            self._phases.put(phase)


def _living(log: Path) -> set[int]:
    """Return the kernels that have just said that they live."""
    if not log.exists():
        return set()
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000))
        lines = file.read().decode("ascii").split("\n")[1:-1]
    recent = time.monotonic_ns() - 100_000_000
    return {int(pid) for _, _, pid, moment, _ in map(str.split, lines) if int(moment) > recent}


def _phase(event: m.EventView) -> str | None:
    """Return the moment in a run's life that an event tells of."""
    if event.kind != "run" or event.status is None:
        return None
    if event.status != Status.RUNNING:
        return "ended" if Status(event.status).finished else None
    cell = event.data.get("cell")
    if cell is None:
        return "kernel" if event.data.get("cells") else "claimed"
    return "last cell" if cell == CELLS else "a cell"
