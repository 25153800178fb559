"""Functions of features run by other engines come out as in this process."""

from __future__ import annotations

import sys
from pathlib import Path

import distributed
import pandas as pd
import pytest

from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.features import Computation, FeatureFailed
from tests.support.features import DELAYS, project, stored, write_module

NAMES = ["delays.delay_yesterday", "delays.flights_yesterday", "delays.longest"]


#: What Spark can do, too.
_PLAIN = """
    import pandas as pd

    from jupyter_mlops.catalog.define import feature


    @feature(entity="carrier")
    def longest(flights: pd.DataFrame) -> pd.Series:
        return flights.groupby("carrier")["distance"].max()


    @feature(entity="carrier", timestamp="time_hour")
    def doubled(flights: pd.DataFrame) -> pd.Series:
        return flights["dep_delay"] * 2
"""


def check(root: Path, engine: str) -> list[Computation]:
    """Compute a group here and by an engine, and compare all values; return the latter records."""
    root.mkdir(exist_ok=True)
    place = project(root)
    compute(place, read_catalog(place), NAMES)
    here = {each: stored(place, each) for each in NAMES}
    found = compute(place, read_catalog(place), NAMES, force=True, engine=engine)
    assert {each.engine for each in found} == {engine}
    for each in NAMES:
        pd.testing.assert_frame_equal(stored(place, each), here[each], check_dtype=False)
    write_module(place, "delays", DELAYS.replace('daily["size"]', 'daily["site"]'))
    with pytest.raises(FeatureFailed, match=r"^delays\.flights_yesterday failed: .*site"):
        compute(place, read_catalog(place), NAMES, engine=engine)
    return found


def test_dask_here(tmp_path: Path) -> None:
    """Without a cluster Dask uses threads, whose memory is ours."""
    assert all(each.peak_memory for each in check(tmp_path, "dask"))


def test_dask_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of a cluster get the functions sent, with what these use of their project."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "units.py").write_text("def minutes(table):\n    return table['mean']\n")
    code = DELAYS.replace('return daily["mean"]', "return units.minutes(daily)")
    code = code.replace("import pandas", "import units\n    import pandas")
    place = project(tmp_path, code)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0"
    ) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        assert [each.peak_memory for each in check(tmp_path / "plain", "dask")] == [None] * 3
        (record,) = compute(place, read_catalog(place), NAMES[:1], engine="dask")
    assert record.rows == 360


@pytest.mark.parametrize("engine", ["ray", "spark"])
def test_missing(tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an engine is not installed, it is said how to install it."""
    for module in ("ray", "pyspark", "pyspark.pandas"):
        monkeypatch.setitem(sys.modules, module, None)
    place = project(tmp_path)
    line = rf'^The engine {engine} is not installed .* pip install "jupyter-mlops\[{engine}\]"$'
    with pytest.raises(InvalidInput, match=line):
        compute(place, read_catalog(place), NAMES, engine=engine)


def test_ray(tmp_path: Path) -> None:
    """Ray's own processes run the functions."""
    pytest.importorskip("ray")
    assert [each.peak_memory for each in check(tmp_path, "ray")] == [None] * 3


def test_spark(tmp_path: Path) -> None:
    """Spark's tables take the place of pandas', where both go together."""
    pytest.importorskip("pyspark")
    if pd.__version__ >= "3":
        pytest.skip("Spark's tables need pandas below 3")
    place = project(tmp_path, _PLAIN)
    names = ["delays.longest", "delays.doubled"]
    compute(place, read_catalog(place), names)
    here = [stored(place, each) for each in names]
    compute(place, read_catalog(place), names, force=True, engine="spark")
    for name, values in zip(names, here, strict=True):
        pd.testing.assert_frame_equal(stored(place, name), values, check_dtype=False)


def test_unknown(tmp_path: Path) -> None:
    """What engines there are is said to who names another."""
    place = project(tmp_path)
    with pytest.raises(InvalidInput, match=r"^There is no engine abacus\. Choose one of pandas, d"):
        compute(place, read_catalog(place), NAMES, engine="abacus")
