"""Finished runs are sent to other trackers too, through their own clients, and disturb nobody."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.mirrors import MirroredRun
from jupyter_mlops.core.runs import MetricPoint
from jupyter_mlops.core.values import MASK
from jupyter_mlops.mirrors import MirrorProcess
from jupyter_mlops.mirrors.known import open_mirror
from tests.support import workers
from tests.support.offline_trackers import CometExperiment, WandbRun

SECRET = "hunter2hunter2"
LOG = """
import jupyter_mlops as mlops
for step, value in enumerate([1.0, float("nan"), float("inf"), float("-inf")]):
    mlops.log(loss=value, step=step)
mlops.log(acc=0.5, step=3)
"""
TRAIN = (
    "lr: float = 0.1\napi_key: str = ''",
    LOG,
    "import mlflow\nmlflow.log_metric('plain', 2.0, step=7)",
    "if lr > 1: raise ValueError('too fast')",
)
POINTS = [1.0, math.nan, math.inf, -math.inf]


def findings(client: Client) -> dict[str, m.Finding]:
    """What doctor says of each thing."""
    return {each.name: each for each in client.call(ops.DOCTOR, timeout=120.0)}


def until_sent(client: Client, tracker: str, number: int) -> None:
    """Wait until a tracker has got so many runs."""
    noun = "run" if number == 1 else "runs"

    def sent() -> bool:
        found = findings(client)[f"tracker {tracker}"]
        return found.ok and found.message == f"{number} {noun} sent."

    workers.until(sent)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, m.SweepView]]:
    """A sweep of two runs, one of which fails, that both trackers have got offline."""
    folder = tmp_path_factory.mktemp("project") / "flights"
    workers.make_project(folder, 'trackers = ["wandb", "comet"]\n')
    (folder / ".env").write_text("WANDB_MODE=offline\nCOMET_START_ONLINE=0\n", "utf-8")
    with workers.worker(folder) as client:
        workers.write(client, *TRAIN)
        values: dict[str, list[Any]] = {"lr": [{"$float": "nan"}, 2.0], "api_key": [SECRET]}
        sweep = workers.submit(client, values=values, metric="acc")
        view = workers.wait_for(client, sweep.id)
        assert (view.counts.succeeded, view.counts.failed) == (1, 1)
        for tracker in ("wandb", "comet"):
            until_sent(client, tracker, 2)
        yield client, view


def test_wandb_has_them(sent: tuple[Client, m.SweepView]) -> None:
    """Its offline files, read by its own definition, hold all of each run."""
    client, sweep = sent
    folder = client.project.state / "mirrors" / "wandb" / "wandb"
    found = {each.run.run_id: each for each in map(WandbRun, folder.glob("offline-run-*"))}
    assert len(found) == 2
    good, bad = (found[f"{sweep.id}-{index}.1"] for index in (1, 2))
    assert good.run.project == "flights"
    assert good.run.display_name == f"train {sweep.id}-1"
    assert {good.run.run_group, bad.run.run_group} == {sweep.id}
    assert (good.config["lr"], bad.config["lr"]) == ("nan", 2.0)
    assert {good.config["api_key"], bad.config["api_key"]} == {MASK}
    assert repr(good.values["loss"]) == repr(list(enumerate(POINTS))).replace("1.0", "1")
    assert good.values["acc"] == [(3, 0.5)]
    assert good.values["plain"] == [(7, 2.0)]
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "too fast" in bad.run.notes
    (kept,) = good.folder.rglob("*.ipynb")
    assert kept.read_bytes() == output(client, sweep, 1).read_bytes()
    for path in folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_comet_has_them(sent: tuple[Client, m.SweepView]) -> None:
    """So do the archives of its offline mode."""
    client, sweep = sent
    folder = client.project.state / "mirrors" / "comet"
    found = {each.others["mlops.run"]: each for each in map(CometExperiment, folder.glob("*.zip"))}
    assert len(found) == 2
    good, bad = (found[f"{sweep.id}-{index}"] for index in (1, 2))
    assert good.facts["project_name"] == "flights"
    assert sweep.id in good.facts["tags"]
    assert good.others["Name"] == f"train {sweep.id}-1"
    assert (good.parameters["lr"], bad.parameters["lr"]) == ("NaN", 2.0)
    assert {good.parameters["api_key"], bad.parameters["api_key"]} == {MASK}
    assert good.values["loss"] == list(enumerate([1.0, "NaN", "Infinity", "-Infinity"]))
    assert good.values["plain"] == [(7, 2.0)]
    assert (good.others["mlops.status"], bad.others["mlops.status"]) == ("succeeded", "failed")
    assert "too fast" in bad.others["mlops.error"]
    assert good.files[f"{sweep.id}-1.ipynb"] == output(client, sweep, 1).read_bytes()
    for each in found.values():
        assert SECRET not in str(vars(each))


def test_their_clients_live_elsewhere(sent: tuple[Client, m.SweepView]) -> None:
    """The worker has started neither's service, and has no problem."""
    client, _ = sent
    worker = psutil.Process(client.call(ops.HEALTH).pid)
    threads = {each.cmdline()[3] for each in worker.children() if len(each.cmdline()) > 3}
    assert "jupyter_mlops.mirrors" in threads
    assert "wandb-core" not in {each.name() for each in worker.children()}
    assert client.call(ops.STATUS).problem is None


def output(client: Client, sweep: m.SweepView, index: int) -> Path:
    """The output notebook of a run."""
    found = client.call(ops.GET_RUN, run_id=f"{sweep.id}-{index}").run.output
    assert found is not None
    return client.project.root / found


# -- a tracker of somebody else --------------------------------------------------------------------

ODD = """
import json, os, signal, subprocess, sys

class Odd:
    def __init__(self, folder):
        self._folder = folder

    def send(self, run):
        mood = (self._folder / "mood").read_text() if (self._folder / "mood").exists() else ""
        if mood == "raise":
            raise ValueError("no\\nentry with " + os.environ["ODD_API_KEY"])
        if mood == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if mood == "hang":
            child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
            (self._folder / "child").write_text(str(child.pid))
            signal.pause()
        print("sent", run.id, flush=True)
        with (self._folder / "sent").open("a") as file:
            file.write(json.dumps([run.id, run.status, len(run.points)]) + chr(10))

    def close(self):
        (self._folder / "closed").touch()
"""


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with an entry point."""
    packages = tmp_path / "packages"
    facts = packages / "odd-1.0.dist-info"
    facts.mkdir(parents=True)
    (packages / "odd_tracker.py").write_text(ODD, "utf-8")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n", "utf-8")
    points = "[jupyter_mlops.trackers]\nodd = odd_tracker:Odd\n"
    (facts / "entry_points.txt").write_text(points, "utf-8")
    paths = filter(None, (str(packages), os.environ.get("PYTHONPATH")))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("ODD_API_KEY", SECRET)


@pytest.fixture
def client(tmp_path: Path, odd: None) -> Iterator[Client]:
    """A project that also sends its runs there."""
    folder = workers.make_project(tmp_path / "project", 'trackers = ["odd"]\n')
    (folder / ".mlops" / "mirrors" / "odd").mkdir(parents=True)
    with workers.worker(folder) as made:
        workers.write(made, "x = 1", LOG)
        yield made


def mood(client: Client, word: str) -> Path:
    """Say what the tracker does next; return its folder."""
    folder = client.project.state / "mirrors" / "odd"
    (folder / "mood").write_text(word, "utf-8")
    return folder


def test_a_tracker_that_fails_disturbs_no_run(client: Client) -> None:
    """Its problem is told without the secret, and the run is sent when it works again."""
    folder = mood(client, "raise")
    sweep = workers.submit(client, values={})
    assert workers.wait_for(client, sweep.id).counts.succeeded == 1
    problem = workers.until(lambda: client.call(ops.STATUS).problem)
    assert problem == f"Runs are not sent to odd: ValueError: no entry with {MASK}"
    found = findings(client)["tracker odd"]
    assert not found.ok
    assert found.message == f"{problem} 0 runs sent, 1 run to send."
    assert not client.call(ops.GET_RUN, run_id=f"{sweep.id}-1").run.unsynced
    mood(client, "")
    until_sent(client, "odd", 1)
    assert client.call(ops.STATUS).problem is None
    assert json.loads((folder / "sent").read_text("utf-8")) == [f"{sweep.id}-1.1", "succeeded", 5]
    log = (client.project.state / "logs" / "mirror-odd.log").read_text("utf-8")
    assert f"sent {sweep.id}-1.1" in log


def test_what_waits_outlives_the_worker(client: Client) -> None:
    """A run that could not be sent before the worker was killed is sent by the next one, once."""
    folder = mood(client, "die")
    sweep = workers.submit(client, values={})
    workers.wait_for(client, sweep.id)
    problem = workers.until(lambda: client.call(ops.STATUS).problem)
    assert problem is not None
    assert "ended without an answer" in problem
    workers.kill(client)
    mood(client, "")
    until_sent(connect(client.project.root), "odd", 1)
    workers.stop(client.project.root)
    assert (folder / "closed").exists()
    until_sent(connect(client.project.root), "odd", 1)
    assert len((folder / "sent").read_text("utf-8").splitlines()) == 1


def test_only_the_last_attempt_is_sent(client: Client) -> None:
    """As in MLflow, where earlier ones are hidden."""
    folder = mood(client, "")
    workers.write(client, "x = 1", "raise ValueError('always')")
    sweep = workers.submit(client, values={}, retries=1, retry_delay=0.0)
    workers.wait_for(client, sweep.id)
    until_sent(client, "odd", 1)
    assert json.loads((folder / "sent").read_text("utf-8")) == [f"{sweep.id}-1.2", "failed", 0]


def a_run() -> MirroredRun:
    """A run to send."""
    return MirroredRun(
        id="k3m9x2ab-1.1",
        run_id="k3m9x2ab-1",
        sweep_id="k3m9x2ab",
        kind="run",
        name="train k3m9x2ab-1",
        project="p",
        experiment="train",
        notebook="train.ipynb",
        parameters={"x": 1},
        status="succeeded",
        reason=None,
        error=None,
        started_at=1.0,
        duration=2.0,
        points=(MetricPoint(key="loss", value=math.nan, step=0, time=1.0),),
        facts={},
    )


async def test_a_tracker_that_hangs_is_ended(tmp_path: Path, odd: None) -> None:
    """With whatever it has started; the next run is sent by a new process."""
    process = MirrorProcess("odd", tmp_path / "odd", tmp_path / "log", patience=20.0)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "mood").write_text("hang", "utf-8")
    assert "did not answer within 20 s" in (await process.send(a_run(), os.environ) or "")
    child = int((tmp_path / "odd" / "child").read_text("utf-8"))
    await asyncio.to_thread(workers.until, _gone(child))
    (tmp_path / "odd" / "mood").write_text("", "utf-8")
    assert await process.send(a_run(), os.environ) is None
    await process.close()
    assert process.pid is None


def _gone(pid: int) -> Callable[[], bool]:
    def gone() -> bool:
        return not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"

    return gone


def test_unknown_and_missing_trackers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names those that there are, or what to install."""
    with pytest.raises(InvalidInput, match=r"no tracker wanbd \(there are: comet, wandb\)"):
        open_mirror("wanbd", tmp_path)
    monkeypatch.setitem(sys.modules, "comet_ml", None)
    monkeypatch.setenv("COMET_OFFLINE_DIRECTORY", str(tmp_path))
    for name in ("COMET_LOGGING_CONSOLE", "COMET_DISABLE_ANNOUNCEMENT"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("COMET_INTERNAL_SENTRY_DSN", "")
    with pytest.raises(InvalidInput, match=r"pip install 'jupyter-mlops\[comet\]'"):
        open_mirror("comet", tmp_path)


def test_an_unknown_tracker_is_told(tmp_path: Path) -> None:
    """In the status and by doctor, and runs go on."""
    folder = workers.make_project(tmp_path / "project", 'trackers = ["wanbd"]\n')
    with workers.worker(folder) as client:
        line = "There is no tracker wanbd (there are: comet, wandb). Mend the settings."
        assert client.call(ops.STATUS).problem == line
        assert findings(client)["tracker wanbd"].message.startswith(line)
