"""Projects with features, for the tests of the panel."""

from __future__ import annotations

from pathlib import Path

from tests.support.catalog import write_group
from tests.support.features import flights
from tests.support.notebooks import write_notebook

SETTINGS = """\
[features.sources.flights]
path = "data/flights.csv"
timestamp = "time_hour"
owner = "ops"
freshness = "1d"
description = "Departures by hour"

[features.access]
restricted = ["ada"]
"""
DELAYS = '''
def daily(flights: pd.DataFrame) -> pd.DataFrame:
    """Each carrier's days, known from the next one on."""
    flights = flights.assign(day=flights["time_hour"].dt.floor("D"))
    by_day = flights.groupby(["carrier", "day"])["dep_delay"]
    made = by_day.agg(["mean", "size", "max"]).reset_index()
    made["known"] = made["day"] + pd.Timedelta(days=1)
    return made


@mlops.feature(
    entity="carrier", timestamp="known", ttl="7d", lookback="1d", owner="ops",
    tags=["delay", "daily"],
)
@check_output(range=(-60.0, 600.0))
def delay_yesterday(daily: pd.DataFrame) -> pd.Series:
    """Mean delay of a carrier's flights on the day before.

    In minutes; early departures count as negative ones.
    """
    return daily["mean"]


@mlops.feature(entity="carrier", timestamp="known", lookback="1d", owner="planning")
def flights_yesterday(daily: pd.DataFrame) -> pd.Series:
    """Number of a carrier's flights on the day before."""
    return daily["size"]


@mlops.feature(entity="carrier", timestamp="known", owner="ops", tags=["delay"])
def mood(delay_yesterday: pd.Series) -> pd.Series:
    """Whether the day before was good, as people say."""
    words = pd.cut(delay_yesterday, [-100, 8, 12, 1000], labels=["good", "fair", "bad"])
    return words.astype(str)


@mlops.feature(entity="carrier", owner="crew", sensitivity="restricted")
def bonus(flights: pd.DataFrame) -> pd.Series:
    """What a crew gets for its longest flight."""
    return flights.groupby("carrier")["distance"].max()


@mlops.feature(entity="carrier", timestamp="known", owner="ops")
def late_after(delay_yesterday: pd.Series, threshold: pd.Series) -> pd.Series:
    """How much later than asked for."""
    return delay_yesterday - threshold
'''
COPIES = '''
@mlops.feature(entity="carrier", owner="planning")
def longest_distance(flights: pd.DataFrame) -> pd.Series:
    """Distance of a carrier's longest flight."""
    return flights.groupby("carrier")["distance"].max()


@mlops.feature(entity="carrier", owner="planning")
def farthest(flights: pd.DataFrame) -> pd.Series:
    """The same once more."""
    return flights.groupby("carrier")["distance"].max()
'''
#: A feature that says nothing that can be understood of how long its values hold.
BROKEN = '''
@mlops.feature(entity="carrier", ttl="a week")
def slow(flights: pd.DataFrame) -> pd.Series:
    """Written in haste."""
    return flights.groupby("carrier")["distance"].max()
'''
TRAIN = """\
import pandas as pd
import jupyter_mlops as mlops
from sklearn.linear_model import LinearRegression

names = ["delays.delay_yesterday", "delays.flights_yesterday"]
flights = pd.read_csv("data/flights.csv", parse_dates=["time_hour"])
rows = flights[flights["time_hour"] > "2013-01-10"].sample(500, random_state=seed)
rows = rows.rename(columns={"time_hour": "known"})
made = mlops.features.training_set(rows, names, label="dep_delay")
columns = ["delay_yesterday", "flights_yesterday"]
made = made.dropna(subset=columns)
model = LinearRegression().fit(made[columns], made["dep_delay"])
mlops.log(score=model.score(made[columns], made["dep_delay"]))
mlops.log_model(model, "delays", predict=lambda m, x: m.predict(x), data={"train": made},
                example=made[columns].head(3), tags={"owner": "ada", "task": "delay"})
"""


def write_catalog(folder: Path) -> None:
    """Make a project with features of all kinds, and a notebook that trains a model with two."""
    (folder / "data").mkdir(parents=True)
    (folder / "mlops.toml").write_text(SETTINGS, "utf-8")
    flights().to_csv(folder / "data" / "flights.csv", index=False)
    write_group(folder, "delays", DELAYS)
    write_group(folder, "copies", COPIES)
    write_notebook(folder / "train.ipynb", "seed: int = 1", TRAIN)
    write_notebook(folder / "look.ipynb", "x: int = 1", "first = x", "last = x + 1")


def write_many(folder: Path, count: int) -> None:
    """Make a project with so many features, fifty to a module."""
    folder.mkdir()
    (folder / "mlops.toml").write_text(SETTINGS, "utf-8")
    for begin in range(0, count, 50):
        functions = [
            f'@mlops.feature(entity="carrier", owner="team{index % 7}")\n'
            f"def f{index:04}(flights: pd.DataFrame) -> pd.Series:\n"
            f'    """The number {index}."""\n'
            f'    return flights.groupby("carrier")["distance"].max() + {index}\n'
            for index in range(begin, min(count, begin + 50))
        ]
        write_group(folder, f"group{begin // 50:02}", "\n\n".join(functions))
