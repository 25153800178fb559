"""The weather at the airports, as it is known an hour before a flight is due to leave."""

import pandas as pd
from hamilton.function_modifiers import extract_columns

import jupyter_mlops as mlops


@extract_columns(
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)
@mlops.feature(
    entity="origin", timestamp="known_at", ttl="3h", owner="flight operations", tags=["weather"]
)
def reports(weather: pd.DataFrame) -> pd.DataFrame:
    """One value of the newest report of an airport's weather, in the units of its station.

    A report stamped 14:00 was taken at some time before 15:00, so that is when it was known.
    """
    return weather.assign(known_at=weather["time_hour"] + pd.Timedelta(hours=1))
