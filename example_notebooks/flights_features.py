"""What is known about a flight an hour before it is due to leave, and whether it came late.

Every function takes a table and returns a new one, row for row, so each step can be looked at
in a notebook and tested alone. Nothing here reads or writes files.
"""

import itertools

import pandas as pd

LABEL = "late"
LATE_AFTER_MINUTES = 15

# A weather report stamped 14:00 was taken at some time before 15:00, most often at 14:51. One
# stamped two hours before departure was therefore known an hour before it.
WEATHER_LAG = pd.Timedelta(hours=2)
WEATHER_TOO_OLD = pd.Timedelta(hours=3)

CATEGORICAL = ["carrier", "origin", "dest"]
SCHEDULE = ["weekday", "departure_minute", "arrival_minute", "departures_in_hour", "distance"]
PLANE = ["plane_age", "seats"]
WEATHER = [
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]
FEATURES = [*CATEGORICAL, *SCHEDULE, *PLANE, *WEATHER]
DELAYS = ["carrier_delay_yesterday"]

# Which flight, and what shows that the split and the weather keep to their times.
KEYS = ["scheduled", "flight", "weather_hour", "split"]

# A prediction is made so long before a flight is due to leave.
AHEAD = pd.Timedelta(hours=1)
# What the features of the catalog are looked up by: the plane, and the time of the prediction.
LOOKUP = ["tailnum", "known_by"]

VALIDATION_FROM = pd.Timestamp("2013-09-01")
TEST_FROM = pd.Timestamp("2013-11-01")


def add_schedule(flights: pd.DataFrame) -> pd.DataFrame:
    """Add what the timetable says; clock times are local minutes after midnight.

    `departures_in_hour` counts every scheduled flight, so call this before any is dropped: which
    of them will be cancelled is not known yet.
    """
    arrival = flights["sched_arr_time"]
    return flights.assign(
        scheduled=flights["time_hour"] + pd.to_timedelta(flights["minute"], unit="min"),
        weekday=_local_date(flights).dt.day_of_week,
        departure_minute=flights["hour"] * 60 + flights["minute"],
        arrival_minute=arrival // 100 * 60 + arrival % 100,
        departures_in_hour=flights.groupby(["origin", "time_hour"])["flight"].transform("size"),
    )


def add_planes(flights: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """Add the plane's age in years and its seats; missing where its tail number is unknown."""
    known = planes[["tailnum", "year", "seats"]].rename(columns={"year": "built"})
    joined = flights.merge(known, on="tailnum", how="left", validate="many_to_one")
    return joined.assign(plane_age=joined["year"] - joined["built"]).drop(columns="built")


def add_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Add the origin's newest weather report that is at least `WEATHER_LAG` old by schedule.

    `weather_hour` is that report's hour; missing where the newest is `WEATHER_TOO_OLD` past that.
    """
    reports = weather[["origin", "time_hour", *WEATHER]].rename(
        columns={"time_hour": "weather_hour"}
    )
    joined = pd.merge_asof(
        flights.assign(known_by=flights["scheduled"] - WEATHER_LAG).sort_values(
            ["known_by", "origin", "carrier", "flight"], kind="stable"
        ),
        reports.sort_values("weather_hour", kind="stable"),
        left_on="known_by",
        right_on="weather_hour",
        by="origin",
        tolerance=WEATHER_TOO_OLD,
    )
    return joined.drop(columns="known_by")


def add_label(flights: pd.DataFrame) -> pd.DataFrame:
    """Keep the flights that arrived and mark those more than `LATE_AFTER_MINUTES` late."""
    arrived = flights[flights["arr_delay"].notna()]
    return arrived.assign(**{LABEL: arrived["arr_delay"] > LATE_AFTER_MINUTES})


def add_split(flights: pd.DataFrame) -> pd.DataFrame:
    """Mark each flight train, validation or test by its local date, in that order of time."""
    date = _local_date(flights)
    split = pd.Series("train", index=flights.index)
    split = split.mask(date >= VALIDATION_FROM, "validation").mask(date >= TEST_FROM, "test")
    return flights.assign(split=split)


def select_features(flights: pd.DataFrame) -> pd.DataFrame:
    """Keep the keys, the features (numbers as float64) and the label; drop all else."""
    numbers = [name for name in FEATURES if name not in CATEGORICAL]
    kept = flights[[*KEYS, *FEATURES, LABEL]].reset_index(drop=True)
    return kept.astype(dict.fromkeys(numbers, "float64"))


def select_departures(flights: pd.DataFrame) -> pd.DataFrame:
    """Keep what the timetable says of each flight, the label, and what features are found by."""
    known = flights.assign(known_by=flights["scheduled"] - AHEAD)
    keys = ["scheduled", "flight", *LOOKUP, "split"]
    kept = known[[*keys, *CATEGORICAL, *SCHEDULE, LABEL]].reset_index(drop=True)
    return kept.astype(dict.fromkeys(SCHEDULE, "float64"))


def in_catalog(columns: list[str]) -> list[str]:
    """Return the full names of the columns that the catalog of features has."""
    groups = {"flights": DELAYS, "planes": PLANE, "weather": WEATHER}
    return [
        f"{group}.{name}" for group, names in groups.items() for name in names if name in columns
    ]


def from_requests(requests: pd.DataFrame) -> pd.DataFrame:
    """Make the features of flights as somebody asks about them; what is left out is unknown.

    A request gives the scheduled time of departure, with its zone, in place of what follows from
    it: the weekday, and the minutes after midnight in New York.
    """
    numbers = [name for name in [*FEATURES, *DELAYS] if name not in CATEGORICAL]
    local = pd.to_datetime(requests["scheduled"], utc=True).dt.tz_convert("America/New_York")
    made = requests.reindex(columns=[*FEATURES, *DELAYS]).assign(
        weekday=local.dt.day_of_week, departure_minute=local.dt.hour * 60 + local.dt.minute
    )
    return made.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(CATEGORICAL, "object"))


def as_requests(features: pd.DataFrame) -> pd.DataFrame:
    """Write flights as somebody would ask about them: the reverse of `from_requests`.

    With the plane's tail number, from which the catalog knows the plane.
    """
    every = ["scheduled", "tailnum", *FEATURES, *DELAYS]
    asked = [name for name in every if name not in ("weekday", "departure_minute")]
    requests = features.reindex(columns=asked).dropna(axis="columns", how="all")
    moment = pd.to_datetime(requests["scheduled"], utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return requests.assign(scheduled=moment).astype(dict.fromkeys(CATEGORICAL, "object"))


def check_times(features: pd.DataFrame) -> None:
    """Raise ValueError if a weather report is too young or the parts of the split overlap."""
    check_split(features)
    youngest = (features["scheduled"] - features["weather_hour"]).min()
    if youngest < WEATHER_LAG:
        raise ValueError(f"a weather report is only {youngest} older than its flight's departure")


def check_split(flights: pd.DataFrame) -> None:
    """Raise ValueError if the parts of the split overlap in time."""
    times = {part: group["scheduled"] for part, group in flights.groupby("split")}
    for earlier, later in itertools.pairwise(["train", "validation", "test"]):
        if times[earlier].max() >= times[later].min():
            raise ValueError(f"the {later} part begins before the {earlier} part ends")


def _local_date(flights: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(flights[["year", "month", "day"]])
