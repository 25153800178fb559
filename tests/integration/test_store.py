"""The store keeps its promises on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.core.exceptions import Conflict, LeaseLost, NotFound, StoreUnavailable
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import (
    MAX_LOST,
    Attempt,
    MetricPoint,
    ProcessIdentity,
    Reason,
    Status,
    Sweep,
    new_id,
)
from jupyter_mlops.store import RunFilter, Store, of_run, of_sweep
from tests.support import postgres
from tests.support.records import a_sweep

SUCCEEDED = Outcome(status=Status.SUCCEEDED, duration=1.5)
FAILED = Outcome(status=Status.FAILED, reason=Reason.ERROR, error="ValueError: no", failed_cell=2)
LOST = Outcome(status=Status.FAILED, reason=Reason.LOST, error="Its worker went away.")


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


def _submit(store: Store, number: int = 2, **changes: object) -> Sweep:
    sweep = a_sweep(total=number, **changes)
    store.queue.submit(sweep, ({"x": x} for x in range(number)))
    return sweep


def _claim(store: Store) -> Attempt:
    found = store.queue.peek()
    assert found is not None
    attempt = store.queue.claim(found[1].id, worker="w", fence=1)
    assert attempt is not None
    return attempt


def _finish(store: Store, attempt: Attempt, outcome: Outcome) -> Status:
    return store.attempts.finish(attempt, outcome, output="runs/a.ipynb", synced=True).status


def test_what_was_submitted_is_read_back(store: Store) -> None:
    """A sweep and its runs come back as they were, values with their types."""
    sweep = a_sweep(total=1, context={"git": {"commit": "abc", "dirty": True}})
    store.queue.submit(sweep, [{"i": 1, "f": 1.0, "nan": math.nan, "s": "1", "l": [None, True]}])
    assert store.history.sweep(sweep.id) == sweep
    (run,) = store.history.runs(RunFilter(sweep_id=sweep.id))
    assert run.status is Status.QUEUED
    assert math.isnan(run.parameters.pop("nan"))
    assert repr(run.parameters) == "{'i': 1, 'f': 1.0, 's': '1', 'l': [None, True]}"


def test_turns_go_by_priority_then_age_then_index(store: Store) -> None:
    """The queue is fair: who asked first is served first, unless somebody is urgent."""
    first = _submit(store)
    second = _submit(store)
    urgent = _submit(store, 1, priority=1)
    order = [_claim(store).run_id for _ in range(5)]
    assert order == [f"{urgent.id}-1"] + [f"{s.id}-{i}" for s in (first, second) for i in (1, 2)]
    assert store.queue.peek() is None


def test_a_run_is_claimed_once(store: Store) -> None:
    """However many claim at the same time, one gets the run."""
    sweep = _submit(store, 1)
    got: list[Attempt | None] = []
    threads = [
        threading.Thread(
            target=lambda: got.append(store.queue.claim(f"{sweep.id}-1", worker="w", fence=1))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in got if each is not None]) == 1


def test_metrics_that_come_late_are_added(store: Store) -> None:
    """What a tracker tells of an attempt late is added, if it is new and no attempt followed."""
    sweep = _submit(store, 1, retries=1)
    first = _claim(store)
    _finish(store, first, FAILED)
    store.attempts.add_metrics(first, {"auc": 0.5})
    assert store.history.run(f"{sweep.id}-1").metrics == {"auc": 0.5}
    last = store.history.last_seq()
    second = _claim(store)
    _finish(store, second, SUCCEEDED)
    store.attempts.add_metrics(first, {"loss": 1.0})
    store.attempts.add_metrics(second, {"plain": math.inf})
    store.attempts.add_metrics(second, {"plain": 1.0, "auc": 0.7})
    run = store.history.run(f"{sweep.id}-1")
    assert run.metrics == {"auc": 0.7, "plain": math.inf}
    told = [event.data for event in store.history.events(last, 100) if event.kind == "metrics"]
    assert told == [{"keys": ["plain"]}, {"keys": ["auc"]}]


def test_events_count_without_gaps_across_threads(store: Store) -> None:
    """Every change has the next number, also when many write at once."""
    sweep = _submit(store, 20)
    attempts = [_claim(store) for _ in range(20)]
    threads = [threading.Thread(target=_finish, args=(store, a, SUCCEEDED)) for a in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = store.history.events(0, 1000)
    assert [event.seq for event in events] == list(range(1, 42))
    assert store.history.last_seq() == 41
    assert {e.sweep_id for e in events} == {sweep.id}
    assert [e.seq for e in store.history.events(39, 1000)] == [40, 41]


def test_listeners_hear_of_a_change_after_it_is_stored(store: Store) -> None:
    """What a listener reads contains the change that it was told of."""
    seen: list[int] = []
    store.listeners.append(lambda: seen.append(store.history.last_seq()))
    _submit(store)
    _claim(store)
    assert seen == [1, 2]


def test_progress_and_metrics_are_kept(store: Store) -> None:
    """The last value of each metric stays with the run, all values by step in the series."""
    _submit(store, 1)
    attempt = _claim(store)
    kernel = ProcessIdentity(host="h", boot_id="b", pid=1, started=2.5)
    store.attempts.progress(attempt, process=kernel, start="cold", cells=3)
    store.attempts.progress(attempt, cell=1)
    for step, value in enumerate([0.5, math.inf, math.nan]):
        point = MetricPoint(key="auc", value=value, step=step, time=float(step))
        store.attempts.progress(attempt, logged=[point])
    run = store.history.run(attempt.run_id)
    assert (run.cell, run.cells) == (1, 3)
    assert math.isnan(run.metrics["auc"])
    series = store.history.series(attempt.id, "auc")
    assert [str(p.value) for p in series] == ["0.5", "inf", "nan"]
    assert store.history.attempts(attempt.run_id)[0].processes == (kernel,)
    unsynced, last = store.attempts.unsynced_points(attempt)
    assert len(unsynced) == 3
    store.attempts.mark_synced(attempt, point=last)
    assert store.attempts.unsynced_points(attempt) == ([], last)


def test_an_outcome_is_recorded_once(store: Store) -> None:
    """A second outcome of an attempt is refused, and so is one under an old fence."""
    _submit(store, 1)
    attempt = _claim(store)
    assert _finish(store, attempt, SUCCEEDED) is Status.SUCCEEDED
    with pytest.raises(LeaseLost):
        _finish(store, attempt, FAILED)
    run = store.history.run(attempt.run_id)
    assert (run.status, run.duration, run.output) == (Status.SUCCEEDED, 1.5, "runs/a.ipynb")


def test_failures_are_retried_as_often_as_asked(store: Store) -> None:
    """With two retries a run has three attempts, each with its own record."""
    _submit(store, 1, retries=2)
    states = [_finish(store, _claim(store), FAILED) for _ in range(3)]
    assert states == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    (run,) = store.history.runs(RunFilter())
    assert (run.attempts, run.reason, run.error) == (3, Reason.ERROR, "ValueError: no")
    assert [a.number for a in store.history.attempts(run.id)] == [1, 2, 3]


def test_lost_attempts_have_a_bound_of_their_own(store: Store) -> None:
    """Losing a worker uses up no retries; a run that takes every worker down is given up."""
    _submit(store, 1, retries=1)
    states = [_finish(store, _claim(store), LOST) for _ in range(MAX_LOST - 1)]
    assert set(states) == {Status.QUEUED}
    assert _finish(store, _claim(store), FAILED) is Status.QUEUED
    assert _finish(store, _claim(store), LOST) is Status.FAILED
    assert store.history.runs(RunFilter())[0].reason is Reason.LOST


def test_cancel_ends_what_waits_and_names_what_runs(store: Store) -> None:
    """Waiting runs are cancelled at once; a running one is never tried again."""
    sweep = _submit(store, 3, retries=5)
    attempt = _claim(store)
    assert store.queue.cancel(of_sweep(sweep.id)) == [attempt.run_id]
    assert store.queue.peek() is None
    assert _finish(store, attempt, LOST) is Status.FAILED
    tally = store.history.tallies([sweep.id])[sweep.id]
    assert tally.counts == {Status.CANCELLED: 2, Status.FAILED: 1}


def test_retry_queues_what_failed_or_was_cancelled(store: Store) -> None:
    """What succeeded is left alone; a retried run has all its retries again."""
    sweep = _submit(store, 3, retries=1)
    _finish(store, _claim(store), SUCCEEDED)
    for _ in range(2):
        _finish(store, _claim(store), FAILED)
    store.queue.cancel(of_sweep(sweep.id))
    assert store.queue.retry(of_sweep(sweep.id)) == 2
    retried = _claim(store)
    assert retried.number == 3
    assert _finish(store, retried, FAILED) is Status.QUEUED


def test_delete_forgets_a_finished_run_and_refuses_others(store: Store) -> None:
    """Nothing of a deleted run is left; what has not finished cannot be deleted."""
    sweep = _submit(store, 2)
    with pytest.raises(Conflict, match="Cancel it first"):
        store.queue.delete(of_sweep(sweep.id))
    for _ in range(2):
        attempt = _claim(store)
        point = MetricPoint(key="a", value=1.0, step=0, time=0.0)
        store.attempts.progress(attempt, logged=[point])
        _finish(store, attempt, SUCCEEDED)
    store.queue.delete(of_run(f"{sweep.id}-1"))
    assert store.history.sweep(sweep.id).total == 1
    with pytest.raises(NotFound, match="runs list"):
        store.history.run(f"{sweep.id}-1")
    assert store.history.series(f"{sweep.id}-1.1") == []
    store.queue.delete(of_sweep(sweep.id))
    with pytest.raises(NotFound):
        store.history.sweep(sweep.id)


def test_projects_in_one_database_do_not_see_each_other(store: Store, tmp_path: Path) -> None:
    """Every row belongs to one project."""
    _submit(store)
    url = store.queue._database.engine.url.render_as_string(hide_password=False)
    other = Store(new_id(), url=url, state=tmp_path)
    assert other.queue.peek() is None
    assert other.history.sweeps() == []
    assert other.history.last_seq() == 0
    other.close()


def test_a_lease_has_one_holder(store: Store) -> None:
    """A living holder keeps its lease, a dead one loses it, and the fence refuses its writes."""
    ours = ProcessIdentity(host="h", boot_id="b", pid=1, started=0.0)
    theirs = ProcessIdentity(host="h", boot_id="b", pid=2, started=0.0)
    fence = store.leases.acquire("worker", ours, lambda _: True)
    assert fence is not None
    assert store.leases.acquire("worker", theirs, lambda _: True) is None
    assert store.leases.acquire("worker", theirs, lambda _: None) is None
    taken = store.leases.acquire("worker", theirs, lambda _: False)
    assert taken is not None
    assert taken > fence
    with pytest.raises(LeaseLost):
        store.leases.renew("worker", fence)
    store.leases.renew("worker", taken)
    store.leases.release("worker", taken)
    # Who has let go of it may live on for a while.
    assert store.leases.acquire("worker", ours, lambda _: True) is not None


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    """An older version does not touch what it does not know."""
    store = Store("p", url=None, state=tmp_path)
    with store.queue._database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE info SET version = 99")
    store.close()
    with pytest.raises(StoreUnavailable, match="newer"):
        Store("p", url=None, state=tmp_path)


def test_a_store_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    """One line, no traceback."""
    with pytest.raises(StoreUnavailable, match="Check that it exists"):
        Store("p", url=None, state=tmp_path / "missing")
