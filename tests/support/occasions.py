"""Schedules, triggers and fires for tests, with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.occasions import (
    Fire,
    FireState,
    Missed,
    Overlap,
    Schedule,
    Trigger,
    TriggerKind,
)
from jupyter_mlops.core.runs import SweepKind, new_id
from jupyter_mlops.store import Store, schema

#: What is started: a run of a notebook.
ACTION = {"kind": "sweep", "request": {"notebook": "train.ipynb", "kind": "run"}}


def a_schedule(**changes: Any) -> Schedule:
    """Return a schedule of every hour."""
    now = datetime.now(UTC)
    base = Schedule(
        id=new_id(),
        name=new_id(),
        line="0 * * * *",
        zone="UTC",
        missed=Missed.SKIP,
        overlap=Overlap.SKIP,
        action=ACTION,
        created_at=now,
        decided_until=now,
    )
    return replace(base, **changes)


def a_trigger(**changes: Any) -> Trigger:
    """Return a trigger that waits for calls."""
    base = Trigger(
        id=new_id(),
        name=new_id(),
        kind=TriggerKind.HTTP,
        subject="",
        ending=None,
        accept=(),
        action=ACTION,
        created_at=datetime.now(UTC),
        state=None,
    )
    return replace(base, **changes)


def a_fire(origin: str, **changes: Any) -> Fire:
    """Return a fire that was claimed just now."""
    now = datetime.now(UTC)
    base = Fire(
        id=new_id(),
        origin=origin,
        state=FireState.CLAIMED,
        reason="due",
        due=now,
        time=now,
        chain=(origin,),
    )
    return replace(base, **changes)


def fires(client: Client, of: str) -> list[m.FireView]:
    """What became of the occasions of a schedule or trigger, newest first."""
    return client.call(ops.LIST_FIRES, query=m.FiresQuery(of=of))


#: What has become of an occasion that is done with.
SETTLED = (FireState.STARTED, FireState.SKIPPED, FireState.FAILED)


def fired(
    client: Client, of: str, number: int = 1, states: Collection[FireState] = SETTLED
) -> list[m.FireView]:
    """Wait until so many occasions were started, skipped or failed; newest first."""
    for event in client.events(0, beat=5):
        if event is None or event.kind == "schedule":
            found = [each for each in fires(client, of) if each.state in states]
            if len(found) >= number:
                return found
    raise AssertionError


def run_request(notebook: str = "train.ipynb", **space: str) -> m.ActionRequest:
    """Ask for a run of a notebook."""
    request = m.SubmitRequest(notebook=notebook, space=space, kind=SweepKind.RUN)
    return m.ActionRequest(submit=request)


def add_schedule(client: Client, line: str = "@yearly", **given: Any) -> m.ScheduleView:
    """Add a schedule of a run."""
    body = m.ScheduleRequest(**{"line": line, "action": run_request(), "zone": "UTC"} | given)
    return client.call(ops.ADD_SCHEDULE, body=body)


def add_trigger(
    client: Client, kind: TriggerKind, subject: str = "", **given: Any
) -> m.TriggerView:
    """Add a trigger of a run."""
    fields: dict[str, Any] = {"kind": kind, "subject": subject, "action": run_request()}
    return client.call(ops.ADD_TRIGGER, body=m.TriggerRequest(**fields | given))


def rewind(client: Client, schedule: str, **past: float) -> None:
    """Make the last decision about a schedule lie in the past, and have the worker look."""
    with open_store(client) as store:
        known = next(each for each in store.occasions.schedules() if each.id == schedule)
        moment = datetime.now(UTC) - timedelta(**past)
        with store._database.transaction() as transaction:
            transaction.connection.execute(
                schema.schedules.update()
                .where(schema.schedules.c.id == known.id)
                .values(decided_until=moment)
            )
    if client.alive() is not None:
        trigger = add_trigger(client, TriggerKind.HTTP)
        client.call(ops.REMOVE_TRIGGER, trigger_id=trigger.id)


@contextmanager
def open_store(client: Client) -> Iterator[Store]:
    """Open the store of a project, as another process."""
    project = client.project
    store = Store(project.id, url=None, state=project.state)
    try:
        yield store
    finally:
        store.close()
