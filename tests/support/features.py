"""Projects with features, and records of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pandas as pd

from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.features import Computation, Partition, Source, Statistics, Why


def place(root: Path, sources: Mapping[str, Source] | None = None) -> Place:
    """Return where a project's features lie, as its settings would say."""
    return Place(
        root=root,
        modules=root / "features",
        data=root / ".mlops" / "features",
        online=f"sqlite:///{root}/.mlops/online.db",
        sources=sources or {},
    )


def computation(**changes: Any) -> Computation:
    """Return a record of a computation, with what matters changed."""
    made = Computation(
        feature="flights.delay",
        version="a" * 12,
        code_hash="c" * 64,
        sources={"flights": "f" * 64},
        computed_at=datetime(2013, 3, 1, 6, 30, tzinfo=UTC),
        why=Why.NEW,
        seconds=0.5,
        peak_memory=1 << 28,
        rows=3,
        type="double",
        entity=("carrier",),
        timestamp="known",
        first=datetime(2013, 1, 1, tzinfo=UTC),
        last=datetime(2013, 2, 3, tzinfo=UTC),
        partitions=(
            Partition(name="2013-01", rows=2, size=900),
            Partition(name="2013-02", rows=1, size=800),
        ),
        statistics=Statistics(
            rows=3,
            missing=0,
            distinct=3,
            minimum=1.0,
            maximum=3.0,
            mean=2.0,
            deviation=1.0,
            edges=(1.0, 2.0, 3.0),
            counts=(1, 2),
            values=(("a", 2), ("b", 1)),
        ),
    )
    return replace(made, **changes)


def write_module(place: Place, group: str, code: str) -> None:
    """Write the module of a group."""
    path = place.modules / f"{group}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(code))


#: What modules of features import as a rule.
_HEAD = """
    from pathlib import Path

    import pandas as pd
    from hamilton.function_modifiers import check_output, extract_columns, tag

    from jupyter_mlops.catalog.define import feature

"""


def write_usual(place: Place, group: str, code: str) -> None:
    """Write the module of a group that imports what is usual."""
    write_module(place, group, _HEAD + code)


def flights(days: int = 90, carriers: int = 4, begin: str = "2013-01-01") -> pd.DataFrame:
    """Return flights, one an hour and carrier, with delays that their times decide."""
    times = pd.date_range(begin, periods=24 * days, freq="h")
    frames = [
        pd.DataFrame(
            {
                "time_hour": times,
                "carrier": f"C{number}",
                "dep_delay": (times.day_of_year * 7 + times.hour * (number + 1)) % 41 - 5.0,
                "distance": 100 * (number + 1) + times.hour,
            }
        )
        for number in range(carriers)
    ]
    return pd.concat(frames).sort_values(["time_hour", "carrier"], ignore_index=True)


#: A group: what was known of a carrier on the day before, and what follows from that.
DELAYS = """
    import pandas as pd

    from jupyter_mlops.catalog.define import feature


    def daily(flights: pd.DataFrame) -> pd.DataFrame:
        "Each carrier's days, known from the next one on."
        day = flights["time_hour"].dt.floor("D").rename("day")
        made = flights.groupby(["carrier", day])["dep_delay"].agg(["mean", "size"]).reset_index()
        made["known"] = made["day"] + pd.Timedelta(days=1)
        return made


    @feature(entity="carrier", timestamp="known", ttl="7d", lookback="1d", owner="ops")
    def delay_yesterday(daily: pd.DataFrame) -> pd.Series:
        "Mean delay of the day before, in minutes."
        return daily["mean"]


    @feature(entity="carrier", timestamp="known", lookback="1d")
    def flights_yesterday(daily: pd.DataFrame) -> pd.Series:
        "Flights of the day before."
        return daily["size"]


    @feature(entity="carrier")
    def longest(flights: pd.DataFrame) -> pd.Series:
        "Longest distance."
        return flights.groupby("carrier")["distance"].max()


    @feature(entity="carrier", timestamp="known")
    def late_after(delay_yesterday: pd.Series, threshold: pd.Series) -> pd.Series:
        "How much later than asked for."
        return delay_yesterday - threshold
"""


def opened(root: Path) -> Place:
    """Return a project that `project` has made."""
    source = Source(name="flights", path="flights.parquet", timestamp="time_hour")
    return place(root, {"flights": source})


def project(root: Path, code: str = DELAYS, **kinds: Any) -> Place:
    """Return a project with flights in one Parquet file and a group called delays."""
    flights(**kinds).to_parquet(root / "flights.parquet")
    made = opened(root)
    write_module(made, "delays", code)
    return made


def featureless(root: Path) -> Place:
    """Return a project with flights of ten days, and without features."""
    made = project(root, days=10)
    (made.modules / "delays.py").unlink()
    return made


def stored(place: Place, name: str) -> pd.DataFrame:
    """Return all stored values of a feature."""
    return pd.concat(map(pd.read_parquet, Offline(place).files(name)), ignore_index=True)
