"""What the registration says of a plane."""

import pandas as pd

import jupyter_mlops as mlops


@mlops.feature(entity="tailnum", owner="fleet", tags=["plane"])
def built(planes: pd.DataFrame) -> pd.DataFrame:
    """Year in which a plane was built."""
    return planes[["tailnum", "year"]].dropna().rename(columns={"year": "built"})


@mlops.feature(entity="tailnum", owner="fleet", tags=["plane"])
def seats(planes: pd.DataFrame) -> pd.DataFrame:
    """Number of a plane's seats."""
    return planes[["tailnum", "seats"]]


@mlops.feature(entity="tailnum", owner="fleet", tags=["plane"])
def plane_age(built: pd.Series, scheduled: pd.Series) -> pd.Series:
    """Age of a plane in the year of a flight, in years."""
    return pd.to_datetime(scheduled, utc=True).dt.tz_convert("America/New_York").dt.year - built
