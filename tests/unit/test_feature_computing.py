"""Features computed from files: what is stored, and that nothing unchanged is computed again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.engine import on_demand
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.catalog.sources import matching
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.features import Why
from tests.support.features import DELAYS, flights, project, stored, write_module

DELAY = "delays.delay_yesterday"


def test_a_group(tmp_path: Path) -> None:
    """Features of a group are computed from a file, cut by months, and described."""
    place = project(tmp_path)
    told: list[str] = []
    names = [DELAY, "delays.flights_yesterday", "longest"]
    found = compute(place, read_catalog(place), names, told=told.append)

    delay, number, longest = found
    assert [each.feature for each in found] == [DELAY, "delays.flights_yesterday", "delays.longest"]
    assert told[0] == "delays.delay_yesterday is computed: it was never computed."
    assert [each.name for each in delay.partitions] == ["2013-01", "2013-02", "2013-03", "2013-04"]
    assert [each.name for each in longest.partitions] == ["all"]
    assert (delay.rows, delay.type, number.type, longest.type) == (360, "double", "int64", "int32")
    assert delay.why is Why.NEW
    assert delay.seconds > 0
    assert delay.peak_memory is not None
    assert delay.peak_memory > 50 << 20
    assert delay.statistics.missing == 0
    assert sum(delay.statistics.counts) == 360
    assert str(delay.first) == "2013-01-02 00:00:00+00:00"

    values = stored(place, DELAY)
    assert list(values.columns) == ["carrier", "known", "delay_yesterday"]
    assert str(values["known"].dtype) == "datetime64[us, UTC]"
    table = flights()
    day = table[(table["carrier"] == "C2") & (table["time_hour"].dt.day_of_year == 40)]
    known = pd.Timestamp("2013-02-10", tz="UTC")
    at = values[(values["carrier"] == "C2") & (values["known"] == known)]
    assert at["delay_yesterday"].item() == pytest.approx(day["dep_delay"].mean())
    assert values["known"].is_monotonic_increasing


def test_light(tmp_path: Path) -> None:
    """Neither computing nor answering imports the libraries that Hamilton knows, used or not."""
    project(tmp_path)
    code = (
        "import sys; from pathlib import Path; from tests.support.features import *;"
        "from jupyter_mlops.catalog.reading import read_catalog;"
        "from jupyter_mlops.catalog.computing import compute;"
        "place = opened(Path(sys.argv[1]));"
        "compute(place, read_catalog(place), ['delay_yesterday']);"
        "print({'dask', 'mlflow', 'sklearn', 'matplotlib', 'polars'} & set(sys.modules))"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_nothing_again(tmp_path: Path) -> None:
    """What has not changed is not computed; what has, is, and it is said why."""
    place = project(tmp_path)

    def computed(force: bool = False) -> Why:
        (record,) = compute(place, read_catalog(place), [DELAY], force=force)
        return record.why

    assert computed() is Why.NEW
    assert computed() is Why.FRESH
    assert computed(force=True) is Why.FORCED
    assert computed() is Why.FRESH
    flights(days=91).to_parquet(tmp_path / "flights.parquet")
    assert computed() is Why.SOURCES
    write_module(place, "delays", DELAYS.replace('daily["mean"]', 'daily["mean"] * 60'))
    assert computed() is Why.CODE
    Offline(place).files(DELAY)[0].unlink()
    assert computed() is Why.MISSING
    write_module(place, "delays", DELAYS.replace("Mean delay", "Average delay"))
    assert computed() is Why.FRESH  # of what was stored before the code was changed
    assert Offline(place).latest(DELAY).rows == 364  # type: ignore[union-attr]


def test_on_demand(tmp_path: Path) -> None:
    """What depends on the request is not stored, but computed from it and from stored values."""
    place = project(tmp_path)
    catalog = read_catalog(place)
    assert catalog.problems == ()
    assert [each.feature for each in compute(place, catalog, ["late_after"])] == [DELAY]
    frame = pd.DataFrame({DELAY: [3.0, 4.0], "threshold": [1, 10]}, index=[7, 3])
    made = on_demand(place, catalog, ["late_after"], frame)
    assert made["delays.late_after"].to_dict() == {7: 2.0, 3: -6.0}


@pytest.mark.parametrize("path", ["flights.parquet", "**/*.parquet", "days/d[12].parquet"])
def test_files_of_a_source(tmp_path: Path, path: str) -> None:
    """A pattern is one only below the project, whose own folder may be called like one."""
    root = tmp_path / "air [2013]*"
    (root / "days").mkdir(parents=True)
    made = project(root)
    for name in ("d1", "d2", "d3"):
        (root / "days" / f"{name}.parquet").write_bytes(b"")
    found = matching(root, path)
    assert {each.relative_to(root).as_posix() for each in found} == {
        "flights.parquet": {"flights.parquet"},
        "**/*.parquet": {"flights.parquet", *(f"days/d{each}.parquet" for each in "123")},
        "days/d[12].parquet": {"days/d1.parquet", "days/d2.parquet"},
    }[path]
    if len(found) == 1:
        (computed,) = compute(made, read_catalog(made), ["longest"])
        assert computed.rows == 4
