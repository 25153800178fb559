"""Runs that wait for a retry: by a clock that nobody can set, across restarts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_mlops.core.clock import Clock
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import ProcessIdentity, Reason, Status
from jupyter_mlops.store import Store, leases, of_run, of_sweep
from tests.support.records import a_sweep

FAILED = Outcome(status=Status.FAILED, reason=Reason.ERROR, error="ValueError: no")
DAY = 86_400.0


@dataclass
class Machine:
    """A machine whose clocks the test moves."""

    wall: float = 1_767_322_800.0
    uptime: float = 1000.0

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += seconds
        self.uptime += seconds

    def clock(self) -> Clock:
        """The clock of a program that starts now."""
        return Clock(lambda: self.wall, lambda: self.uptime)


@pytest.fixture
def machine() -> Machine:
    """A machine in the year 2026."""
    return Machine()


def _open(folder: Path, machine: Machine) -> Store:
    return Store("p", url=None, state=folder, clock=machine.clock())


def _fail(store: Store, **changes: object) -> str:
    """Submit a run and let it fail once; return its id."""
    sweep = a_sweep(total=1, **{"retries": 3, "retry_delay": 10.0, **changes})
    store.queue.submit(sweep, [{"x": 1}])
    attempt = store.queue.claim(f"{sweep.id}-1", worker="w", fence=1)
    assert attempt is not None
    store.attempts.finish(attempt, FAILED, output=None, synced=True)
    return attempt.run_id


def test_a_retry_waits_for_its_time(tmp_path: Path, machine: Machine) -> None:
    """Until then nobody can claim the run, and the queue knows how long that is."""
    store = _open(tmp_path, machine)
    run = _fail(store)
    assert store.history.run(run).status is Status.QUEUED
    machine.pass_(4)
    assert store.queue.pause() == 6
    assert store.queue.peek() is None
    assert store.queue.claim(run, worker="w", fence=1) is None
    machine.pass_(6)
    assert store.queue.pause() == 0
    assert store.queue.claim(run, worker="w", fence=1) is not None
    assert store.queue.pause() is None
    assert store.history.run(run).not_before is None
    store.close()


def test_listeners_are_told_how_long_it_waits(tmp_path: Path, machine: Machine) -> None:
    """The event of a failure that is tried again carries the pause."""
    store = _open(tmp_path, machine)
    _fail(store)
    assert store.history.events(0, 100)[-1].data == {"retry_in": 10.0}
    store.close()


def test_another_run_goes_first_meanwhile(tmp_path: Path, machine: Machine) -> None:
    """A run that waits for its retry holds up nobody."""
    store = _open(tmp_path, machine)
    _fail(store)
    later = a_sweep(total=1)
    store.queue.submit(later, [{"x": 1}])
    found = store.queue.peek()
    assert found is not None
    assert found[0].id == later.id
    store.close()


@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY])
def test_setting_the_clock_changes_nothing(tmp_path: Path, machine: Machine, jump: float) -> None:
    """The pause is kept however the clock is set while it lasts."""
    store = _open(tmp_path, machine)
    _fail(store)
    machine.wall += jump
    machine.pass_(9)
    assert store.queue.pause() == 1
    assert store.queue.peek() is None
    machine.pass_(1)
    assert store.queue.peek() is not None
    store.close()


def test_a_clock_set_back_between_workers_loses_no_retry(tmp_path: Path, machine: Machine) -> None:
    """The next worker waits no longer than the run was told to, from its own start on."""
    store = _open(tmp_path, machine)
    run = _fail(store)
    store.close()
    machine.wall -= 400 * DAY
    store = _open(tmp_path, machine)
    store.queue.settle()
    assert store.queue.pause() == 10
    machine.pass_(10)
    assert store.queue.claim(run, worker="v", fence=2) is not None
    store.close()


def test_a_restart_keeps_the_pause(tmp_path: Path, machine: Machine) -> None:
    """What is left of it is waited for by the next worker."""
    store = _open(tmp_path, machine)
    _fail(store)
    store.close()
    machine.pass_(7)
    store = _open(tmp_path, machine)
    store.queue.settle()
    assert store.queue.pause() == 3
    store.close()


def test_sleep_does_not_count(tmp_path: Path, machine: Machine) -> None:
    """A machine that slept finds the pause as it left it: monotonic clocks stand still."""
    store = _open(tmp_path, machine)
    _fail(store)
    machine.wall += 8 * 3600
    assert store.queue.pause() == 10
    store.close()


def test_asking_for_a_retry_ends_the_pause(tmp_path: Path, machine: Machine) -> None:
    """Who does not want to wait asks, and the run has all its retries again."""
    store = _open(tmp_path, machine)
    run = _fail(store)
    assert store.queue.retry(of_run(run)) == 1
    assert store.queue.peek() is not None
    assert store.queue.retry(of_run(run)) == 0
    store.close()


def test_cancelling_ends_the_pause(tmp_path: Path, machine: Machine) -> None:
    """A cancelled run is not tried again when its time comes."""
    store = _open(tmp_path, machine)
    run = _fail(store)
    store.queue.cancel(of_sweep(run.partition("-")[0]))
    machine.pass_(60)
    assert store.queue.pause() is None
    assert store.queue.peek() is None
    assert store.history.run(run).status is Status.CANCELLED
    store.close()


def test_a_lease_is_not_lost_by_the_clock(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder on this machine that lives keeps its lease, whatever its expiry says."""
    store = _open(tmp_path, machine)
    ours = ProcessIdentity(host="h", boot_id="b", pid=1, started=0.0)
    theirs = ProcessIdentity(host="h", boot_id="b", pid=2, started=0.0)
    monkeypatch.setattr(leases, "TTL", -3600.0)  # expires long ago, as after a jump of the clock
    fence = store.leases.acquire("worker", ours, lambda _: True)
    assert fence is not None
    assert store.leases.acquire("worker", theirs, lambda _: True) is None
    store.leases.renew("worker", fence)
    store.close()
