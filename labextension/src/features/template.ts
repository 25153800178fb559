/** How a module of features begins. */

/** The path of the module in a project. */
export const PATH = 'features/first.py';

export const TEMPLATE = `"""Features: each function is one, and its arguments are what it is made from."""

# An argument is a source, which mlops.toml declares:
#
#   [features.sources.flights]
#   path = "data/flights.parquet"
#   timestamp = "departure"
#
# or another feature, or a column of the request. Remove the signs before these lines to begin:
#
# import pandas as pd
# from jupyter_mlops import feature
#
#
# @feature(entity="carrier", timestamp="departure", owner="ada", ttl="7d")
# def mean_delay(flights: pd.DataFrame) -> pd.Series:
#     """Mean delay of a carrier's flights on a day, known from the next day on."""
#     day = flights.departure.dt.floor("D") + pd.Timedelta(days=1)
#     return flights.groupby(["carrier", day]).arr_delay.mean()
`;
