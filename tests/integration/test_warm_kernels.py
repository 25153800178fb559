"""Warm kernels do what cold ones do, and say why when a kernel is cold."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from jupyter_mlops.core.executors import KernelStarted, Outcome, Progress, Task
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.warm.pool import Templates
from tests.support.corpus import CORPUS
from tests.support.local import local_executor
from tests.support.tasks import a_task, executed

Make = Callable[..., Templates]


@pytest.fixture
def templates(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes templates in a folder with a short path."""

    def make(**options: Any) -> Templates:
        folder = tmp_path_factory.mktemp("t")
        return Templates(folder / "w", folder / "log", idle=options.pop("idle", 1), **options)

    return make


@pytest.fixture
async def warm(tmp_path: Path, templates: Make) -> AsyncIterator[LocalExecutor]:
    """An executor with warm kernels; nothing of it is left afterwards."""
    others = set(psutil.Process().children(recursive=True))
    made = local_executor(tmp_path / "runner.log", templates())
    yield made
    children = set(psutil.Process().children(recursive=True)) - others
    await made.close()
    psutil.wait_procs(children, timeout=10)
    assert not [each for each in children if each.is_running()]


@pytest.fixture
async def cold(tmp_path: Path) -> AsyncIterator[LocalExecutor]:
    """An executor without."""
    made = local_executor(tmp_path / "runner.log")
    yield made
    await made.close()


async def run(executor: LocalExecutor, task: Task) -> tuple[Outcome, str]:
    """Execute a task; return the outcome and how the kernel was started."""
    outcome, seen = await executed(executor, task)
    (started,) = (each.start for each in seen if isinstance(each, KernelStarted))
    return outcome, started


def seen_by_a_reader(path: Path) -> list[Any]:
    """All outputs, less what differs between any two executions."""
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    shown = [
        [_plain(output) for output in cell.outputs] for cell in nb.cells if cell.cell_type == "code"
    ]
    text = json.dumps([shown, _widgets(nb.metadata.get("widgets"))])
    names: dict[str, str] = {}
    text = re.sub(
        r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])",
        lambda m: names.setdefault(m[0], f"id{len(names)}"),
        text,
    )
    text = re.sub(r"ipykernel_\d+/\d+\.py", "ipykernel/cell.py", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x", text)
    return json.loads(text)  # type: ignore[no-any-return]


def _widgets(state: Any) -> Any:
    """The states of all widgets, in an order that does not depend on their ids."""
    (kinds,) = (state or {"": {"state": {}}}).values()
    return sorted(kinds["state"].items(), key=lambda item: item[1]["model_name"])


def _plain(output: Any) -> Any:
    return {key: value for key, value in output.items() if key != "metadata"}


@pytest.mark.slow
@pytest.mark.parametrize("name", CORPUS)
async def test_the_same_as_cold(
    name: str, warm: LocalExecutor, cold: LocalExecutor, tmp_path: Path
) -> None:
    """Whatever a notebook looks at, its outputs are those that a cold kernel gives."""
    cells = ("x = 1", *CORPUS[name])
    task = a_task(tmp_path, *cells)
    outcomes, outputs = [], []
    for executor, how in ((cold, "cold"), (warm, "warm")):
        outcome, started = await run(executor, task)
        assert started.partition(" ")[0] == how
        outcomes.append((outcome.status, outcome.reason, outcome.error, outcome.failed_cell))
        outputs.append(seen_by_a_reader(task.output))
    assert outcomes[0] == outcomes[1]
    for source, *pair in zip(cells, outputs[0][0][1:], outputs[1][0][1:], strict=True):
        assert pair[0] == pair[1], source
    assert outputs[0] == outputs[1]


async def test_two_forks_share_no_random_state(warm: LocalExecutor, tmp_path: Path) -> None:
    """Numbers that nobody seeded differ between kernels of one template."""
    task = a_task(
        tmp_path,
        "x = 1",
        "import random, uuid, numpy as np, tempfile, os\nimport multiprocessing as mp",
        "print([random.random(), np.random.rand(), np.random.default_rng().random(),"
        " str(uuid.uuid4()), next(tempfile._get_candidate_names()), os.urandom(4).hex(),"
        " bytes(mp.current_process().authkey).hex()])",
    )
    seen = []
    for _ in range(3):
        assert (await run(warm, task))[1] == "warm"
        (text,) = (o["text"] for o in seen_by_a_reader(task.output)[0][-1])
        seen.append(eval(text))  # noqa: S307 - a list that we printed
    for values in zip(*seen, strict=True):
        assert len(set(values)) == 3


async def test_a_kernel_ends_as_python_does(warm: LocalExecutor, tmp_path: Path) -> None:
    """What was written but not flushed is there, exit handlers run, threads are waited for."""
    task = a_task(
        tmp_path,
        "x = 1",
        "import atexit, threading, time\n"
        "kept = open('unclosed.txt', 'w'); kept.write('all of it')\n"
        "@atexit.register\n"
        "def bye(): open('exit.txt', 'w').write('bye')\n"
        "def late():\n"
        "    time.sleep(0.3); open('late.txt', 'w').write('done')\n"
        "threading.Thread(target=late).start()",
    )
    outcome, started = await run(warm, task)
    assert (outcome.status, started) == (Status.SUCCEEDED, "warm")
    assert (tmp_path / "unclosed.txt").read_text() == "all of it"
    assert (tmp_path / "exit.txt").read_text() == "bye"
    assert (tmp_path / "late.txt").read_text() == "done"


async def test_each_has_its_own_surroundings(warm: LocalExecutor, tmp_path: Path) -> None:
    """Folder, variables and changes to modules are the attempt's own."""
    code = "import os, math; print(os.getcwd(), os.environ.get('JUPYTER_MLOPS_X')); math.pi"
    for index in (1, 2):
        task = a_task(
            tmp_path,
            "x = 1",
            code,
            "math.pi = 3; os.environ['LEAK'] = '1'; os.chdir('/')",
            environment={**os.environ, "JUPYTER_MLOPS_X": str(index)},
        )
        assert (await run(warm, task))[1] == "warm"
        printed, result = seen_by_a_reader(task.output)[0][2]
        assert printed["text"] == f"{tmp_path} {index}\n"
        assert result["data"]["text/plain"].startswith("3.14159")


@pytest.mark.parametrize(
    ("variable", "code"),
    [
        ("OMP_NUM_THREADS", "import os; print(os.environ['OMP_NUM_THREADS'])"),
        ("LANG", "import os; print(os.environ['LANG'])"),
        ("PYTHONHASHSEED", "print(hash('a'))"),
    ],
)
async def test_variables_that_matter_at_import_choose_the_template(
    tmp_path: Path, templates: Make, variable: str, code: str
) -> None:
    """Another value needs another template; the same value again finds the one that there is."""
    pool = templates()
    warm = local_executor(tmp_path / "runner.log", pool)
    try:
        seen = []
        for value in ("3", "4", "3"):
            task = a_task(tmp_path, "x = 1", code, environment={**os.environ, variable: value})
            assert (await run(warm, task))[1] == "warm"
            seen.append(seen_by_a_reader(task.output)[0][2][0]["text"])
        assert seen[0] == seen[2] != seen[1]
        assert len(pool.pids()) == 2
    finally:
        await warm.close()


async def test_a_changed_environment_retires_the_template(
    tmp_path: Path, templates: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that is installed after the template was made is found, by a new template."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "fresh.py").write_text("version = 1", "utf-8")
    pool = templates()
    warm = local_executor(tmp_path / "runner.log", pool)
    task = a_task(
        tmp_path,
        "x = 1",
        "import fresh; print(fresh.version)",
        environment={**os.environ, "PYTHONPATH": str(site)},
    )
    try:
        await run(warm, task)
        before = pool.pids()
        await run(warm, task)
        assert pool.pids() == before
        (site / "other.py").write_text("", "utf-8")
        assert (await run(warm, task))[1] == "warm"
        assert pool.pids() != before
        assert len(pool.pids()) == 1
    finally:
        await warm.close()


async def test_a_killed_kernel(warm: LocalExecutor, tmp_path: Path) -> None:
    """A warm kernel that is killed fails its attempt; the next one gets another."""
    task = a_task(tmp_path, "x = 1", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    outcome, started = await run(warm, task)
    assert (started, outcome.reason, outcome.failed_cell) == ("warm", Reason.KERNEL_DIED, 3)
    outcome, started = await run(warm, a_task(tmp_path, "x = 1"))
    assert (started, outcome.status) == ("warm", Status.SUCCEEDED)


async def test_a_kernel_that_is_killed_while_it_waits(tmp_path: Path, templates: Make) -> None:
    """Nobody has asked for it yet: the next attempt gets another one."""
    pool = templates(idle=2)
    warm = local_executor(tmp_path / "runner.log", pool)
    try:
        for _ in range(3):
            outcome, started = await run(warm, a_task(tmp_path, "x = 1"))
            assert (started, outcome.status) == ("warm", Status.SUCCEEDED)
            (pid,) = pool.pids()
            # One of them waits for the next attempt of the runner.
            waiting = psutil.Process(pid).children()
            for each in waiting:
                each.kill()
            await asyncio.to_thread(psutil.wait_procs, waiting)
    finally:
        await warm.close()


async def test_a_kernel_for_another_template_is_given_back(tmp_path: Path, templates: Make) -> None:
    """The kernel that waits for a runner's next attempt ends if that needs another one."""
    pool = templates(idle=1)
    warm = local_executor(tmp_path / "runner.log", pool)
    try:
        await run(warm, a_task(tmp_path, "x = 1"))
        (pid,) = pool.pids()
        waiting = psutil.Process(pid).children()
        other = a_task(tmp_path, "x = 1", environment={**os.environ, "LANG": "C.UTF-8"})
        assert (await run(warm, other))[1] == "warm"
        gone, alive = await asyncio.to_thread(psutil.wait_procs, waiting, timeout=30)
        assert gone
        assert not alive
    finally:
        await warm.close()


@pytest.mark.timeout(100)
async def test_a_kernel_that_is_killed_before_it_answers(
    warm: LocalExecutor, cold: LocalExecutor, tmp_path: Path
) -> None:
    """Nobody waits for it, and its death is told as such."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    variables = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    for executor in (warm, cold):
        task = a_task(tmp_path, "x = 1", environment=variables)
        outcome, _ = await executed(executor, task)
        assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.KERNEL_DIED), outcome


async def test_a_killed_template(tmp_path: Path, templates: Make) -> None:
    """Kernels die with their template, whose place another one takes: their attempts are lost."""
    pool = templates()
    warm = local_executor(tmp_path / "runner.log", pool)
    try:
        await run(warm, a_task(tmp_path, "x = 1"))
        (pid,) = pool.pids()
        task = a_task(
            tmp_path,
            "x = 1",
            f"import os, signal; os.kill({pid}, signal.SIGKILL)",
            "import time; time.sleep(60)",
        )
        outcome, _ = await run(warm, task)
        assert outcome.reason is Reason.LOST
        outcome, started = await run(warm, a_task(tmp_path, "x = 1"))
        assert (started, outcome.status) == ("warm", Status.SUCCEEDED)
        assert pool.pids() != [pid]
    finally:
        await warm.close()


async def test_forks_that_are_killed_at_their_start(tmp_path: Path, templates: Make) -> None:
    """After a few in a row the template gives up, but it leaves the kernels that it serves alone.

    The system kills them when it runs out of memory, for which no other kernel can be blamed.
    """
    pool = templates()
    warm = local_executor(tmp_path / "runner.log", pool)
    gate, begun = tmp_path / "gate", asyncio.Event()
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    kernels: list[int] = []

    def report(progress: Progress) -> None:
        if isinstance(progress, KernelStarted):
            kernels.append(progress.process.pid)
            begun.set()

    try:
        running = asyncio.create_task(warm.execute(a_task(tmp_path, "x = 1", wait), report))
        begin = asyncio.create_task(begun.wait())
        await asyncio.wait([running, begin], return_when=asyncio.FIRST_COMPLETED)
        assert begin.done(), running.result()
        template = psutil.Process(pool.pids()[0])
        await asyncio.to_thread(_kill_forks, template, kernels, pool._folder / "1.sock")
        outcome, started = await run(warm, a_task(tmp_path, "x = 1", attempt_id="s-2.1"))
        assert outcome.status is Status.SUCCEEDED
        assert started.startswith("cold (its template does not answer")
        gate.touch()
        assert (await running).status is Status.SUCCEEDED
        template.wait(10)
    finally:
        await warm.close()


def _kill_forks(template: psutil.Process, spared: list[int], address: Path) -> None:
    """Kill forks as soon as they appear, until the template lets nobody in any more."""
    while True:
        for fork in template.children():
            if fork.pid not in spared:
                with contextlib.suppress(psutil.NoSuchProcess):
                    fork.kill()
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(os.fspath(address))
            except ConnectionRefusedError:
                return
