"""What runs may use and what they used, with real kernels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import TooManyResources
from jupyter_mlops.core.runs import Reason, Status
from tests.support import workers
from tests.support.workers import submit, wait_for, write

GB = 1_000_000_000
MB = 1_000_000


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the worker of an empty project, on a machine of three GPUs."""
    monkeypatch.setenv("JUPYTER_MLOPS_GPUS", "0,GPU-1,7")
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "2")
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        yield made


def _details(client: Client, sweep: m.SweepView) -> list[m.RunDetail]:
    wait_for(client, sweep.id)
    return [client.call(ops.GET_RUN, run_id=each.id) for each in workers.runs(client, sweep.id)]


def test_a_run_that_takes_too_much_memory_is_ended(client: Client) -> None:
    """One clear line says what happened; the cells after it did not run, its sibling did."""
    write(
        client,
        "n: int = 1",
        "held = bytearray(b'x') * (900_000_000 if n == 2 else 1000)",
        "import threading\nif n == 2: threading.Event().wait()",
        "print('after')",
    )
    good, bad = _details(client, submit(client, space={"n": "1,2"}, memory=300 * MB))
    assert good.run.status is Status.SUCCEEDED
    assert (bad.run.status, bad.run.reason) == (Status.FAILED, Reason.OUT_OF_MEMORY)
    assert bad.run.error is not None
    assert "\n" not in bad.run.error
    assert "of memory, 300 MB were asked for. Ask for more with --memory" in bad.run.error
    assert bad.attempts[0].peak_memory is not None
    assert bad.attempts[0].peak_memory > 350 * MB
    output = json.loads((client.project.root / (bad.run.output or "")).read_text("utf-8"))
    assert output["cells"][-1]["execution_count"] is None
    assert bad.run.error in json.dumps(output, ensure_ascii=False)


def test_a_kernel_that_is_killed_says_so(client: Client) -> None:
    """The signal is named, and what the kernel had used as far as it was seen."""
    write(
        client,
        "import os, time\nheld = bytearray(b'x') * 400_000_000\ntime.sleep(3)",
        "os.kill(os.getpid(), 9)",
    )
    (detail,) = _details(client, submit(client))
    assert detail.run.reason is Reason.KERNEL_DIED
    assert detail.run.error is not None
    assert detail.run.error.startswith("The kernel died (signal 9; maybe out of memory, peak 4")


@pytest.mark.slow
def test_short_runs_have_figures_too(client: Client) -> None:
    """Memory includes that of child processes, and CPU time that of those that ended."""
    write(
        client,
        "import subprocess, sys, time\n"
        "end = time.process_time() + 0.4\n"
        "while time.process_time() < end: pass\n"
        "code = 'import sys; held = bytearray(b\"x\") * 300_000_000; print(1, flush=True);'\n"
        "code += 'sys.stdin.read()'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdin=-1, stdout=-1)\n"
        "child.stdout.readline()",
    )
    (detail,) = _details(client, submit(client))
    (attempt,) = detail.attempts
    assert attempt.peak_memory is not None
    assert 300 * MB < attempt.peak_memory < 600 * MB
    assert attempt.cpu_time is not None
    assert 0.5 < attempt.cpu_time < 10


@pytest.mark.slow
def test_each_attempt_has_gpus_of_its_own(client: Client) -> None:
    """No device is given to two attempts at a time; who asks for none sees what there is."""
    write(
        client,
        "n: int = 1",
        "import os, pathlib, time\n"
        "device = os.environ['CUDA_VISIBLE_DEVICES']\n"
        "mine = [pathlib.Path('held-' + each) for each in device.split(',')]\n"
        "for each in mine: each.touch(exist_ok=False)\n"
        "time.sleep(0.5)\n"
        "for each in mine: each.unlink()\n"
        "print('devices', len(mine))",
    )
    details = _details(client, submit(client, space={"n": "1..4"}, gpus=2, cpus=1))
    assert {each.run.status for each in details} == {Status.SUCCEEDED}
    details = _details(client, submit(client, space={"n": "1..4"}, gpus=1, cpus=1))
    assert {each.run.status for each in details} == {Status.SUCCEEDED}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"cpus": 3}, "3 cores were asked for, this machine grants 2"),
        ({"gpus": 4}, "4 were asked for, this machine has 3"),
        ({"memory": 10**15}, "were asked for, this machine grants"),
    ],
)
def test_what_never_fits_is_refused_and_seen_before(
    client: Client, asked: dict[str, int], words: str
) -> None:
    """The form's preview says at the field what a submission would be refused for."""
    write(client, "n: int = 1")
    (field,) = asked
    preview = client.call(ops.PREVIEW, body=m.SpaceRequest(notebook="train.ipynb", **asked))
    assert preview.count is None
    assert words in preview.errors[field]
    with pytest.raises(TooManyResources, match=words) as refused:
        submit(client, **asked)
    assert refused.value.field == field
