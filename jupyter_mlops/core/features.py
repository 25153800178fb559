"""Features: what their functions say, where they come from, and what computing them told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from .exceptions import Conflict, InvalidInput, MlopsError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


class FeatureFailed(Conflict):
    """A feature could not be computed. What was computed before stays as it was."""

    code = "feature_failed"


class NotReadable(Conflict):
    """You may not read the values of this feature. Ask its owner."""

    code = "not_readable"


class OnlineUnavailable(MlopsError):
    """The online store does not answer. Check [features] online in the project's settings."""

    code = "online_unavailable"


class Period(StrEnum):
    """How much time one partition of a feature's values covers."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Why(StrEnum):
    """Why a feature is computed, or why it is not."""

    NEW = "new"  #: it never was
    CODE = "code"  #: its function, or one that it is made from, was changed
    SOURCES = "sources"  #: a source has other content
    WINDOW = "window"  #: a window of time was asked for
    MISSING = "missing"  #: its files are not there any more
    FORCED = "forced"  #: it was asked for
    FRESH = "fresh"  #: nothing has changed, so that it is not computed


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A table that features are made from, as the project's settings declare it."""

    name: str
    #: File, pattern of files, or ``s3://`` URL; relative to the project.
    path: str | None = None
    #: SQLAlchemy URL of a database.
    url: str | None = None
    #: Table in the database, or of a DuckDB file; or a query.
    table: str | None = None
    query: str | None = None
    #: Column that tells when a row was known; windows of time go by it.
    timestamp: str | None = None
    owner: str | None = None
    description: str = ""
    #: How old the newest row may be.
    freshness: timedelta | None = None
    #: Revision of git in which DVC tracks the file; None means the present one.
    rev: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A feature as its function defines it, read without executing anything."""

    #: The function's name, and that of its module below ``features/``.
    name: str
    group: str
    #: The module's path in the project, and the line of the function there.
    path: str
    line: int
    description: str
    #: The function's source, decorators included.
    code: str
    #: Columns that say what it describes.
    entity: tuple[str, ...]
    #: Column that says from when on a value was known; None if it never changes.
    timestamp: str | None = None
    #: How long a value holds; None means for ever.
    ttl: timedelta | None = None
    #: How far back in time one value looks, for computing a window.
    lookback: timedelta | None = None
    partition: Period = Period.MONTH
    owner: str | None = None
    tags: tuple[str, ...] = ()
    sensitivity: str | None = None
    #: What its author says of its cost, such as ``expensive``.
    cost: str | None = None
    #: Type of its values, as annotated.
    type: str | None = None
    #: Arguments of its function.
    inputs: tuple[str, ...] = ()
    #: Functions of its group that it is made from, directly or not, in an order to compute them.
    functions: tuple[str, ...] = ()
    #: Full names of the features among these, and of those of other groups that they take.
    upstream: tuple[str, ...] = ()
    #: Names of the sources that these and its own function take.
    sources: tuple[str, ...] = ()
    #: Those features and sources that no other feature stands between.
    takes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    #: Columns of a request that it needs, directly or not. Such a feature is not stored, but
    #: computed when it is asked for, from these and from stored features.
    request: tuple[str, ...] = ()
    #: Checks of its values, as written.
    checks: tuple[str, ...] = ()
    #: sha256 of all code that decides its values.
    code_hash: str = ""
    #: sha256 of its function alone, its names and docstring put aside: equal for equal code.
    shape: str = ""

    @property
    def full_name(self) -> str:
        """Its name in the catalog: ``group.name``."""
        return f"{self.group}.{self.name}"

    @property
    def on_demand(self) -> bool:
        """Whether it depends on the request."""
        return bool(self.request)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What is wrong with a definition, in one line."""

    #: Full name of the feature, or the path of the module.
    where: str
    #: The module's path in the project.
    path: str
    line: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A span of time, from its begin on up to its end, which does not belong to it."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """What the values of a feature look like."""

    rows: int
    missing: int
    distinct: int | None = None
    #: Of numbers; times are numbers in seconds since 1970.
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    #: Edges of the histogram's bars, one more than these; empty unless values are numbers.
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    #: The most frequent values of anything else, with their counts.
    values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One file of a feature's values."""

    #: ``2013-01``, or ``all`` where values have no time.
    name: str
    rows: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Computation:
    """One version of a feature's values, and what it took to compute them."""

    #: Full name of the feature.
    feature: str
    #: Version: the first letters of a hash of code and inputs.
    version: str
    code_hash: str
    #: Fingerprint of each source's content.
    sources: Mapping[str, str]
    computed_at: datetime
    why: Why
    seconds: float
    #: Bytes, if known.
    peak_memory: int | None
    rows: int
    #: Arrow's word for the type of the values.
    type: str
    entity: tuple[str, ...]
    timestamp: str | None
    #: Times of the first and last value.
    first: datetime | None
    last: datetime | None
    partitions: tuple[Partition, ...]
    statistics: Statistics
    engine: str = "pandas"
    #: Whether all times are covered, not only the windows that were asked for.
    complete: bool = True
    #: When the online store was filled with it, and with how many entities.
    online_at: datetime | None = None
    online_rows: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a check of a feature, or a comparison of its distribution, has found."""

    at: datetime
    #: Whether all is well.
    good: bool
    #: What it is, in one line.
    line: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingredient:
    """A feature in a training set, with the version that was joined."""

    feature: str
    version: str | None
    code_hash: str
    type: str | None
    entity: tuple[str, ...]
    timestamp: str | None
    statistics: Statistics | None = None
    #: Its column in the table; None for what only others are made from.
    column: str | None = None


class Suspicion(StrEnum):
    """Why a column of a training set may tell what it is to predict."""

    AFTER = "after"  #: values were known at the label's time or after it
    SAME_TIME = "same_time"  #: values bear the very time of their rows
    PREDICTS = "predicts"  #: it tells the label nearly always


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """A column of a training set that may hold what is not known when a prediction is made."""

    column: str
    why: Suspicion
    #: Share of the rows, or how well it tells the label, from 0 to 1.
    share: float
    #: What was seen, and what to look at.
    line: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A value that is not the same offline and online."""

    feature: str
    #: The row that it was seen in: keys, and columns of the request.
    row: Mapping[str, Any]
    offline: Any
    online: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """What comparing a sample of features offline and online has shown."""

    #: How many rows of each feature were compared.
    rows: Mapping[str, int]
    differences: tuple[Difference, ...] = ()
    #: Why features were not compared.
    skipped: Mapping[str, str] = field(default_factory=dict)
    #: Features whose online values come from another version than the stored ones.
    behind: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether there is no difference."""
        return not self.differences


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureDrift:
    """How the values of a feature differ from what they were."""

    feature: str
    #: Population stability index: from 0 (the same) on; above 0.25 is usually called a shift.
    psi: float
    #: Largest distance of the cumulated shares (Kolmogorov-Smirnov), or half the sum of the
    #: differences of the shares of values that are no numbers: from 0 to 1.
    distance: float
    #: How likely such a distance is if nothing has changed; None where there are no values.
    p_value: float | None
    #: Rows that were compared, and shares of missing values, before and now.
    rows: tuple[int, int]
    missing: tuple[float, float]
    #: What it is, in one line.
    line: str


def parse_duration(text: str, field: str = "ttl") -> timedelta:
    """Read a duration such as ``7d``, ``90min`` or ``1d 12h``. Raises `InvalidInput`."""
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise InvalidInput(
            f"{field}: {text!r} is no duration. Write it like 30s, 90min, 12h, 7d or 2w.",
            field=field,
        )
    return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))


def format_duration(span: timedelta) -> str:
    """Write a duration as `parse_duration` reads it, in the largest unit that fits."""
    seconds = span.total_seconds()
    for unit in ("w", "d", "h", "min"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{int(seconds // _SECONDS[unit])}{unit}"
    return f"{seconds:g}s"


def as_record(ingredient: Ingredient) -> dict[str, Any]:
    """Return an ingredient as plain values, as a run's context keeps it."""
    return asdict(ingredient)


def from_record(record: Mapping[str, Any]) -> Ingredient:
    """Return an ingredient as it was kept. Raises `InvalidInput` if the record is none."""
    try:
        statistics = record.get("statistics")
        return Ingredient(
            feature=record["feature"],
            version=record["version"],
            code_hash=record["code_hash"],
            type=record["type"],
            entity=tuple(record["entity"]),
            timestamp=record["timestamp"],
            statistics=read_statistics(statistics) if statistics else None,
            column=record.get("column"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"This is no record of a feature: {error}.") from error


def read_statistics(record: Mapping[str, Any]) -> Statistics:
    """Return statistics as they were kept. Raises `KeyError`, `TypeError` or `ValueError`."""
    lists = {name: tuple(record[name]) for name in ("edges", "counts")}
    pairs = tuple((text, count) for text, count in record["values"])
    return Statistics(**{**record, **lists, "values": pairs})
