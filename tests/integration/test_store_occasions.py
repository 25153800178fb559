"""Schedules and triggers in the store: each occasion is decided on once, by one worker."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jupyter_mlops.core.exceptions import Conflict, LeaseLost, NotFound
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.occasions import FireState, Missed, Overlap, TriggerKind
from jupyter_mlops.core.runs import Attempt, ProcessIdentity, Status, Sweep, SweepKind, new_id
from jupyter_mlops.execution.processes import identify, is_alive
from jupyter_mlops.store import OCCASIONS, Store, find, of_sweep
from tests.support import postgres
from tests.support.occasions import a_fire, a_schedule, a_trigger
from tests.support.records import a_sweep

SECOND = timedelta(seconds=1)
SUCCEEDED = Outcome(status=Status.SUCCEEDED, duration=1.5)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """The URL of a real server."""
    reason = postgres.missing()
    if reason:
        pytest.skip(reason)
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of a project of its own."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = Store(new_id(), url=url, state=tmp_path)
    yield made
    made.close()


def lead(store: Store, holder: ProcessIdentity | None = None) -> int:
    """Become the one that decides."""
    fence = store.leases.acquire(OCCASIONS, holder or identify(os.getpid()), is_alive)
    assert fence is not None
    return fence


def run(store: Store, **changes: object) -> Sweep:
    """Execute a run of a notebook to its end."""
    sweep = a_sweep(kind=SweepKind.RUN, total=1, **changes)
    store.queue.submit(sweep, [{"x": 1}])
    finish(store, begin(store))
    return sweep


def begin(store: Store) -> Attempt:
    """Begin the attempt whose turn it is."""
    found = store.queue.peek()
    assert found is not None
    attempt = store.queue.claim(found[1].id, worker="w", fence=1)
    assert attempt is not None
    return attempt


def finish(store: Store, attempt: Attempt, outcome: Outcome = SUCCEEDED) -> None:
    """End an attempt."""
    store.attempts.finish(attempt, outcome, output=None, synced=True)


def test_they_are_kept(store: Store) -> None:
    """What is added is read as it was, and gone when it is removed."""
    schedule = a_schedule(zone="Europe/Berlin", missed=Missed.ONCE, overlap=Overlap.QUEUE)
    trigger = a_trigger(accept=("day",), state={"data.csv": "0" * 64})
    assert not store.occasions.exist()
    store.occasions.add(schedule)
    store.occasions.add(trigger)
    assert store.occasions.schedules() == [schedule]
    assert store.occasions.triggers() == [trigger]
    store.occasions.call(a_fire(trigger.origin))
    store.occasions.remove(schedule)
    store.occasions.remove(trigger)
    assert not store.occasions.exist()
    assert store.occasions.fires() == []
    assert [each.data for each in store.history.events(0, 10)][-1] == {"removed": trigger.origin}


def test_names(store: Store) -> None:
    """They are found by name, id, or its first letters; a name is taken once."""
    schedule = a_schedule(id="k3m9x2ab", name="nightly")
    store.occasions.add(schedule)
    with pytest.raises(Conflict, match="The name nightly is taken"):
        store.occasions.add(a_schedule(name="nightly"))
    store.occasions.add(a_trigger(name="nightly"))
    store.occasions.add(a_schedule(id="k3aaaaaa"))
    known = store.occasions.schedules()
    for wanted in ("nightly", "k3m9x2ab", "k3m", "schedule:k3m9x2ab"):
        assert find(known, wanted, "schedule") == schedule
    with pytest.raises(NotFound, match="k3 may mean several schedules"):
        find(known, "k3", "schedule")
    with pytest.raises(NotFound, match="There is no schedule weekly"):
        find(known, "weekly", "schedule")


def test_decided_once(store: Store) -> None:
    """Of many who decide on the same time, one does, and its fires are the only ones."""
    fence = lead(store)
    schedule = a_schedule()
    store.occasions.add(schedule)
    now = schedule.decided_until + SECOND
    done: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: done.append(
                store.occasions.decide(schedule, now, [a_fire(schedule.origin)], fence=fence)
            )
        )
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False] * 4 + [True]
    (fire,) = store.occasions.open()
    assert store.occasions.schedules()[0].decided_until == now
    event = store.history.events(0, 100)[-1]
    assert (event.kind, event.data["fire"], event.data["state"]) == (
        "schedule",
        fire.id,
        "claimed",
    )


def test_a_trigger_is_decided_on_once(store: Store) -> None:
    """How things stand and what follows are noted together."""
    fence = lead(store)
    trigger = a_trigger(kind=TriggerKind.FILE, state={"a": "1"})
    store.occasions.add(trigger)
    fires = [a_fire(trigger.origin)]
    assert store.occasions.advance(trigger, {"a": "2"}, fires, fence=fence)
    assert not store.occasions.advance(trigger, {"a": "2"}, [a_fire("x")], fence=fence)
    assert store.occasions.open() == fires
    assert store.occasions.triggers() == [replace(trigger, state={"a": "2"}, turn=1)]


def test_only_the_leader_decides(store: Store) -> None:
    """A worker whose lease another has taken is refused, and changes nothing."""
    dead = ProcessIdentity(**{**_as_dict(identify(os.getpid())), "pid": 2**22, "started": 1.0})
    old = lead(store, dead)
    schedule = a_schedule()
    store.occasions.add(schedule)
    new = lead(store)
    now = schedule.decided_until + SECOND
    with pytest.raises(LeaseLost):
        store.occasions.decide(schedule, now, [a_fire(schedule.origin)], fence=old)
    assert store.occasions.open() == []
    assert store.occasions.schedules() == [schedule]
    assert store.occasions.decide(schedule, now, [a_fire(schedule.origin)], fence=new)


def _as_dict(identity: ProcessIdentity) -> dict[str, object]:
    return {name: getattr(identity, name) for name in ProcessIdentity.__slots__}


def test_history_is_kept_for_a_while(store: Store) -> None:
    """What became of occasions is told newest first; after 90 days it is forgotten."""
    trigger = a_trigger()
    store.occasions.add(trigger)
    now = datetime.now(UTC)
    old = a_fire(trigger.origin, time=now - timedelta(days=91))
    store.occasions.call(old)
    started = {"reason": "", "kind": "sweep", "started": old.id}
    store.occasions.settle(old, FireState.STARTED, **started)
    forgotten_never = a_fire(trigger.origin, time=now - timedelta(days=91))
    store.occasions.call(forgotten_never)
    recent = a_fire(trigger.origin)
    store.occasions.call(recent)
    assert store.occasions.fires(trigger.origin) == [recent, forgotten_never]


def test_ends_are_told_once(store: Store) -> None:
    """A sweep has ended when the last of its runs has, whatever is read when."""
    sweep = a_sweep(total=2)
    store.queue.submit(sweep, [{"x": 1}, {"x": 2}])
    first, second = begin(store), begin(store)
    finish(store, first)
    last, ended, _ = store.causes.endings(0)
    assert ended == []
    finish(store, second)
    single = run(store, notebook="other.ipynb")
    end, ended, _ = store.causes.endings(last)
    assert [(each.kind, each.id, each.subject, each.status) for each in ended] == [
        (TriggerKind.SWEEP, sweep.id, "train.ipynb", Status.SUCCEEDED),
        (TriggerKind.RUN, single.id, "other.ipynb", Status.SUCCEEDED),
    ]
    assert store.causes.endings(end) == (end, [], None)


def test_how_a_sweep_ended(store: Store) -> None:
    """One failed run makes a failed sweep; cancelled runs make a cancelled one."""
    failed = a_sweep(total=2)
    store.queue.submit(failed, [{"x": 1}, {"x": 2}])
    finish(store, begin(store), Outcome(status=Status.FAILED, error="no"))
    finish(store, begin(store))
    cancelled = a_sweep(total=1)
    store.queue.submit(cancelled, [{"x": 1}])
    store.queue.cancel(of_sweep(cancelled.id))
    _, ended, _ = store.causes.endings(0)
    assert {each.id: each.status for each in ended} == {
        failed.id: Status.FAILED,
        cancelled.id: Status.CANCELLED,
    }


def test_what_led_to_what(store: Store) -> None:
    """A run that was started from within another one counts as the doing of what started that."""
    trigger = a_trigger()
    store.occasions.add(trigger)
    fire = a_fire(trigger.origin, chain=("schedule:s", trigger.origin))
    store.occasions.call(fire)
    outer = run(store, id=fire.id)
    store.occasions.settle(fire, FireState.STARTED, reason="", kind="sweep", started=fire.id)
    inner = run(store, context={"parent_attempt": f"{outer.id}-1.1"})
    innermost = run(store, context={"parent_attempt": f"{inner.id}-1.1"})
    other = run(store)
    for each in (outer, inner, innermost):
        assert store.causes.chain_of(each.id) == ("schedule:s", trigger.origin)
    assert store.causes.chain_of(other.id) == ()


def test_what_was_active(store: Store) -> None:
    """What a trigger led to is active from its submission to the end of its last run."""
    trigger = a_trigger()
    store.occasions.add(trigger)
    fire = a_fire(trigger.origin)
    store.occasions.call(fire)
    before = datetime.now(UTC) - timedelta(minutes=1)
    sweep = a_sweep(id=fire.id, total=1, created_at=datetime.now(UTC))
    store.queue.submit(sweep, [{"x": 1}])
    store.occasions.settle(fire, FireState.STARTED, reason="", kind="sweep", started=fire.id)
    assert store.causes.is_running("sweep", fire.id)
    now = datetime.now(UTC)
    assert store.causes.active(trigger.origin, now, now) == fire.id
    assert store.causes.active(trigger.origin, before, before) is None
    assert store.causes.active("trigger:other", now, now) is None
    finish(store, begin(store))
    assert not store.causes.is_running("sweep", fire.id)
    later = datetime.now(UTC) + SECOND
    assert store.causes.active(trigger.origin, now, now) == fire.id
    assert store.causes.active(trigger.origin, later, later) is None
