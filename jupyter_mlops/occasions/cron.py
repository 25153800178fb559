"""Cron lines, as Debian's cron reads them, without what other crons have added."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from ..core.dues import Due, dues
from ..core.exceptions import InvalidInput

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

#: The fields in their order, and what each takes.
_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day": "1 to 31",
    "month": "1 to 12 or jan to dec",
    "weekday": "0 to 7 (0 and 7 are Sunday) or sun to sat",
}
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAYS = "sun|mon|tue|wed|thu|fri|sat"
_NAMES = {"month": f"|{_MONTHS}", "weekday": f"|{_WEEKDAYS}"}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line in a time zone."""

    #: Five fields.
    fields: str
    zone: ZoneInfo

    def dues(self, after: datetime) -> Iterator[Due]:
        """Yield the times that follow a moment, those left out by the clocks' change included."""
        minute, hour, *_ = self.fields.split()
        real = minute.startswith("*") or hour.startswith("*")
        return dues(lambda local: CronSim(self.fields, local), self.zone, after, real=real)


@lru_cache(maxsize=1000)
def parse(line: str, zone: str) -> Cron:
    """Read a line and the name of a zone. Raises `InvalidInput` naming what is wrong."""
    return Cron(_fields(line), find_zone(zone))


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone. Raises `InvalidInput` with names that are close."""
    known = available_timezones()
    if name in known:
        return ZoneInfo(name)
    close = _close_zones(name, known)
    advice = (
        f"Did you mean {' or '.join(close)}?" if close else "Write one like Europe/Zurich or UTC."
    )
    raise InvalidInput(f"zone: there is no time zone {_shown(name)}. {advice}", field="zone")


def own_zone() -> str:
    """Return the name of this machine's time zone; UTC if it cannot be told."""
    known = available_timezones()
    candidates = [os.environ.get("TZ", "").lstrip(":")]
    candidates.append(os.path.realpath("/etc/localtime").partition("zoneinfo/")[2])
    with contextlib.suppress(OSError, UnicodeDecodeError):
        candidates.append(Path("/etc/timezone").read_text("utf-8").strip())
    found = next((each for each in candidates if each in known), "UTC")
    return "UTC" if found == "Etc/UTC" else found


def _close_zones(name: str, known: set[str]) -> list[str]:
    """Return the zones that could be meant: by the whole name, or by the city's alone."""
    wanted = name.strip().replace(" ", "_").lower()
    whole = {each.lower(): each for each in known}
    cities = {each.rpartition("/")[2].lower(): each for each in sorted(known, reverse=True)}
    if wanted in whole:
        return [whole[wanted]]
    found = [whole[each] for each in difflib.get_close_matches(wanted, whole, n=2, cutoff=0.75)]
    city = wanted.rpartition("/")[2]
    found += [cities[each] for each in difflib.get_close_matches(city, cities, n=2, cutoff=0.75)]
    return list(dict.fromkeys(found))[:3]


def _fields(line: str) -> str:
    text = line.strip().lower()
    if text.startswith("@"):
        if text not in NICKNAMES:
            known = "@hourly, @daily, @weekly, @monthly or @yearly"
            raise _refused(f"{_shown(text)} is not supported. Write {known}, or five fields.")
        return NICKNAMES[text]
    parts = text.split()
    if len(parts) != len(_FIELDS) or len(text) > _LONGEST:
        number = f"{len(parts)} field{'' if len(parts) == 1 else 's'}" if parts else "nothing"
        raise _refused(
            f"five fields are needed, minute hour day month weekday; found {number}. "
            "Write a line like '0 6 * * mon-fri', in quotes."
        )
    for name, part in zip(_FIELDS, parts, strict=True):
        _check(name, part)
    fields = " ".join(parts)
    _check_ever(fields)
    return fields


def _check(name: str, part: str) -> None:
    if name in ("day", "weekday") and re.search(r"[#?]|\bl\b|\dl\b|\dw\b|\blw\b", part):
        raise _refused(
            f"{name}: {_shown(part.upper())} is not supported: there is no L, W, # or ?. "
            f"It takes {_FIELDS[name]}, *, lists, ranges and steps."
        )
    item = rf"(?:\d+{_NAMES.get(name, '')})"
    term = rf"(?:\*|{item}(?:-{item})?)(?:/\d+)?"
    fields = ["*"] * len(_FIELDS)
    fields[list(_FIELDS).index(name)] = part
    try:
        readable = re.fullmatch(rf"{term}(?:,{term})*", part) is not None
        CronSim(" ".join(fields), datetime(2000, 1, 1))  # noqa: DTZ001 - a local time has none
    except CronSimError:
        readable = False
    if not readable:
        raise _refused(
            f"{name}: {_shown(part)} cannot be read. It takes {_FIELDS[name]}, *, "
            "lists (1,3), ranges (1-5) and steps (*/2)."
        )


def _check_ever(fields: str) -> None:
    """Refuse what never comes, such as the 31st of February."""
    try:
        next(CronSim(fields, datetime(2000, 1, 1)))  # noqa: DTZ001 - a local time has none
    except (CronSimError, StopIteration):
        _, _, day, month, _ = fields.split()
        raise _refused(
            f"day: {day} never comes in month {month}, so this would never start anything."
        ) from None


def _refused(message: str) -> InvalidInput:
    return InvalidInput(f"schedule: {message}", field="line")


def _shown(text: str) -> str:
    shown = "".join(c if c.isprintable() else "·" for c in text)
    return repr(shown if len(shown) <= 40 else f"{shown[:39]}…")
