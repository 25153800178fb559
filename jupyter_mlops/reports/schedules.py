"""What to say about schedules and triggers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from ..app import messages as m
from ..core import formats
from ..core.occasions import FireState
from .form import Column, Report, Table

_MARKS = {
    FireState.CLAIMED: "○",
    FireState.WAITING: "○",
    FireState.STARTED: "✓",
    FireState.SKIPPED: "⊘",
    FireState.FAILED: "✗",
}


def schedules_report(schedules: Sequence[m.ScheduleView]) -> Report:
    """Report schedules as a list."""
    if not schedules:
        return Report(
            headline="There is no schedule.",
            hints=(("Add one", "mlops schedules add '0 6 * * mon-fri' -- run NB"),),
        )
    columns = [Column(each) for each in ("schedule", "when", "starts", "next", "last")]
    rows = (
        (
            _named(each.id, each.name),
            f"{each.line} {each.zone}",
            each.command,
            ", ".join(_local(at, each.zone) for at in each.next) or "never",
            _last(each.last),
        )
        for each in schedules
    )
    return Report(
        headline=formats.counted(len(schedules), "schedule"),
        table=Table.of(columns, rows),
        hints=(("What one did", "mlops schedules show ID"),),
    )


def schedule_report(schedule: m.ScheduleView, verb: str) -> Report:
    """Report a schedule that was added or removed."""
    details = [f"{schedule.line} {schedule.zone}: {schedule.command}"]
    if verb == "Added":
        details.append("Next: " + ", ".join(_local(at, schedule.zone) for at in schedule.next))
    headline = f"{verb} schedule {_named(schedule.id, schedule.name)}."
    return Report(
        headline=headline,
        details=tuple(details),
        hints=(("All schedules", "mlops schedules list"),),
    )


def triggers_report(triggers: Sequence[m.TriggerView]) -> Report:
    """Report triggers as a list."""
    if not triggers:
        return Report(
            headline="There is no trigger.",
            hints=(("Add one", "mlops triggers add --file data.csv -- run NB"),),
        )
    columns = [Column(each) for each in ("trigger", "waits for", "starts", "last")]
    rows = (
        (_named(each.id, each.name), waits_for(each), each.command, _last(each.last))
        for each in triggers
    )
    return Report(
        headline=formats.counted(len(triggers), "trigger"),
        table=Table.of(columns, rows),
        hints=(("What one did", "mlops triggers show ID"),),
    )


def trigger_report(trigger: m.TriggerView, verb: str) -> Report:
    """Report a trigger that was added or removed."""
    return Report(
        headline=f"{verb} trigger {_named(trigger.id, trigger.name)}.",
        details=(f"{waits_for(trigger)}: {trigger.command}",),
        hints=(("All triggers", "mlops triggers list"),),
    )


def waits_for(trigger: m.TriggerView) -> str:
    """Say what sets a trigger off."""
    if trigger.address is not None:
        return f"POST {trigger.address}"
    if trigger.ending is None:
        return f"{trigger.kind} {trigger.subject}"
    return f"{trigger.kind} {trigger.subject or '.'} {trigger.ending}"


def fires_report(fires: Sequence[m.FireView], of: str) -> Report:
    """Report what became of the occasions of a schedule or a trigger."""
    if not fires:
        return Report(headline=f"{of} has not started anything yet.")
    columns = (
        Column("when", right=True),
        Column("what"),
        Column("started"),
        Column("why"),
    )
    rows = (
        (
            formats.ago(each.time),
            f"{_MARKS[each.state]} {each.state}",
            each.started or "",
            each.reason,
        )
        for each in fires
    )
    return Report(
        headline=f"{of}: {formats.counted(len(fires), 'occasion')}", table=Table.of(columns, rows)
    )


def upcoming_line(upcoming: m.UpcomingView) -> str:
    """Say in one line what a schedule starts next."""
    return f"Next: {upcoming.command} at {_local(upcoming.at, upcoming.zone)} {upcoming.zone}"


def _last(fire: m.FireView | None) -> str:
    if fire is None:
        return ""
    what = fire.started or fire.reason
    return f"{_MARKS[fire.state]} {fire.state} {formats.ago(fire.time)}: {what}"


def _named(record_id: str, name: str) -> str:
    return record_id if name == record_id else f"{record_id} {name}"


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"
