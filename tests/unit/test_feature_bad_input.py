"""What functions return that cannot be stored: told in one line, and stored data stays."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pandas as pd
import pytest

from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.features import FeatureFailed
from tests.support.features import opened, write_module

NAME = "rides.price"
_GROUP = """
    import datetime as dt

    import numpy as np
    import pandas as pd
    from hamilton.function_modifiers import check_output

    from jupyter_mlops.catalog.define import feature


    {decorators}
    @feature(entity="city", timestamp="known")
    def price(flights: pd.DataFrame) -> pd.Series:
        table = flights
{body}
"""
GOOD = "return table"


@pytest.fixture
def good(tmp_path: Path) -> Place:
    """Return a project with values of three cities that are stored."""
    table = pd.DataFrame(
        {
            "city": ["Bern", "Graz", "Lund"],
            "known": pd.to_datetime(["2013-01-01", "2013-01-01", "2013-02-01"]),
            "price": [1.0, 2.0, 3.0],
        }
    )
    table.to_parquet(tmp_path / "flights.parquet")
    place = opened(tmp_path)
    write(place, GOOD)
    compute(place, read_catalog(place), [NAME])
    return place


def write(place: Place, body: str, decorators: str = "") -> None:
    """Write the group with a function of this body."""
    made = _GROUP.format(body=indent(dedent(body), " " * 8), decorators=decorators)
    write_module(place, "rides", made)


_CASES = {
    "missing entity column": (
        'return table.drop(columns="city")',
        r"rides\.price has no column city: what it returned has known, price\.",
    ),
    "missing timestamp": (
        'return table[["city", "price"]]',
        r"rides\.price has no column known: what it returned has city, price\.",
    ),
    "missing key of the table that a column comes from": (
        'del table["city"]; return table["price"]',
        r"rides\.price has no column city: the table flights .* has known, price\.",
    ),
    "a column from nowhere": (
        "return pd.Series([1.0, 2.0])",
        r"rides\.price has no city and known: the values' index names none of them",
    ),
    "several values": (
        'return table.rename(columns={"price": "a"}).assign(b=1)',
        r"rides\.price: which column is the value\? Beside its keys there are: a, b\.",
    ),
    "no table": ("return 5", r"rides\.price returned an int\. Return a pandas Series or DataFrame"),
    "mixed zones": (
        """
        zones = [dt.timezone.utc, dt.timezone(dt.timedelta(hours=-5)), dt.timezone.utc]
        times = [t.to_pydatetime().replace(tzinfo=z) for t, z in zip(table["known"], zones)]
        return table.assign(known=pd.Series(times, dtype=object))
        """,
        r"rides\.price: known has times of several zones \(UTC, UTC-05:00\)\. Turn them into one",
    ),
    "a zone and none": (
        """
        times = [t.to_pydatetime() for t in table["known"]]
        times[1] = times[1].replace(tzinfo=dt.timezone.utc)
        return table.assign(known=pd.Series(times, dtype=object))
        """,
        r"rides\.price: known has times of several zones \(UTC, no zone\)",
    ),
    "text for a time": (
        'return table.assign(known="yesterday")',
        r"rides\.price: known is of type (str|object), which is no time\.",
    ),
    "two values at one time": (
        "return pd.concat([table, table.iloc[[1]]])",
        r"rides\.price has 2 values for city='Graz' at 2013-01-01T00:00:00\+00:00, where there can",
    ),
    "the future": (
        'return table.assign(known=[*table["known"][:2], pd.Timestamp("2213-05-06 07:00")])',
        r"rides\.price: row 2 \(city='Lund'\) has the time 2213-05-06T07:00:00\+00:00, which lies",
    ),
    "complex numbers": (
        "return table.assign(price=[1j, 2j, 3j])",
        r"rides\.price: Parquet has no type for price, which is of type complex128",
    ),
    "all sorts": (
        "return table.assign(price=pd.Series([1, 'a', {}], dtype=object))",
        r"rides\.price: Parquet has no type for price, which is of type object",
    ),
    "periods": (
        'return table.assign(price=table["known"].dt.to_period("M"))',
        r"rides\.price: Parquet has no type for price, which is of type .*period",
    ),
    "durations": (
        'return table.assign(price=table["known"] - table["known"].min())',
        r"rides\.price: Parquet has no type for price, which is of type duration",
    ),
    "its own error": (
        'return table["prize"]',
        r"rides\.price failed: KeyError: 'prize' \(rides\.py, line 15\)",
    ),
}


@pytest.mark.parametrize("case", _CASES)
def test_refused(good: Place, case: str) -> None:
    """One line says which feature, and what is wrong; the values of before are still there."""
    body, line = _CASES[case]
    before = Offline(good).latest(NAME)
    files = {each: each.read_bytes() for each in Offline(good).files(NAME)}
    write(good, body)
    with pytest.raises(FeatureFailed, match=f"^{line}") as caught:
        compute(good, read_catalog(good), [NAME])
    assert "\n" not in caught.value.message
    assert Offline(good).latest(NAME) == before
    assert {each: each.read_bytes() for each in Offline(good).files(NAME)} == files
    left = sorted(each.name for each in Offline(good).folder(NAME).iterdir())
    assert len(left) == 3  # the lock, the record and the version


def test_check(good: Place) -> None:
    """A check that fails refuses the values; one that warns is told."""
    before = Offline(good).latest(NAME)
    write(good, 'return table["price"]', '@check_output(range=(0, 2), importance="fail")')
    with pytest.raises(
        FeatureFailed,
        match=r"^rides\.price: a check failed: Series contains 2 values in range \(0,2\), and 1",
    ) as caught:
        compute(good, read_catalog(good), [NAME])
    assert "\n" not in caught.value.message
    assert Offline(good).latest(NAME) == before

    write(good, 'return table["price"]', "@check_output(range=(0, 2))")
    told: list[str] = []
    compute(good, read_catalog(good), [NAME], told=told.append)
    assert told[1].startswith("rides.price: a check warns: Series contains 2 values in range")


def test_check_by_pandera(good: Place) -> None:
    """Schemas of pandera check values as Hamilton's own checks do."""
    pytest.importorskip("pandera")
    schema = "pandera.pandas.SeriesSchema(float, pandera.pandas.Check.lt(3))"
    write(
        good,
        'return table["price"]',
        "import pandera.pandas; from hamilton.plugins import h_pandera\n"
        f'    @check_output(schema={schema}, importance="fail")',
    )
    with pytest.raises(FeatureFailed, match=r"^rides\.price: a check failed: .*3"):
        compute(good, read_catalog(good), [NAME])


def test_module(good: Place) -> None:
    """A module that cannot be imported is named."""
    write(good, "return table.copy()", 'raise OSError("no licence")\n    ')
    with pytest.raises(FeatureFailed, match=r"^rides cannot be imported: OSError: no licence"):
        compute(good, read_catalog(good), [NAME])


def test_keyless_rows(good: Place) -> None:
    """Rows without a key or a time describe nothing: they are left out, and that is told."""
    told: list[str] = []
    write(good, "table.loc[0, 'city'] = table.loc[2, 'known'] = None; return table")
    (record,) = compute(good, read_catalog(good), [NAME], told=told.append)
    assert record.rows == 1
    assert told[-1] == "rides.price: 2 rows without key or time are left out."


def test_source_missing(good: Place) -> None:
    """A source that is not there is named."""
    (good.root / "flights.parquet").unlink()
    with pytest.raises(InvalidInput, match=r"^Source flights: there is no file flights\.parquet"):
        compute(good, read_catalog(good), [NAME])
    (good.root / "flights.parquet").write_text("no parquet")
    with pytest.raises(InvalidInput, match=r"^Source flights cannot be read: .*flights.parquet"):
        compute(good, read_catalog(good), [NAME])
