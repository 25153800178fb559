"""Features that depend on the request: the same functions answer, for a request at a time."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.catalog import engine
from jupyter_mlops.catalog.engine import on_demand
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.features import FeatureFailed
from tests.support.features import featureless
from tests.support.features import write_usual as write


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a project with flights of ten days, and without features."""
    return featureless(tmp_path)


_ON_DEMAND = """
    @feature(entity="carrier", timestamp="time_hour")
    def delay(flights: pd.DataFrame) -> pd.Series:
        return flights["dep_delay"]


    def hours(minutes: pd.Series) -> pd.Series:
        return minutes / 60


    @feature(entity="carrier")
    def total(delay: pd.Series, hours: pd.Series) -> pd.Series:
        return delay / 60 + hours


    @check_output(range=(0, 10), importance="fail")
    @feature(entity="carrier")
    def root(minutes: pd.Series) -> pd.Series:
        return minutes ** 0.5


    @feature(entity="carrier")
    def constant(minutes: pd.Series) -> pd.Series:
        return 5
"""


def test_on_demand(place: Place) -> None:
    """Functions answer with a request's columns and stored values, which they do not compute."""
    write(place, "asked", _ON_DEMAND)
    catalog = read_catalog(place)
    (place.root / "flights.parquet").unlink()
    frame = pd.DataFrame({"minutes": [30, 60], "asked.delay": [6.0, 12.0]}, index=["x", "y"])
    made = on_demand(place, catalog, ["constant", "total", "root"], frame)
    assert list(made.columns) == ["asked.constant", "asked.total", "asked.root"]
    assert made["asked.total"].to_dict() == {"x": 0.6, "y": 1.2}
    assert made["asked.constant"].tolist() == [5, 5]
    short = frame.rename(columns={"asked.delay": "delay"})
    pd.testing.assert_frame_equal(
        on_demand(place, catalog, ["constant", "total", "root"], short), made
    )
    empty = on_demand(place, catalog, ["total"], frame[:0])
    assert (len(empty), list(empty.columns)) == (0, ["asked.total"])


def test_on_demand_refused(place: Place) -> None:
    """What is missing in a request, or fails for it, is told with the feature's name."""
    write(place, "asked", _ON_DEMAND)
    catalog = read_catalog(place)
    with pytest.raises(InvalidInput, match=r"^asked\.total needs a column minutes in the request"):
        on_demand(place, catalog, ["total"], pd.DataFrame({"delay": [1.0]}))
    with pytest.raises(InvalidInput, match=r"^asked\.total needs values of asked\.delay in the re"):
        on_demand(place, catalog, ["total"], pd.DataFrame({"minutes": [1.0]}))
    with pytest.raises(FeatureFailed, match=r"^asked\.root: a check failed: Series contains 0"):
        on_demand(place, catalog, ["constant", "root"], pd.DataFrame({"minutes": [1000.0]}))
    with pytest.raises(FeatureFailed, match=r"^asked\.root failed: TypeError: .*\(asked\.py, line"):
        on_demand(place, catalog, ["constant", "root"], pd.DataFrame({"minutes": ["a"]}))


def test_on_demand_of_other_rows(place: Place) -> None:
    """Values for other rows than those of the request are refused."""
    for body, line in (
        ("minutes[:1]", r"returned 1 values that are not those of its 2 rows"),
        ("[1, 2, 3]", r"returned list for 2 rows\. Return a Series with the index of its arg"),
    ):
        write(place, "asked", _ON_DEMAND.replace("return 5", f"return {body}"))
        with pytest.raises(FeatureFailed, match=rf"^asked\.constant {line}"):
            on_demand(place, read_catalog(place), ["constant"], pd.DataFrame({"minutes": [1, 2]}))


def test_built_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module is imported once for the same code, and again for other."""
    write(place, "asked", _ON_DEMAND)
    loads = []
    load = engine.load
    monkeypatch.setattr(engine, "load", lambda *given: (loads.append(1), load(*given))[1])
    frame = pd.DataFrame({"minutes": [1]})
    for _ in range(3):
        assert on_demand(place, read_catalog(place), ["constant"], frame).iloc[0, 0] == 5
    assert len(loads) == 1
    write(place, "asked", _ON_DEMAND.replace("return 5", "return 6"))
    assert on_demand(place, read_catalog(place), ["constant"], frame).iloc[0, 0] == 6
    assert len(loads) == 2


def test_threads(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Several threads are answered at once; what Hamilton tells others is left alone."""
    write(place, "asked", _ON_DEMAND)
    catalog = read_catalog(place)

    def answer(number: int) -> float:
        frame = pd.DataFrame({"minutes": [number], "delay": [60.0]})
        return float(on_demand(place, catalog, ["total", "constant"], frame).iloc[0, 0])

    def fail(_number: int) -> str:
        with pytest.raises(FeatureFailed) as caught:
            on_demand(place, catalog, ["root"], pd.DataFrame({"minutes": [1e9]}))
        return caught.value.message

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(answer, range(200))
        failures = set(pool.map(fail, range(20)))
    assert list(answers) == [1 + number / 60 for number in range(200)]
    assert len(failures) == 1
    assert not caplog.records
    logging.getLogger("hamilton.data_quality.base").warning("to whom it may concern")
    assert [each.message for each in caplog.records] == ["to whom it may concern"]
