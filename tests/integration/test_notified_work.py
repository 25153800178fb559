"""A real worker tells of what has ended, and doctor of what cannot be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.cli import main
from jupyter_mlops.core.occasions import TriggerKind
from tests.support import workers
from tests.support.occasions import add_trigger, run_request
from tests.support.receivers import Receiver, http_receiver

SECRET = "s3cr3t-T0ken"
FAILING = ("x: int = 0", "if x > 1: raise ValueError('<b>bad</b> x')")


@pytest.fixture
def server() -> Iterator[Receiver]:
    """A web server that takes notifications."""
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def client(tmp_path: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A project whose sweeps and runs are told, and its worker."""
    folder = workers.make_project(
        tmp_path / "project",
        '[[notifications]]\nto = { env = "HOOK_URL" }\n'
        'on = ["failure", "success"]\nof = ["sweep", "run", "schedule"]\n',
    )
    url = f"http://127.0.0.1:{server.port}/hook?key={SECRET}"
    (folder / ".env").write_text(f"HOOK_URL={url}\n", "utf-8")
    monkeypatch.chdir(folder)
    with workers.worker(folder) as client:
        yield client


def test_a_sweep_and_a_run(client: Client, server: Receiver) -> None:
    """Each end is told once, with the first error; what was cancelled is not."""
    workers.write(client, *FAILING)
    sweep = workers.submit(client, space={"x": "1,2"})
    post = server.next()
    assert post.path == f"/hook?key={SECRET}"
    assert post.content["title"] == "Sweep failed: train.ipynb: ValueError: <b>bad</b> x"
    assert "Runs: 1 succeeded, 1 failed." in post.content["message"]
    assert f"Look closer: jupyter mlops runs show {sweep.id}" in post.content["message"]
    assert f"Project: {client.project.root} on " in post.content["message"]
    workers.write(client, "x: int = 0", workers.FOREVER, name="forever.ipynb")
    endless = workers.submit(client, "forever.ipynb", kind="run")
    workers.started(client, endless.id, 2)
    client.call(ops.CANCEL_SWEEP, sweep_id=endless.id)
    assert workers.wait_for(client, endless.id).status == "cancelled"
    workers.submit(client, kind="run", space={"x": "1"})
    assert server.next().content["title"] == "Run succeeded: train.ipynb"
    assert server.empty
    assert client.call(ops.STATUS).problem is None
    workers.stop(client.project.root)
    for log in (client.project.state / "logs").iterdir():
        assert SECRET not in log.read_text("utf-8", "replace")


def test_what_could_not_be_started(client: Client, server: Receiver) -> None:
    """Also that a trigger has nothing to start any more is told."""
    workers.write(client, "y = 1", name="other.ipynb")
    trigger = add_trigger(client, TriggerKind.HTTP, action=run_request("other.ipynb"))
    (client.project.root / "other.ipynb").unlink()
    client.call(ops.FIRE_TRIGGER, trigger_id=trigger.id, body=m.FireRequest())
    post = server.next()
    assert post.content["title"].startswith("Schedule failed: run other.ipynb: ")
    assert f"It was started by trigger:{trigger.id}." in post.content["message"]
    assert "Look closer: jupyter mlops triggers list" in post.content["message"]


def test_doctor_sends_a_test(
    client: Client, server: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """`doctor --notify` sends to everybody; what is wrong is one line, here and in the status."""
    main(["doctor", "--notify", "--json"])
    findings = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert findings["notifications"]["message"] == "1 notification set up."
    assert findings["Notification 1"]["message"] == "A test was sent."
    assert server.next().content["title"] == "Run succeeded: a test of notifications"
    (client.project.root / ".env").write_text(f"HOOK_URL=nonsense:{SECRET}\n", "utf-8")
    assert main(["doctor", "--json"]) == 1
    shown = capsys.readouterr().out
    finding = {each["name"]: each for each in json.loads(shown)}["Notification 1"]
    assert not finding["ok"]
    assert finding["message"].startswith("It cannot be sent: it is no URL")
    assert SECRET not in shown
    workers.write(client, *FAILING)
    sweep = workers.submit(client, space={"x": "1"})
    for event in client.events(0, beat=5):
        if event is None or event.sweep_id == sweep.id:
            problem = client.call(ops.STATUS).problem
            if problem is not None:
                break
    assert problem is not None
    assert problem.startswith("Notification 1: It was not sent: it is no URL")
    assert SECRET not in problem


def test_doctor_without_notifications(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any, doctor has nothing to say, and --notify says where to set one."""
    folder = workers.make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    with workers.worker(folder):
        main(["doctor", "--json"])
        assert "otification" not in capsys.readouterr().out
        assert main(["doctor", "--notify", "--json"]) == 1
        assert "under [[notifications]]" in capsys.readouterr().out
