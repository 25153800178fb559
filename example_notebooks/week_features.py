"""Stage `features`: what is known of the week's flights an hour ahead, split by day.

The first four days are to learn from, the fifth to watch the training by, the last two to test on.
"""

from pathlib import Path

import flights_data
import flights_features as ff
import pandas as pd

TRAIN_DAYS = 4
VALIDATION_DAYS = 1


def split_by_day(flights: pd.DataFrame) -> pd.DataFrame:
    """Mark each flight train, validation or test by the day of the week that it leaves on."""
    date = pd.to_datetime(flights[["year", "month", "day"]])
    place = date.rank(method="dense")
    split = pd.Series("train", index=flights.index)
    split = split.mask(place > TRAIN_DAYS, "validation")
    return flights.assign(split=split.mask(place > TRAIN_DAYS + VALIDATION_DAYS, "test"))


def features(folder: Path) -> pd.DataFrame:
    """Return the features of a week's tables."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in flights_data.SCHEMAS}
    table = ff.add_schedule(tables["flights"])
    table = ff.add_planes(table, tables["planes"])
    table = ff.add_weather(table, tables["weather"])
    return ff.select_features(split_by_day(ff.add_label(table)))


if __name__ == "__main__":
    found = features(Path("week/tables"))
    ff.check_times(found)
    flights_data.write_parquet(found, Path("week/features.parquet"))
    print(found["split"].value_counts().to_string())
