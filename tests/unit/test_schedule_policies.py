"""What becomes of the times at which a schedule is due, by its policies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyter_mlops.core.occasions import MAX_DEPTH, Fire, FireState, Missed, Overlap, refusal
from jupyter_mlops.core.policies import COUNTED, decide
from jupyter_mlops.occasions import cron
from tests.support.occasions import a_schedule

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def decided(
    after: datetime,
    now: datetime,
    *,
    line: str = "0 * * * *",
    zone: str = "UTC",
    running: str | None = None,
    waiting: bool = False,
    **changes: Any,
) -> list[Fire]:
    """Decide on the times between two moments."""
    schedule = a_schedule(line=line, zone=zone, decided_until=after, **changes)
    dues = cron.parse(line, zone).dues(after)
    return decide(schedule, dues, now, running=running, waiting=waiting)


def test_due_now() -> None:
    """What is due is claimed once, with what led to it."""
    (fire,) = decided(NOON - SECOND, NOON + SECOND)
    assert (fire.state, fire.due, fire.time) == (FireState.CLAIMED, NOON, NOON + SECOND)
    assert fire.chain == (fire.origin,)
    assert decided(NOON, NOON + SECOND) == []


def test_missed_and_skipped() -> None:
    """After a night without a worker it is told what was missed, and nothing starts."""
    (fire,) = decided(NOON - timedelta(hours=8.5), NOON - timedelta(minutes=30))
    assert (fire.state, fire.count) == (FireState.SKIPPED, 8)
    assert fire.reason == (
        "No worker ran, or the machine slept, at 8 times from 2026-05-01 04:00 to 2026-05-01 11:00."
    )


def test_missed_and_made_up_for() -> None:
    """With ``once`` it starts once, however many were missed."""
    (fire,) = decided(NOON - timedelta(hours=8.5), NOON - timedelta(minutes=30), missed=Missed.ONCE)
    assert (fire.state, fire.count, fire.due) == (FireState.CLAIMED, 8, NOON - timedelta(hours=1))
    assert fire.reason.endswith("This makes up for it.")


@pytest.mark.parametrize("missed", Missed)
def test_missed_and_due_now(missed: Missed) -> None:
    """What is due now makes up for what was missed: it does not start twice."""
    told, fire = decided(NOON - timedelta(hours=3.5), NOON + SECOND, missed=missed)
    assert (told.state, told.count) == (FireState.SKIPPED, 3)
    assert (fire.state, fire.due) == (FireState.CLAIMED, NOON)


def test_a_little_late_is_not_missed() -> None:
    """A worker that was busy for some seconds has missed nothing."""
    (fire,) = decided(NOON - SECOND, NOON + timedelta(seconds=59))
    assert fire.state is FireState.CLAIMED
    (fire,) = decided(NOON - SECOND, NOON + timedelta(seconds=61))
    assert fire.state is FireState.SKIPPED


def test_missed_for_years() -> None:
    """However long it was, the look takes a bounded time and says that they were many."""
    (fire,) = decided(NOON - timedelta(days=1000), NOON, line="* * * * *", missed=Missed.ONCE)
    assert fire.state is FireState.CLAIMED
    assert f"more than {COUNTED:,} times" in fire.reason


def test_overlap() -> None:
    """While the last one runs it is skipped, or one waits for its end."""
    (fire,) = decided(NOON - SECOND, NOON + SECOND, running="k3m9x2ab")
    assert (fire.state, fire.reason) == (
        FireState.SKIPPED,
        "The last one, k3m9x2ab, still runs.",
    )
    queue = {"running": "k3m9x2ab", "overlap": Overlap.QUEUE}
    (fire,) = decided(NOON - SECOND, NOON + SECOND, **queue)
    assert (fire.state, fire.reason) == (FireState.WAITING, "It waits for the end of k3m9x2ab.")
    (fire,) = decided(NOON - SECOND, NOON + SECOND, waiting=True, **queue)
    assert (fire.state, fire.reason) == (
        FireState.SKIPPED,
        "One waits already for the end of k3m9x2ab.",
    )


def test_two_at_once() -> None:
    """Two times that are seen together count as one after the other."""
    look = (NOON - SECOND, NOON + timedelta(seconds=60))
    first, second = decided(*look, line="* * * * *")
    assert (first.state, second.state) == (FireState.CLAIMED, FireState.SKIPPED)
    assert second.reason == f"The last one, {first.id}, still runs."
    first, second = decided(*look, line="* * * * *", overlap=Overlap.QUEUE)
    assert (first.state, second.state) == (FireState.CLAIMED, FireState.WAITING)


def test_left_out() -> None:
    """A local time that there is not is told, and nothing starts."""
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    (fire,) = decided(change - SECOND, change, line="30 2 * * *", zone="Europe/Berlin")
    assert (fire.state, fire.due) == (FireState.SKIPPED, change)
    assert fire.reason == "02:30 did not exist on 2026-03-29: clocks were put forward."


def test_no_trigger_goes_on_for_ever() -> None:
    """A trigger is not set off by its own work, and only so many follow one another."""
    assert refusal("trigger:a", ()) is None
    assert refusal("trigger:a", ("schedule:s", "trigger:b")) is None
    assert "for ever" in (refusal("trigger:a", ("trigger:a", "trigger:b")) or "")
    long = tuple(f"trigger:{number}" for number in range(MAX_DEPTH))
    assert refusal("trigger:a", long[1:]) is None
    assert f"{MAX_DEPTH} triggers in a row" in (refusal("trigger:a", long) or "")
