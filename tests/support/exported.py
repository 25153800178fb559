"""A project with features of several kinds, most of them computed, to be exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import Catalog, read_catalog
from jupyter_mlops.core.features import Source
from tests.support.features import place as make_place
from tests.support.features import write_module

_HEAD = """
import pandas as pd

from jupyter_mlops.catalog.define import feature

"""
FLIGHTS = '''
def daily(flights: pd.DataFrame) -> pd.DataFrame:
    days = flights.assign(known=flights.departed.dt.floor("D") + pd.Timedelta(days=1))
    by = days.groupby(["known", "carrier", "origin"], as_index=False)
    return by[["delay", "cancelled"]].mean()

@feature(entity=["carrier", "origin"], timestamp="known", ttl="2d", lookback="1d",
         owner="ada@example.org", tags=["Delays", "daily"])
def delay(daily: pd.DataFrame) -> pd.Series:
    """Yesterday's mean delay, in minutes: "late", not 'early'.

    By carrier and origin.
    """
    return daily.delay

@feature(entity="carrier", timestamp="known", sensitivity="restricted", owner="risk")
def cancelled(daily: pd.DataFrame) -> pd.Series:
    found = daily.groupby(["carrier", "known"]).cancelled.sum()
    return (found * 100).astype("int32")

@feature(entity="carrier")
def far(distance: pd.Series) -> pd.Series:
    """Whether it goes far."""
    return distance > 1000
'''
PLANES = '''
@feature(entity="tail", owner="ada@example.org")
def age(planes: pd.DataFrame) -> pd.Series:
    """Years since the plane was built."""
    return 2013 - planes.set_index("tail").built
'''
WEATHER = '''
@feature(entity="origin", timestamp="hour")
def sky(weather: pd.DataFrame) -> pd.Series:
    """What the sky looks like."""
    return weather.sky

@feature(entity="origin", timestamp="hour")
def calm(weather: pd.DataFrame) -> pd.Series:
    """Whether there is hardly any wind."""
    return weather.wind < 5
'''
#: What is computed; ``weather.calm`` is not.
COMPUTED = ("flights.delay", "flights.cancelled", "planes.age", "weather.sky")
CARRIERS = ["AA", "DL", "UA", "WN"]
ORIGINS = ["EWR", "JFK", "LGA"]
TAILS = list(range(100, 120))
_BEGIN = pd.Timestamp("2013-01-01", tz="UTC")


def make_project(root: Path) -> tuple[Place, Catalog]:
    """Make a project with features, and compute them."""
    place = make_place(root)
    for group, text in {"flights": FLIGHTS, "planes": PLANES, "weather": WEATHER}.items():
        write_module(place, group, _HEAD + text)
    place = replace(place, sources=_make_sources(root))
    catalog = read_catalog(place)
    assert not catalog.problems
    compute(place, catalog, COMPUTED)
    return place, catalog


def entities(rows: int) -> pd.DataFrame:
    """Rows of flights: some before anything was known, some long after, some of unknown planes."""
    dice = np.random.default_rng(11)
    minutes = dice.choice(80 * 24 * 60, rows, replace=False) - 5 * 24 * 60
    return pd.DataFrame(
        {
            "event_timestamp": _BEGIN + pd.to_timedelta(minutes, unit="min"),
            "carrier": dice.choice([*CARRIERS, "ZZ"], rows),
            "origin": dice.choice(ORIGINS, rows),
            "tail": dice.choice([*TAILS, 999], rows),
            "late": dice.random(rows) < 0.3,
        }
    )


def _make_sources(root: Path) -> dict[str, Source]:
    dice = np.random.default_rng(7)
    count = 2000
    flights = pd.DataFrame(
        {
            "departed": _BEGIN + pd.to_timedelta(dice.integers(0, 60 * 24, count), unit="h"),
            "carrier": dice.choice(CARRIERS, count),
            "origin": dice.choice(ORIGINS, count),
            "delay": np.where(dice.random(count) < 0.3, np.nan, dice.normal(10, 5, count)),
            "cancelled": dice.integers(0, 2, count),
        }
    )
    hours = pd.date_range(_BEGIN, periods=60 * 24, freq="h")
    weather = pd.DataFrame(
        {
            "hour": np.repeat(hours, len(ORIGINS)),
            "origin": np.tile(ORIGINS, len(hours)),
            "sky": dice.choice(["clear", "cloudy"], len(hours) * len(ORIGINS)),
            "wind": dice.integers(0, 20, len(hours) * len(ORIGINS)),
        }
    )
    planes = pd.DataFrame({"tail": TAILS, "built": dice.integers(1970, 2013, len(TAILS))})
    found = {}
    for name, (table, time) in {
        "flights": (flights, "departed"),
        "weather": (weather, "hour"),
        "planes": (planes, None),
    }.items():
        table.to_parquet(root / f"{name}.parquet")
        found[name] = Source(name=name, path=f"{name}.parquet", timestamp=time)
    return found
