"""Cron lines: what is read, what is refused, and when they are due where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.core.dues import Due
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.occasions import cron

MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(line: str, zone: str, after: str, number: int) -> list[str]:
    """The next times as the wall and UTC show them; one that is left out has a dash before it."""
    found = islice(cron.parse(line, zone).dues(at(after)), number)
    return [f"{'-' if due.left_out else ''}{due.local:%d %H:%M} {due.at:%d %H:%M}" for due in found]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("61 * * * *", ["minute: '61'", "0 to 59"]),
        ("* 24 * * *", ["hour: '24'", "0 to 23"]),
        ("0 0 0 * *", ["day: '0'", "1 to 31"]),
        ("0 0 * 13 *", ["month: '13'", "jan to dec"]),
        ("0 0 * * 8", ["weekday: '8'", "sun to sat"]),
        ("0 0 * * fri-mon", ["weekday: 'fri-mon'"]),
        ("*/0 * * * *", ["minute: '*/0'"]),
        ("1--2 * * * *", ["minute: '1--2'"]),
        ("a b c d e", ["minute: 'a'"]),
        ("0 0 L * *", ["day: 'L'", "no L, W, # or ?"]),
        ("0 0 15W * *", ["day: '15W'", "no L, W, # or ?"]),
        ("0 0 ? * *", ["day: '?'", "no L, W, # or ?"]),
        ("0 0 * * 5#2", ["weekday: '5#2'", "no L, W, # or ?"]),
        ("0 0 * * 5L", ["weekday: '5L'", "no L, W, # or ?"]),
        ("0 0 31 2 *", ["day: 31 never comes in month 2"]),
        ("0 0 30,31 feb *", ["day: 30,31 never comes in month feb"]),
        ("0 0 31 4,6,9,11 *", ["day: 31 never comes in month 4,6,9,11"]),
        ("0 0 * * * *", ["found 6 fields", "minute hour day month weekday"]),
        ("* * * *", ["found 4 fields"]),
        ("", ["found nothing"]),
        ("   ", ["found nothing"]),
        ("@reboot", ["'@reboot' is not supported", "@daily"]),
        ("@every 5m", ["'@every 5m' is not supported"]),
        ("\x1b[31m * * * *", ["minute:"]),
        ("1," * 500 + "1 * * * *", ["five fields"]),
    ],
)
def test_bad_lines(line: str, words: list[str]) -> None:
    """One line says which field is wrong and what it takes."""
    with pytest.raises(InvalidInput) as error:
        cron.parse(line, "UTC")
    message = error.value.message
    assert all(word in message for word in words), message
    assert error.value.field == "line"
    assert len(message) < 250
    assert message.isprintable()


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is typed, it is due at some time or refused in one line."""
    said = ""
    try:
        assert next(cron.parse(text, "Europe/Berlin").dues(at("2026-01-01")))
    except InvalidInput as error:
        said = error.message
    assert said.isprintable()


@pytest.mark.parametrize(
    ("zone", "advice"),
    [
        ("Zurich", "Did you mean Europe/Zurich?"),
        ("europe/zurich", "Did you mean Europe/Zurich?"),
        ("New York", "Did you mean America/New_York?"),
        ("Europe/Berln", "Europe/Berlin"),
        ("../../etc/passwd", "Write one like"),
        ("", "Write one like"),
    ],
)
def test_unknown_zones(zone: str, advice: str) -> None:
    """A zone that there is not is refused with those that could be meant."""
    with pytest.raises(InvalidInput) as error:
        cron.parse("@daily", zone)
    assert advice in error.value.message
    assert error.value.field == "zone"


def test_own_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a zone the machine's own is taken, by a name that can be stored."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert cron.own_zone() == "Asia/Kathmandu"
    monkeypatch.setenv("TZ", "not a zone")
    assert cron.own_zone() in available_timezones()


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("@hourly", "01 01:00"),
        ("@daily", "02 00:00"),
        ("@weekly", "04 00:00"),
        ("@monthly", "01 00:00"),
        ("@yearly", "01 00:00"),
        ("0 6 * * MON-FRI", "01 06:00"),
        ("30 5,17 * * *", "01 05:30"),
        ("0 0 29 2 *", "29 00:00"),
        ("0 0 13 * fri", "02 00:00"),
    ],
)
def test_lines(line: str, first: str) -> None:
    """Lines mean what Debian's cron takes them for; two kinds of days are either of them."""
    assert times(line, "UTC", "2026-01-01T00:00", 1)[0].startswith(first)


def test_clocks_put_forward() -> None:
    """A local time that there is not is left out; the days around it are as ever."""
    assert times("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00", 3) == [
        "28 02:30 28 01:30",
        "-29 02:30 29 01:00",
        "30 02:30 30 00:30",
    ]
    assert times("15,45 2 * * *", "America/New_York", "2026-03-08T00:00", 3) == [
        "-08 02:15 08 07:00",
        "-08 02:45 08 07:00",
        "09 02:15 09 06:15",
    ]
    assert times("0 3 * * *", "Europe/Berlin", "2026-03-29T00:00", 1) == ["29 03:00 29 01:00"]


def test_clocks_put_back() -> None:
    """A local time that comes twice is due once, at the first."""
    assert times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2) == [
        "25 02:30 25 00:30",
        "26 02:30 26 01:30",
    ]
    assert times("30 1 * * *", "America/New_York", "2026-11-01T05:30", 1) == ["02 01:30 02 06:30"]
    # Asked between the two, it was due already.
    assert times("45 2 * * *", "Europe/Berlin", "2026-10-25T01:15", 1) == ["26 02:45 26 01:45"]


def test_a_midnight_that_is_left_out() -> None:
    """In São Paulo clocks were put forward at midnight, so that a day began at one."""
    assert times("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", 2) == [
        "-04 00:00 04 03:00",
        "05 00:00 05 02:00",
    ]
    assert times("0 * * * *", "America/Sao_Paulo", "2018-11-04T01:30", 2) == [
        "03 23:00 04 02:00",
        "04 01:00 04 03:00",
    ]


def test_half_an_hour() -> None:
    """On Lord Howe clocks change by half an hour."""
    zone = "Australia/Lord_Howe"
    assert times("15 2 * * *", zone, "2026-10-03T12:00", 2) == [
        "-04 02:15 03 15:30",
        "05 02:15 04 15:15",
    ]
    assert times("45 1 * * *", zone, "2026-04-04T12:00", 2) == [
        "05 01:45 04 14:45",
        "06 01:45 05 15:15",
    ]
    assert times("0 */3 * * *", zone, "2026-10-03T13:30", 2) == [
        "04 03:00 03 16:00",
        "04 06:00 03 19:00",
    ]


def test_stars_go_by_real_time() -> None:
    """Every half an hour is every half an hour, whatever clocks do."""
    for zone, around in (("Europe/Berlin", "2026-10-24T23:10"), ("Europe/Berlin", "2026-03-29")):
        found = [each.at for each in islice(cron.parse("*/30 * * * *", zone).dues(at(around)), 9)]
        assert {b - a for a, b in pairwise(found)} == {timedelta(minutes=30)}
    assert times("5 * * * *", "Europe/Berlin", "2026-10-25T00:00", 3) == [
        "25 02:05 25 00:05",
        "25 02:05 25 01:05",
        "25 03:05 25 02:05",
    ]


# -- compared with a look at every minute --------------------------------------------------------

#: Zones, and a day on which their clocks change.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Pacific/Apia", "2011-12-30"),
    ("UTC", "2026-03-29"),
]


@st.composite
def fields(draw: st.DrawFn, top: int) -> tuple[str, frozenset[int]]:
    """A field and what it stands for."""
    form = draw(st.sampled_from(["*", "step", "one", "list", "range"]))
    if form == "*":
        return "*", frozenset(range(top))
    if form == "step":
        step = draw(st.integers(1, top - 1))
        return f"*/{step}", frozenset(range(0, top, step))
    if form == "range":
        low = draw(st.integers(0, top - 1))
        high = draw(st.integers(low, top - 1))
        return f"{low}-{high}", frozenset(range(low, high + 1))
    number = 1 if form == "one" else 3
    chosen = draw(st.sets(st.integers(0, top - 1), min_size=1, max_size=number))
    return ",".join(map(str, sorted(chosen))), frozenset(chosen)


def every_minute(
    zone: ZoneInfo, start: datetime, end: datetime, minutes: frozenset[int], hours: frozenset[int]
) -> list[datetime]:
    """The moments at which the wall shows what a line names."""
    found, moment = [], start + MINUTE
    while moment <= end:
        local = moment.astimezone(zone)
        if local.minute in minutes and local.hour in hours:
            found.append(moment)
        moment += MINUTE
    return found


@given(st.sampled_from(CHANGES), fields(60), fields(24), st.integers(-1500, 1500))
@settings(max_examples=100, deadline=None)
def test_every_minute_agrees(
    change: tuple[str, str],
    minute: tuple[str, frozenset[int]],
    hour: tuple[str, frozenset[int]],
    offset: int,
) -> None:
    """A line is due when a look at the wall every minute says so, and each local time once."""
    zone = ZoneInfo(change[0])
    start = at(change[1]) + timedelta(minutes=offset)
    end = start + timedelta(days=2)
    line = cron.parse(f"{minute[0]} {hour[0]} * * *", change[0])
    found = list(takewhile(lambda due: due.at <= end, line.dues(start)))
    assert all(a.at <= b.at for a, b in pairwise(found))
    assert all(start < each.at for each in found)
    expected = every_minute(zone, start, end, minute[1], hour[1])
    real = minute[0].startswith("*") or hour[0].startswith("*")
    if not real:
        expected = [each for each in expected if each.astimezone(zone).fold == 0]
    assert [each.at for each in found if not each.left_out] == expected
    for due in found:
        assert exists(due, zone) is not due.left_out


def exists(due: Due, zone: ZoneInfo) -> bool:
    """Whether the wall shows the time of a due at its moment."""
    return due.at.astimezone(zone).replace(tzinfo=None) == due.local


@given(st.sampled_from(CHANGES), fields(60), fields(24), st.integers(1, 2800))
@settings(max_examples=100, deadline=None)
def test_where_it_is_asked_does_not_matter(
    change: tuple[str, str],
    minute: tuple[str, frozenset[int]],
    hour: tuple[str, frozenset[int]],
    cut: int,
) -> None:
    """Looked at in two parts, a line is due at the same times, those left out included."""
    start = at(change[1]) - timedelta(days=1)
    end = start + timedelta(days=3)
    middle = start + timedelta(minutes=cut)
    line = cron.parse(f"{minute[0]} {hour[0]} * * *", change[0])

    def between(low: datetime, high: datetime) -> list[Due]:
        return list(takewhile(lambda due: due.at <= high, line.dues(low)))

    assert between(start, middle) + between(middle, end) == between(start, end)
