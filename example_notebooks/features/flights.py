"""What earlier flights tell about the next ones."""

import pandas as pd

import jupyter_mlops as mlops

ZONE = "America/New_York"


@mlops.feature(
    entity=("carrier", "origin"),
    timestamp="known_at",
    ttl="8d 12h",
    lookback="2d",
    owner="flight operations",
    tags=["delay"],
)
def carrier_delay_yesterday(flights: pd.DataFrame) -> pd.DataFrame:
    """Mean delay of a carrier's departures from an airport on the day before, in minutes.

    If the carrier did not fly then, on its last day of flights of the week before. Known at six in
    the morning, when the last flights of the night have left.
    """
    date = pd.to_datetime(flights[["year", "month", "day"]])
    means = flights.groupby(["carrier", "origin", date.rename("date")])["dep_delay"].mean()
    table = means.dropna().rename("carrier_delay_yesterday").reset_index()
    known = table.pop("date") + pd.Timedelta(days=1, hours=6)
    return table.assign(known_at=known.dt.tz_localize(ZONE).dt.tz_convert("UTC"))
