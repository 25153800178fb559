"""Triggers and a real worker: files, aliases, the ends of runs, and calls."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.cli import main
from jupyter_mlops.core.exceptions import Conflict, InvalidInput, MlopsError, NotFound
from jupyter_mlops.core.occasions import Ending, FireState, TriggerKind
from jupyter_mlops.core.runs import Status, SweepKind
from tests.support import workers
from tests.support.occasions import add_trigger, fired, fires, run_request
from tests.support.pipelines import repository
from tests.support.workers import submit, wait_for


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of a project with two notebooks."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        workers.write(made, "x = 1", "print(x)")
        workers.write(made, "y = 1", "print(y)", name="other.ipynb")
        yield made


def other(**space: str) -> m.ActionRequest:
    """Ask for a run of the other notebook."""
    return run_request("other.ipynb", **space)


def ended(client: Client, fire: m.FireView) -> m.SweepView:
    """Wait for the end of what was started."""
    assert fire.state is FireState.STARTED, fire.reason
    return wait_for(client, fire.started or "")


def test_files(client: Client) -> None:
    """A change of content sets off, a touch does not; so does a file that appears or goes."""
    data = client.project.root / "data"
    data.mkdir()
    (data / "a.csv").write_text("1")
    trigger = add_trigger(client, TriggerKind.FILE, "data/*.csv", action=other())
    sentinel = add_trigger(client, TriggerKind.FILE, "sentinel", action=other(y="2"))
    os.utime(data / "a.csv", (1, 1))
    (data / "ignored.txt").write_text("1")
    (client.project.root / "sentinel").write_text("1")
    ended(client, fired(client, sentinel.id)[0])
    assert fires(client, trigger.id) == []
    (data / "a.csv").write_text("2")
    (first,) = fired(client, trigger.id)
    assert first.reason == "data/a.csv changed."
    ended(client, first)
    (data / "b.csv").write_text("3")
    second = fired(client, trigger.id, 2)[0]
    assert second.reason == "data/b.csv appeared."
    ended(client, second)


def test_changes_while_no_worker_ran(client: Client) -> None:
    """What changed meanwhile is noticed by the next worker, once, by what the files hold."""
    folder = client.project.root / "out"
    folder.mkdir()
    for name in ("same", "changes", "goes"):
        (folder / name).write_text(name)
    trigger = add_trigger(client, TriggerKind.FILE, "out", action=other())
    workers.stop(client.project.root)
    os.utime(folder / "same", (1, 1))
    (folder / "changes").write_text("2")
    (folder / "goes").unlink()
    connect(client.project)
    (fire,) = fired(client, trigger.id)
    assert fire.reason == "out/changes changed, out/goes went."
    ended(client, fire)
    workers.stop(client.project.root)
    connect(client.project)
    assert len(fires(client, trigger.id)) == 1


def test_a_run_that_writes_what_it_waits_for(client: Client) -> None:
    """What a trigger has started does not set it off again by the file that it writes."""
    path = client.project.root / "log.txt"
    write = f"import time; open({str(path)!r}, 'a').write(str(time.time()))"
    workers.write(client, "y = 1", write, name="other.ipynb")
    trigger = add_trigger(client, TriggerKind.FILE, "log.txt", action=other())
    path.write_text("0")
    skipped, started = fired(client, trigger.id, 2)
    ended(client, started)
    assert skipped.state is FireState.SKIPPED
    assert f"{started.started}, which this had set off, was running" in skipped.reason


def test_ends_of_runs(client: Client) -> None:
    """A run that ends so as was asked for sets off; a sweep is told from a run."""
    workers.write(client, "x = 1", "assert x")
    on_success = add_trigger(
        client, TriggerKind.RUN, "train.ipynb", ending=Ending.SUCCEEDED, action=other()
    )
    on_failure = add_trigger(
        client, TriggerKind.RUN, "train.ipynb", ending=Ending.FAILED, action=other()
    )
    on_sweep = add_trigger(client, TriggerKind.SWEEP, "train.ipynb", action=other())
    good = submit(client, kind=SweepKind.RUN)
    (fire,) = fired(client, on_success.id)
    assert fire.reason == f"train.ipynb ({good.id}) has succeeded."
    bad = submit(client, kind=SweepKind.RUN, space={"x": "0"})
    assert fired(client, on_failure.id)[0].reason == f"train.ipynb ({bad.id}) has failed."
    many = submit(client, space={"x": "1,2,3"})
    assert fired(client, on_sweep.id)[0].reason == f"train.ipynb ({many.id}) has succeeded."
    numbers = [len(fires(client, each.id)) for each in (on_success, on_failure, on_sweep)]
    assert numbers == [1, 1, 1]


def test_ends_are_not_missed(client: Client) -> None:
    """A run that ended just before the worker was killed sets off the trigger, and once."""
    trigger = add_trigger(client, TriggerKind.RUN, "train.ipynb", action=other())
    run = submit(client, kind=SweepKind.RUN)
    wait_for(client, run.id)
    workers.kill(client)
    connect(client.project)
    (fire,) = fired(client, trigger.id)
    ended(client, fire)
    workers.kill(client)
    connect(client.project)
    second = submit(client, kind=SweepKind.RUN)
    reasons = [each.reason for each in fired(client, trigger.id, 2)]
    assert reasons == [f"train.ipynb ({each.id}) has succeeded." for each in (second, run)]


def test_no_loop(client: Client) -> None:
    """Two triggers that set off each other end after one round, and say so."""
    there = add_trigger(client, TriggerKind.RUN, "train.ipynb", action=other())
    back = add_trigger(client, TriggerKind.RUN, "other.ipynb", action=run_request())
    submit(client, kind=SweepKind.RUN)
    assert fired(client, back.id)[0].state is FireState.STARTED
    last, first = fired(client, there.id, 2)
    assert first.state is FireState.STARTED
    assert last.state is FireState.SKIPPED
    assert "would go on for ever" in last.reason


def test_a_run_from_within_a_run(client: Client) -> None:
    """A sweep that a notebook makes counts as the doing of what started the notebook."""
    sweep = "import jupyter_mlops as mlops\nmlops.sweep('other.ipynb', {'y': [1, 2]})"
    workers.write(client, "x = 1", sweep)
    trigger = add_trigger(client, TriggerKind.SWEEP, "other.ipynb")
    submit(client, "other.ipynb", space={"y": "1,2"})
    skipped, started = fired(client, trigger.id, 2)
    assert started.state is FireState.STARTED
    assert skipped.state is FireState.SKIPPED


def test_aliases(client: Client) -> None:
    """An alias that is pointed at another version sets off, by us or by a plain client."""
    model = (
        "import mlflow\n"
        "mlflow.pyfunc.log_model(\n"
        "    name='model', python_model=lambda model_input: [1], pip_requirements=[])"
    )
    workers.write(client, "x = 1", model)
    trigger = add_trigger(client, TriggerKind.ALIAS, "flights@champion", action=other())
    run = wait_for(client, submit(client, kind=SweepKind.RUN).id)
    register = m.RegisterRequest(run=f"{run.id}-1")
    for version in (1, 2):
        client.call(ops.REGISTER_MODEL, body=register, name="flights")
        alias = m.AliasRequest(version=version)
        client.call(ops.SET_ALIAS, body=alias, name="flights", alias="champion")
        fire = fired(client, trigger.id, version)[0]
        assert fire.reason == f"flights@champion points at v{version} now."
        ended(client, fire)
    plain = mlflow.MlflowClient(f"sqlite:///{client.project.state / 'mlflow.db'}")
    fresh = add_trigger(client, TriggerKind.ALIAS, "flights@champion", action=other())
    plain.set_registered_model_alias("flights", "champion", "1")
    assert fired(client, fresh.id)[0].reason == "flights@champion points at v1 now."


def test_calls(client: Client) -> None:
    """A call sets off, with the parameters that the trigger accepts."""
    action = other(y="5")
    trigger = add_trigger(client, TriggerKind.HTTP, accept=["y"], action=action)
    assert trigger.address == f"mlops/api/triggers/{trigger.id}/fire"
    body = m.FireRequest(parameters={"y": 7})
    asked = client.call(ops.FIRE_TRIGGER, trigger_id=trigger.id, body=body)
    (fire,) = fired(client, trigger.id)
    assert fire.id == asked.id
    ended(client, fire)
    (run,) = workers.runs(client, fire.started or "")
    assert run.parameters == {"y": 7}
    client.call(ops.FIRE_TRIGGER, trigger_id=trigger.id, body=m.FireRequest())
    second = fired(client, trigger.id, 2)[0]
    assert workers.runs(client, second.started or "")[0].parameters == {"y": 5}
    call = m.FireRequest(parameters={"z": 1})
    with pytest.raises(InvalidInput, match="does not accept z"):
        client.call(ops.FIRE_TRIGGER, trigger_id=trigger.id, body=call)
    with pytest.raises(NotFound):
        client.call(ops.FIRE_TRIGGER, trigger_id="none", body=m.FireRequest())
    waits = add_trigger(client, TriggerKind.RUN, "train.ipynb")
    with pytest.raises(Conflict, match="waits for no call"):
        client.call(ops.FIRE_TRIGGER, trigger_id=waits.id, body=m.FireRequest())


def test_refused_at_once(client: Client) -> None:
    """What cannot be waited for is refused when it is added, and nothing is stored."""
    bad = [
        (TriggerKind.FILE, "", {}),
        (TriggerKind.FILE, "../x", {}),
        (TriggerKind.ALIAS, "flights", {}),
        (TriggerKind.ALIAS, "flights@", {}),
        (TriggerKind.RUN, "none.ipynb", {}),
        (TriggerKind.FILE, "x", {"accept": ["x"]}),
        (TriggerKind.HTTP, "", {"accept": ["nope"]}),
        (TriggerKind.HTTP, "", {"action": m.ActionRequest()}),
    ]
    for kind, subject, given in bad:
        with pytest.raises(InvalidInput):
            add_trigger(client, kind, subject, **given)
    assert client.call(ops.LIST_TRIGGERS) == []


def test_from_a_shell(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paths are taken from the current folder; usage errors are one line."""
    folder = client.project.root / "data"
    folder.mkdir()
    monkeypatch.chdir(folder)
    add = ["triggers", "add", "--file", "raw/*.csv", "--name", "raw"]
    assert main([*add, "--", "run", "../train.ipynb", "x=3"]) == 0
    assert "file data/raw/*.csv: run train.ipynb x=3" in capsys.readouterr().out
    run = ["--", "run", "../train.ipynb"]
    for words, said in [
        (run, "Say what sets it off"),
        (["--http", "--file", "x", *run], "Say what sets it off"),
        (["--http", "--on", "failed", *run], "--on goes with"),
        (["--file", "../../x", *run], "lies outside project"),
        (["--http", "run", "../train.ipynb"], "Put -- before the command"),
        (["--http"], "Say behind -- what to start"),
    ]:
        assert main(["triggers", "add", *words]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert len(error.splitlines()) == 1
    assert main(["triggers", "show", "raw"]) == 0
    assert "raw has not started anything yet." in capsys.readouterr().out
    assert main(["triggers", "remove", "raw"]) == 0
    assert main(["triggers", "list"]) == 0
    assert "There is no trigger." in capsys.readouterr().out


def test_status_is_of_the_run(client: Client) -> None:
    """A pruned or cancelled run has not succeeded."""
    trigger = add_trigger(
        client, TriggerKind.RUN, "train.ipynb", ending=Ending.FINISHED, action=other()
    )
    workers.write(client, "x = 1", workers.FOREVER)
    run = submit(client, kind=SweepKind.RUN)
    client.call(ops.CANCEL_SWEEP, sweep_id=run.id)
    assert wait_for(client, run.id).status is Status.CANCELLED
    assert fired(client, trigger.id)[0].reason == f"train.ipynb ({run.id}) was cancelled."


def test_pipelines(client: Client) -> None:
    """A changed input runs the pipeline, whose end sets off another trigger, and no loop."""
    root = client.project.root
    stage = {"cmd": "cp in.txt out.txt", "deps": ["in.txt"], "outs": ["out.txt"]}
    (root / "dvc.yaml").write_text(json.dumps({"stages": {"copy": stage}}))
    (root / "in.txt").write_text("1")
    repository(root)
    pipeline = m.ActionRequest(pipeline=m.PipelineRequest())
    bad = m.ActionRequest(pipeline=m.PipelineRequest(targets=["nope"]))
    with pytest.raises(MlopsError, match="nope"):
        add_trigger(client, TriggerKind.FILE, "in.txt", action=bad)
    dry = m.ActionRequest(pipeline=m.PipelineRequest(dry=True))
    with pytest.raises(InvalidInput, match="dry"):
        add_trigger(client, TriggerKind.FILE, "in.txt", action=dry)
    with pytest.raises(InvalidInput, match="Ask for the plan"):
        client.call(ops.RUN_PIPELINE, body=m.PipelineRequest(dry=True))
    changed = add_trigger(client, TriggerKind.FILE, "in.txt", action=pipeline)
    after = add_trigger(client, TriggerKind.PIPELINE, ".", ending=Ending.SUCCEEDED, action=pipeline)
    (root / "in.txt").write_text("2")
    (fire,) = fired(client, changed.id)
    assert (fire.state, fire.kind) == (FireState.STARTED, "pipeline")
    skipped, second = fired(client, after.id, 2)
    assert second.reason == f"The pipeline ({fire.started}) has succeeded."
    assert (second.state, skipped.state) == (FireState.STARTED, FireState.SKIPPED)
    done = client.call(ops.GET_PIPELINE_RUN, pipeline_id=fire.started or "").run
    assert (done.status, done.origin) == (Status.SUCCEEDED, f"trigger:{changed.id}")
    assert (root / "out.txt").read_text() == "2"
