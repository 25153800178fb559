"""Stage `pull`: the flights of one week, their weather and their planes, as parquet.

Weeks are counted from 1. Of the whole year a week is seven days in a row, from a Tuesday on, as
the year began. The sample has every eighth day only; there a week is seven of its days in a row,
which are seven different weekdays too.
"""

from pathlib import Path

import flights_data
import pandas as pd
import yaml

DAYS_OF_A_WEEK = 7


def pull(source: flights_data.Source, week: int, folder: Path) -> list[pd.Timestamp]:
    """Write the tables of a week to a folder, and return its days."""
    package = flights_data.package_data()
    if source == "full" and package is None:
        raise SystemExit(
            f"{flights_data.PACKAGE} is not installed: pip install 'jupyter-mlops[demo]', "
            "or take the sample: write source: sample into params.yaml"
        )
    full = source == "full" and package is not None
    tables = flights_data.read_package(package) if full else flights_data.read_sample()
    days = days_of(tables["flights"], week)
    for name in ("flights", "weather"):
        tables[name] = tables[name][dates(tables[name]).isin(days)]
    tables["planes"] = tables["planes"][
        tables["planes"]["tailnum"].isin(tables["flights"]["tailnum"])
    ]
    flights_data.write_tables(tables, folder)
    return days


def days_of(flights: pd.DataFrame, week: int) -> list[pd.Timestamp]:
    """Return the days of a week, in order."""
    days = sorted(dates(flights).unique())
    weeks = len(days) // DAYS_OF_A_WEEK
    if not 1 <= week <= weeks:
        raise SystemExit(f"There is no week {week}. Write 1 to {weeks} into params.yaml.")
    return days[(week - 1) * DAYS_OF_A_WEEK : week * DAYS_OF_A_WEEK]


def dates(table: pd.DataFrame) -> pd.Series:
    """Return the local date of each row."""
    return pd.to_datetime(table[["year", "month", "day"]])


if __name__ == "__main__":
    asked = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["pull"]
    pulled = pull(asked["source"], asked["week"], Path("week/tables"))
    print(f"week {asked['week']}: {pulled[0]:%d %B} to {pulled[-1]:%d %B}")
