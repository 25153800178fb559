"""A pipeline whose processes are killed at random moments: DVC stays the truth.

``make chaos`` kills more often (``CHAOS_KILLS``); ``CHAOS_SEED`` chooses the moments.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import sys
import threading
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import connect
from jupyter_mlops.app.following import follow_pipeline
from jupyter_mlops.core.exceptions import MlopsError
from jupyter_mlops.core.runs import Status
from tests.support import pipelines, workers

KILLS = max(1, int(os.environ.get("CHAOS_KILLS", "50")) // 3)
#: Layers of stages, and how many each has; the first stage of a layer cannot be cached.
LAYERS, WIDTH = 4, 5
#: Seconds within which the next one is killed.
PAUSE = 0.7
#: Marks every process of the storm.
MARK = "MLOPS_TEST_STORM"


def _stages() -> dict[str, object]:
    """Return layers of stages; each stage needs all of the layer before, and tells of each life."""
    stages: dict[str, object] = {}
    for layer in range(LAYERS):
        for number in range(WIDTH):
            needs = [f"out-{layer - 1}-{each}" for each in range(WIDTH)] if layer else ["seed"]
            made = f"out-{layer}-{number}"
            stages[f"s-{layer}-{number}"] = {
                "cmd": f"echo {made} >> lives; sleep 0.1; cat {' '.join(needs)} > {made}",
                "deps": needs,
                "outs": [{made: {"persist": True}} if number == 0 else made],
            }
    return stages


class Monkey:
    """Kills the worker, the process that hosts DVC, and commands."""

    def __init__(self, folder: Path, mark: str, seed: int) -> None:
        self._folder = folder
        self._mark = mark
        self._random = random.Random(seed)  # noqa: S311 - moments, not secrets
        self.killed = 0

    def rage(self, done: threading.Event) -> None:
        """Kill until there have been enough kills, or all is done."""
        while self.killed < KILLS and not done.wait(self._random.uniform(0.05, PAUSE)):
            found = list(self.processes())
            if found:
                victim = self._random.choice(found)
                with contextlib.suppress(psutil.Error):
                    victim.kill()
                    self.killed += 1

    def processes(self) -> list[psutil.Process]:
        """Return the processes of the storm, but for those of the test."""
        found = []
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if each.pid != os.getpid() and each.environ().get(MARK) == self._mark:
                    found.append(each)
        return found


def _lay_out(folder: Path) -> Path:
    folder.mkdir()
    pipelines.repository(folder)
    (folder / "mlops.toml").write_text("")
    (folder / "seed").write_text("seed\n")
    (folder / "dvc.yaml").write_text(json.dumps({"stages": _stages()}))
    pipelines.commit(folder)
    return folder


def _run(folder: Path) -> bool:
    """Run the pipeline, and return whether it succeeded; whatever dies meanwhile."""
    body = m.PipelineRequest(keep_going=True, environment=dict(os.environ))
    with contextlib.suppress(MlopsError):
        client = connect(folder)
        pipeline_id = client.call(ops.RUN_PIPELINE, body=body, timeout=None).id
        for update in follow_pipeline(client, pipeline_id, 0):
            if update.run.status is Status.SUCCEEDED:
                return True
    return False


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_pipeline_comes_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC has nothing left to do, its files are whole, nothing is locked and nothing left."""
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbits(32))
    sys.stdout.write(f"\nCHAOS_SEED={seed} kills={KILLS}\n")
    folder, beside = _lay_out(tmp_path / "project"), _lay_out(tmp_path / "beside")
    pipelines.dvc(beside, "repro", "--quiet")
    monkeypatch.setenv(MARK, secrets.token_hex(8))
    monkey = Monkey(folder, os.environ[MARK], seed)
    done = threading.Event()
    raging = threading.Thread(target=monkey.rage, args=[done])
    raging.start()
    tries = 1
    try:
        while not _run(folder):
            tries += 1
            assert tries < 20 * KILLS
    finally:
        done.set()
        raging.join()
    sys.stdout.write(f"{monkey.killed} kills, {tries} tries\n")
    assert "up to date" in pipelines.dvc(folder, "status")
    assert not pipelines.ran(pipelines.dvc(folder, "repro"))
    ours, theirs = ((each / "dvc.lock").read_text() for each in (folder, beside))
    assert sorted(ours.splitlines()) == sorted(theirs.splitlines())
    lives = (folder / "lives").read_text().split()
    assert set(lives) == {f"out-{layer}-{each}" for layer in range(LAYERS) for each in range(WIDTH)}
    workers.stop(folder)
    assert not monkey.processes()
