"""Times of features' values, in UTC and microseconds whatever they came as."""

from __future__ import annotations

from typing import Any

from ..core.features import Definition, FeatureFailed

_DTYPE = "datetime64[us, UTC]"


def as_utc(definition: Definition, times: Any) -> Any:
    """Return the times of values; those without a zone are taken as UTC.

    Raises `FeatureFailed` if they are of several zones, or no times at all.
    """
    import pandas as pd

    if isinstance(times.dtype, pd.ArrowDtype):
        times = _plain(times)
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        return times.astype(_DTYPE)
    if pd.api.types.is_datetime64_dtype(times.dtype):
        return times.dt.tz_localize("UTC").astype(_DTYPE)
    present = times.dropna()
    if present.empty:
        return pd.Series(pd.NaT, index=times.index, dtype=_DTYPE)
    if times.dtype != object or not all(hasattr(each, "year") for each in present):
        raise FeatureFailed(
            f"{definition.full_name}: {definition.timestamp} is of type {times.dtype}, which is no "
            "time. Turn it into one, for example with pandas.to_datetime."
        )
    zones = {str(getattr(each, "tzinfo", None)) for each in present}
    if len(zones) > 1:
        names = ", ".join(sorted("no zone" if each == "None" else each for each in zones))
        raise FeatureFailed(
            f"{definition.full_name}: {definition.timestamp} has times of several zones ({names}). "
            "Turn them into one, for example with pandas.to_datetime(…, utc=True)."
        )
    try:
        return pd.to_datetime(times, utc=True).astype(_DTYPE)
    except (ValueError, OverflowError) as error:
        raise FeatureFailed(
            f"{definition.full_name}: {definition.timestamp} has a time that cannot be kept: "
            f"{' '.join(str(error).split())}."
        ) from error


def _plain(times: Any) -> Any:
    """Return times that Arrow holds as pandas' own; anything else as it is."""
    import pandas as pd
    import pyarrow as pa

    kind = times.dtype.pyarrow_dtype
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        return times
    zone = kind.tz if pa.types.is_timestamp(kind) else None
    found = pa.chunked_array(pa.Array.from_pandas(times)).cast(pa.timestamp("us", zone))
    return pd.Series(found.to_pandas().array, index=times.index)
