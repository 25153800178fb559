"""What attempts use, and which of them must end for want of memory, seen on real processes."""

from __future__ import annotations

import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_mlops.core.runs import ProcessIdentity
from jupyter_mlops.execution.monitor import Monitor
from jupyter_mlops.execution.processes import family, identify
from jupyter_mlops.execution.usage import Usage, cpu_time, measure, proportional, resident
from tests.support.records import a_machine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells shares of pages")

MB = 1_000_000

#: Takes memory, tells its size, and gives it back when told.
HOLD = """
import sys
held = bytearray(b"x") * {size}
print("ready", flush=True)
sys.stdin.readline()
held = None
print("free", flush=True)
sys.stdin.readline()
"""

#: Takes memory and shares it with a child, which has a child of its own.
SHARE = """
import os, sys, signal
held = bytearray(b"x") * {size}
for _ in range(2):
    if os.fork():
        break
else:
    print("ready", flush=True)
signal.pause()
"""

#: Spends CPU time, half of it in a child that ends.
WORK = """
import os, sys, time
def work():
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
work()
if pid := os.fork():
    os.waitpid(pid, 0)
else:
    work()
    os._exit(0)
print("ready", flush=True)
sys.stdin.readline()
"""


class Program:
    """A Python process that has said that it is ready."""

    def __init__(self, code: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.wait()

    @property
    def identity(self) -> ProcessIdentity:
        """Who it is."""
        return identify(self.process.pid)

    def wait(self) -> str:
        """Wait for what it says next."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def go_on(self) -> None:
        """Let it go on, and wait for what it says."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.wait()


@pytest.fixture
def start() -> Iterator[Callable[[str], Program]]:
    """Starts programs, which end with the test."""
    started: list[Program] = []

    def begin(code: str) -> Program:
        started.append(Program(code))
        return started[-1]

    yield begin
    for each in started:
        for pid in reversed(family(each.process.pid)):
            subprocess.run(["kill", "-9", str(pid)], check=False)
        each.process.wait()
        for stream in (each.process.stdin, each.process.stdout):
            assert stream is not None
            stream.close()


class Watch:
    """A monitor whose complaints are kept."""

    def __init__(self, available: Callable[[], int] = lambda: 10**10) -> None:
        self.complaints: queue.Queue[tuple[str, str]] = queue.Queue()
        self.monitor = Monitor(a_machine(), available)
        self.monitor.begin(lambda *found: self.complaints.put(found))

    def add(self, name: str, program: Program, **memory: int | None) -> None:
        """Watch a program."""
        known = {"requested": None, "expected": None} | memory
        self.monitor.watch(name, program.identity, **known)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watch]]:
    """Makes monitors, which are closed with the test."""
    made: list[Watch] = []

    def make(available: Callable[[], int] = lambda: 10**10) -> Watch:
        made.append(Watch(available))
        return made[-1]

    yield make
    for each in made:
        each.monitor.close()


def test_shared_pages_count_once(start: Callable[[str], Program]) -> None:
    """Three processes that share 200 MB use little more than that together."""
    program = start(SHARE.format(size=200 * MB))
    pids = family(program.process.pid)
    assert len(pids) == 3
    assert resident(pids) > 600 * MB
    assert 200 * MB < proportional(pids) < 300 * MB


def test_memory_that_was_given_back_counts(start: Callable[[str], Program]) -> None:
    """The last reading tells the peak, though nobody looked when it was reached."""
    program = start(HOLD.format(size=200 * MB))
    program.go_on()
    assert proportional([program.process.pid]) < 100 * MB
    used = measure(program.identity)
    assert used is not None
    assert 200 * MB < used.peak_memory < 300 * MB


def test_children_that_ended_count(start: Callable[[str], Program]) -> None:
    """CPU time includes that of children that were waited for."""
    program = start(WORK)
    assert 0.55 < cpu_time([program.process.pid]) < 1.5


def test_a_process_that_has_ended_is_not_measured(start: Callable[[str], Program]) -> None:
    """Nor is another one that got its number mistaken for it."""
    program = start(HOLD.format(size=1))
    identity = program.identity
    program.go_on()
    program.go_on()
    program.process.wait()
    assert measure(identity) is None


def test_the_larger_figures_count() -> None:
    """What was seen on the way and at the end is put together."""
    assert Usage(5, 1.0) | Usage(3, 2.0) == Usage(5, 2.0)
    assert Usage(5, 1.0) | None == Usage(5, 1.0)


def test_what_takes_more_than_it_asked_for_must_end(
    start: Callable[[str], Program], watch: Callable[..., Watch]
) -> None:
    """The line says what was used, what was asked for and what to do; the others go on."""
    made = watch()
    made.add("good", start(HOLD.format(size=100 * MB)), requested=300 * MB)
    made.add("free", start(HOLD.format(size=500 * MB)))
    made.add("bad", start(SHARE.format(size=500 * MB)), requested=300 * MB)
    attempt, line = made.complaints.get(timeout=10)
    assert attempt == "bad"
    assert "\n" not in line
    assert line.startswith("It used 5")
    assert "MB of memory, 300 MB were asked for. Ask for more with --memory" in line
    seen = {name: made.monitor.forget(name) for name in ("good", "free", "bad")}
    peaks = {name: used.peak_memory // MB for name, used in seen.items() if used is not None}
    assert 100 < peaks["good"] < 200
    assert 500 < peaks["free"] < 600
    assert 500 < peaks["bad"] < 600
    assert made.complaints.empty()


def test_a_little_more_than_was_asked_for_is_allowed(
    start: Callable[[str], Program], watch: Callable[..., Watch]
) -> None:
    """Within the margin nobody complains."""
    made = watch()
    made.add("near", start(HOLD.format(size=300 * MB)), requested=300 * MB)
    with pytest.raises(queue.Empty):
        made.complaints.get(timeout=2)


def test_when_memory_is_gone_the_worst_must_end(
    start: Callable[[str], Program], watch: Callable[..., Watch]
) -> None:
    """It is the one that most exceeds its share, not the largest; one ends at a time."""
    left = 100 * MB
    made = watch(lambda: left)
    large, greedy = (start(HOLD.format(size=size * MB)) for size in (700, 500))
    made.add("large", large, requested=900 * MB)
    made.add("greedy", greedy, expected=200 * MB)
    attempt, line = made.complaints.get(timeout=10)
    assert attempt == "greedy"
    assert line.startswith("The machine ran out of memory, and this run used 5")
    assert "more than its share of 200 MB" in line
    left = 10**10
    with pytest.raises(queue.Empty):
        made.complaints.get(timeout=3)


def test_small_attempts_do_not_end_for_others(
    start: Callable[[str], Program], watch: Callable[..., Watch]
) -> None:
    """Where memory is gone for other reasons, ending what has little of it would not help."""
    made = watch(lambda: 0)
    made.add("small", start(HOLD.format(size=50 * MB)))
    with pytest.raises(queue.Empty):
        made.complaints.get(timeout=2)


def test_the_system_would_end_an_attempt_first(
    start: Callable[[str], Program], watch: Callable[..., Watch]
) -> None:
    """Should memory run out before we notice, neither JupyterLab nor the worker is chosen."""
    program = start(HOLD.format(size=1))
    watch().add("any", program)
    score = Path(f"/proc/{program.process.pid}/oom_score_adj").read_text("ascii")
    assert int(score) == 500
