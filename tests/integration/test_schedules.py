"""Schedules and a real worker: what starts, when, and what does not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import unfinished
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.cli import main
from jupyter_mlops.core.exceptions import Conflict, InvalidInput, NotFound
from jupyter_mlops.core.occasions import FireState, Missed, Overlap, TriggerKind
from jupyter_mlops.core.runs import ProcessIdentity, Status
from jupyter_mlops.execution.processes import identify, is_alive
from jupyter_mlops.store import OCCASIONS, schema
from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.support.occasions import (
    a_fire,
    add_schedule,
    add_trigger,
    fired,
    fires,
    open_store,
    rewind,
    run_request,
)
from tests.support.workers import wait_for


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of a project with a notebook."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        workers.write(made, "x = 1", "print(x)")
        yield made


def sweeps(client: Client) -> list[m.SweepView]:
    """All that was submitted."""
    return client.call(ops.LIST_SWEEPS, query=m.ListQuery())


def now_line() -> str:
    """A line that is due in this minute, and not again before tomorrow."""
    now = datetime.now(UTC)
    return f"{now.minute} {now.hour} * * *"


def due_now(client: Client, **given: object) -> m.ScheduleView:
    """Add a schedule that is due at once."""
    schedule = add_schedule(client, now_line(), missed=Missed.ONCE, **given)
    rewind(client, schedule.id, minutes=2)
    return schedule


def test_it_starts_what_is_due(client: Client) -> None:
    """A run starts with its parameters, by the schedule, and the list tells which."""
    schedule = due_now(client)
    (fire,) = fired(client, schedule.id)
    assert (fire.state, fire.kind, fire.origin) == (
        FireState.STARTED,
        "sweep",
        f"schedule:{schedule.id}",
    )
    assert wait_for(client, fire.started or "").status is Status.SUCCEEDED
    detail = client.call(ops.GET_RUN, run_id=f"{fire.started}-1")
    assert detail.context["origin"] == fire.origin
    (shown,) = client.call(ops.LIST_SCHEDULES)
    assert shown.last == fire
    assert (shown.command, len(shown.next)) == ("run train.ipynb", 3)


def test_missed_while_no_worker_ran(client: Client) -> None:
    """After a night without a worker one catches up once, the other tells what it missed."""
    line = f"{(datetime.now(UTC).minute + 30) % 60} * * * *"  # none of them is due now
    skips = add_schedule(client, line, name="skips")
    catches_up = add_schedule(client, line, name="once", missed=Missed.ONCE)
    workers.stop(client.project.root)
    for each in (skips, catches_up):
        rewind(client, each.id, hours=5)
    connect(client.project)
    (told,) = fired(client, "skips")
    assert (told.state, told.count) == (FireState.SKIPPED, 5)
    assert told.reason.startswith("No worker ran, or the machine slept, at 5 times")
    (caught,) = fired(client, "once")
    assert (caught.state, caught.count) == (FireState.STARTED, 5)
    assert len(sweeps(client)) == 1


def test_overlap(client: Client) -> None:
    """While the last one runs, the next is skipped, or one waits for its end."""
    gate = client.project.root / "gate"
    hold = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    workers.write(client, "x = 1", hold)
    skips = due_now(client, name="skips")
    queues = due_now(client, name="queues", overlap=Overlap.QUEUE)
    (first,) = fired(client, "skips")
    (second,) = fired(client, "queues")
    for each in (skips, queues):
        rewind(client, each.id, minutes=2)
    (waiting,) = fired(client, "queues", states=[FireState.WAITING])
    assert waiting.reason.endswith(f"It waits for the end of {second.started}.")
    rewind(client, queues.id, minutes=2)
    skipped = fired(client, "skips", 2)[0]
    assert skipped.state is FireState.SKIPPED
    assert f"The last one, {first.started}, still runs." in skipped.reason
    assert (
        f"One waits already for the end of {second.started}."
        in fired(client, "queues", 2)[0].reason
    )
    assert [each.state for each in fires(client, "queues")].count(FireState.WAITING) == 1
    gate.touch()
    done = fired(client, "queues", 3)
    started = [each.started for each in done if each.state is FireState.STARTED]
    assert len(started) == 2
    assert wait_for(client, started[0] or "").status is Status.SUCCEEDED


def test_claimed_by_a_worker_that_was_killed(client: Client) -> None:
    """What it had claimed and not started is started by the next one, and once."""
    schedule = add_schedule(client)
    workers.kill(client)
    with open_store(client) as store:
        dead = identify(os.getpid())
        dead = ProcessIdentity(host=dead.host, boot_id=dead.boot_id, pid=dead.pid, started=1.0)
        fence = store.leases.acquire(OCCASIONS, dead, is_alive)
        assert fence is not None
        known = store.occasions.schedules()[0]
        fire = a_fire(known.origin)
        store.occasions.decide(known, datetime.now(UTC), [fire], fence=fence)
    connect(client.project)
    (found,) = fired(client, schedule.id)
    assert (found.state, found.started) == (FireState.STARTED, fire.id)
    assert wait_for(client, fire.id).counts.succeeded == 1


def test_started_by_a_worker_that_was_killed(client: Client) -> None:
    """What it had started and not noted as started does not start again."""
    schedule = due_now(client)
    (fire,) = fired(client, schedule.id)
    wait_for(client, fire.started or "")
    workers.kill(client)
    with open_store(client) as store, store._database.transaction() as transaction:
        values = {"state": FireState.CLAIMED, "kind": None, "started": None}
        transaction.connection.execute(schema.fires.update().values(**values))
    connect(client.project)
    (again,) = fired(client, schedule.id)
    assert again == fire
    assert [each.id for each in sweeps(client)] == [fire.started]


def test_killed_at_any_moment(client: Client) -> None:
    """However soon after the claim the worker is killed, each call starts one run."""
    trigger = add_trigger(client, TriggerKind.HTTP)
    for number in range(1, 4):
        client.call(ops.FIRE_TRIGGER, trigger_id=trigger.id, body=m.FireRequest())
        workers.kill(client)
        connect(client.project)
        found = fired(client, trigger.id, number)
        assert [each.state for each in found] == [FireState.STARTED] * number
    assert sorted(each.id for each in sweeps(client)) == sorted(each.id for each in found)


def test_what_cannot_start(client: Client) -> None:
    """A notebook that is gone by then is told, and the schedule goes on."""
    workers.write(client, "x = 1", name="gone.ipynb")
    gone = run_request("gone.ipynb")
    schedule = add_schedule(client, now_line(), missed=Missed.ONCE, action=gone)
    (client.project.root / "gone.ipynb").unlink()
    rewind(client, schedule.id, minutes=2)
    (fire,) = fired(client, schedule.id)
    assert (fire.state, fire.started) == (FireState.FAILED, None)
    assert "gone.ipynb" in fire.reason
    workers.write(client, "x = 1", name="gone.ipynb")
    rewind(client, schedule.id, minutes=2)
    assert fired(client, schedule.id, 2)[0].state is FireState.STARTED


def test_a_clock_that_was_set_back(client: Client) -> None:
    """After a clock that was far ahead is set right, the schedule goes on from now."""
    schedule = add_schedule(client, "@hourly")
    rewind(client, schedule.id, days=-400)
    with open_store(client) as store:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        for event in client.events(0, beat=1):
            if store.occasions.schedules()[0].decided_until < soon:
                break
            assert event is None or event.seq < 1000
    assert fires(client, schedule.id) == []


def test_a_worker_stays_for_its_schedules(tmp_path: Path) -> None:
    """It does not end when idle while there is one, and ends when the last one is removed."""
    folder = workers.make_project(tmp_path / "project", "idle_minutes = 0.1\n")
    write_notebook(folder / "train.ipynb", "x = 1")
    client = connect(folder)
    schedule = add_schedule(client)
    process = psutil.Process(client.call(ops.HEALTH).pid)
    with pytest.raises(psutil.TimeoutExpired):
        process.wait(10)
    assert unfinished.marked(tmp_path) == [folder]
    client.call(ops.REMOVE_SCHEDULE, schedule_id=schedule.id)
    process.wait(60)
    assert unfinished.marked(tmp_path) == []


def test_refused_at_once(client: Client) -> None:
    """What could not start is refused when it is added, and nothing is stored."""
    bad: list[dict[str, object]] = [
        {"line": "0 0 31 2 *"},
        {"zone": "Europe/Atlantis"},
        {"action": m.ActionRequest()},
        {"action": m.ActionRequest(submit=m.SubmitRequest(notebook="none.ipynb"))},
        {"action": m.ActionRequest(submit=m.SubmitRequest(notebook="../train.ipynb"))},
        {
            "action": m.ActionRequest(
                submit=m.SubmitRequest(notebook="train.ipynb", space={"nope": "1"})
            )
        },
        {"action": m.ActionRequest(pipeline=m.PipelineRequest())},
    ]
    for each in bad:
        with pytest.raises(InvalidInput):
            add_schedule(client, **each)  # type: ignore[arg-type]
    assert client.call(ops.LIST_SCHEDULES) == []
    assert not list((client.project.state / "snapshots").glob("*"))
    add_schedule(client, name="nightly")
    with pytest.raises(Conflict):
        add_schedule(client, name="nightly")
    with pytest.raises(NotFound):
        client.call(ops.REMOVE_SCHEDULE, schedule_id="none")


def test_from_a_shell(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands behind -- is read by the command itself, checked, kept and shown."""
    monkeypatch.chdir(client.project.root)
    monkeypatch.setenv("SECRET_OF_MINE", "hunter2")
    add = ["schedules", "add", "0 6 * * mon-fri", "--zone", "Europe/Zurich", "--name", "nightly"]
    assert (
        main([*add, "--", "sweep", "train.ipynb", "x=1,2", "--metric", "auc", "--cpus", "1"]) == 0
    )
    shown = capsys.readouterr().out
    assert "sweep train.ipynb x=1,2 --metric auc --cpus 1" in shown
    assert shown.count(" 06:00") == 3
    assert main(["schedules", "list"]) == 0
    assert "0 6 * * mon-fri Europe/Zurich" in capsys.readouterr().out
    assert main([]) == 0
    assert "Next: sweep train.ipynb x=1,2" in capsys.readouterr().out
    for words, said in [
        (["--", "sweep", "train.ipynb", "--explain"], "--explain starts nothing"),
        (["--", "run", "train.ipynb", "--bogus"], "No such option '--bogus'"),
        (["--", "run", "train.ipynb", "x=1,2"], "run takes one value"),
        (["--", "run", "nope.ipynb"], "There is no notebook nope.ipynb"),
        (["--", "doctor"], "Say behind -- what to start"),
        ([], "Say behind -- what to start"),
    ]:
        assert main(["schedules", "add", "@daily", *words]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert len(error.splitlines()) == 1
    assert main(["schedules", "add", "0", "6", "a.csv", "b.csv", "--", "run", "train.ipynb"]) == 2
    assert "found 4 fields" in capsys.readouterr().err
    stored = b"".join(each.read_bytes() for each in client.project.state.glob("store.db*"))
    assert b"nightly" in stored
    assert b"hunter2" not in stored
    assert main(["schedules", "remove", "nightly"]) == 0
    assert client.call(ops.LIST_SCHEDULES) == []


@pytest.mark.slow
def test_a_real_minute(client: Client) -> None:
    """A schedule of every minute starts at the minute, by the clock on the wall."""
    schedule = add_schedule(client, "* * * * *")
    (fire,) = fired(client, schedule.id)
    assert fire.due.second == fire.due.microsecond == 0
    assert fire.time - fire.due < timedelta(seconds=30)
    assert wait_for(client, fire.started or "").status is Status.SUCCEEDED
