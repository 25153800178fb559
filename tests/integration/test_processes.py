"""Processes are known for sure, and all that an attempt has started is found and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.core.executors import CellStarted, KernelStarted, Progress, Task
from jupyter_mlops.core.runs import ATTEMPT_VARIABLE, ProcessIdentity, Reason, Status
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.processes import end, identify, is_alive
from tests.support.local import local_executor
from tests.support.tasks import a_task

#: A cell that starts a daemon: its parent has ended, it has a session of its own, and it does not
#: care for SIGTERM.
DAEMON = """
import os, signal, subprocess, sys
code = '''
import os, pathlib, signal, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path("daemon.new").write_text(str(os.getpid()))
    pathlib.Path("daemon.new").rename("daemon")
    while True:
        time.sleep(1)
'''
subprocess.run([sys.executable, "-c", code], check=True)
while not os.path.exists("daemon"):
    pass
"""


@pytest.fixture
async def executor(tmp_path: Path) -> AsyncIterator[LocalExecutor]:
    """An executor without templates."""
    made = local_executor(tmp_path / "runner.log")
    yield made
    await made.close()


def _an_attempt(folder: Path, last_cell: str) -> Task:
    attempt = f"{folder.name}.1"
    variables = {**os.environ, ATTEMPT_VARIABLE: attempt}
    return a_task(folder, "x = 1", DAEMON, last_cell, environment=variables, attempt_id=attempt)


def _daemon(folder: Path) -> ProcessIdentity:
    return identify(int((folder / "daemon").read_text()))


def test_setting_the_clock_makes_nobody_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process is found and ended although the machine says now that it began at another time."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    known = identify(child.pid)
    original = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: original(self) + 3600)
    assert identify(child.pid) == known
    assert is_alive(known) is True
    end([known])
    assert child.poll() is not None
    assert is_alive(known) is False


def test_the_group_of_a_dead_process_is_ended() -> None:
    """What a killed kernel had forked ends although nobody can be asked who its parent was."""
    code = "import os, signal\nif os.fork(): print(os.getpid(), flush=True)\nsignal.pause()"
    leader = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    assert leader.stdout is not None
    leader.stdout.readline()
    known = identify(leader.pid)
    (child,) = psutil.Process(leader.pid).children()
    leader.kill()
    leader.wait()
    leader.stdout.close()
    assert child.is_running()
    end([known])
    child.wait(10)


async def test_a_daemon_ends_with_its_attempt(executor: LocalExecutor, tmp_path: Path) -> None:
    """However well it has hidden, and although the notebook succeeds."""
    task = _an_attempt(tmp_path, "print('done')")
    outcome = await executor.execute(task, lambda _: None)
    assert outcome.status is Status.SUCCEEDED
    with pytest.raises(psutil.NoSuchProcess):
        _daemon(tmp_path)
    assert f"Attempt {task.attempt_id} left Process" in (tmp_path / "runner.log").read_text()


@pytest.mark.parametrize("victim", ["kernel", "runner"])
async def test_a_daemon_ends_with_a_kernel_that_is_killed(
    executor: LocalExecutor, tmp_path: Path, victim: str
) -> None:
    """Also if the process that executes is killed together with what it knew."""
    task = _an_attempt(tmp_path, "import threading; threading.Event().wait()")
    kernels: list[ProcessIdentity] = []
    waiting = asyncio.Event()

    def report(progress: Progress) -> None:
        if isinstance(progress, KernelStarted):
            kernels.append(progress.process)
        elif progress == CellStarted(cell=4):
            waiting.set()

    running = asyncio.create_task(executor.execute(task, report))
    begun = asyncio.create_task(waiting.wait())
    await asyncio.wait([running, begun], return_when=asyncio.FIRST_COMPLETED)
    assert begun.done(), running.result()
    daemon, (kernel,) = _daemon(tmp_path), kernels
    target = kernel.pid if victim == "kernel" else psutil.Process(kernel.pid).ppid()
    os.kill(target, signal.SIGKILL)
    outcome = await running
    expected = Reason.KERNEL_DIED if victim == "kernel" else Reason.LOST
    assert outcome.reason is expected
    assert is_alive(daemon) is False
    assert is_alive(kernel) is False
