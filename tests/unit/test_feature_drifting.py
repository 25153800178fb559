"""Drift tells how far values have moved, against statistics that were kept or against values."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import ks_2samp

from jupyter_mlops.catalog.drifting import drift
from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import Catalog
from jupyter_mlops.catalog.statistics import describe
from jupyter_mlops.catalog.tables import connected
from jupyter_mlops.core.exceptions import InvalidInput, NotFound
from jupyter_mlops.core.features import FeatureDrift, Statistics
from tests.support.stored import declared, project, store

ROWS = 5_000
RANDOM = np.random.default_rng(11)
NORMAL = RANDOM.normal(size=ROWS)
TIMES = pd.Series(pd.date_range("2020-01-01", periods=ROWS, freq="h", tz="UTC"))


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Place, Catalog]:
    """Return a project with a feature, none of whose values is stored."""
    return project(tmp_path, shop=declared("spent") + declared("other"))


def stored(shop: tuple[Place, Catalog], values: Any, version: str = "a" * 12) -> Statistics:
    """Store values and return their statistics, as computing keeps them."""
    place, catalog = shop
    table = pd.DataFrame({"key": range(len(values)), "at": TIMES[: len(values)], "spent": values})
    store(place, catalog, "spent", table, version=version)
    file = place.data / "shop/spent" / version / "0.parquet"
    with connected() as connection:
        return describe(connection, [file], "spent", "at")[0]


def moved(shop: tuple[Place, Catalog], before: Any, now: Any) -> tuple[FeatureDrift, FeatureDrift]:
    """Return the drift by statistics, and that by the values themselves."""
    reference = stored(shop, before)
    stored(shop, now, "b" * 12)
    (by_statistics,) = drift(*shop, ["spent"], {"shop.spent": reference})
    (by_values,) = drift(*shop, ["spent"], pd.DataFrame({"spent": before}))
    return by_statistics, by_values


def test_what_has_not_moved(shop: tuple[Place, Catalog]) -> None:
    """Other values of the same distribution are as before."""
    for found in moved(shop, NORMAL, RANDOM.normal(size=ROWS)):
        assert found.psi < 0.02
        assert found.distance < 0.05
        assert found.p_value is not None
        assert found.p_value > 0.001
        assert found.rows == (ROWS, ROWS)
        assert found.line.startswith("shop.spent is as before: PSI 0.0")
    same = moved(shop, NORMAL, NORMAL)
    assert all((each.psi, each.distance) == (0.0, 0.0) for each in same)


def test_numbers_that_have_shifted(shop: tuple[Place, Catalog]) -> None:
    """A shift is told by PSI and by the distance of Kolmogorov and Smirnov."""
    now = NORMAL + 1.5
    by_statistics, by_values = moved(shop, NORMAL, now)
    exact = ks_2samp(NORMAL, now)
    assert by_values.distance == pytest.approx(exact.statistic)
    assert by_statistics.distance == pytest.approx(exact.statistic, abs=0.05)
    for found in (by_statistics, by_values):
        assert found.psi > 1
        assert found.p_value is not None
        assert found.p_value < 1e-9
        assert "has shifted" in found.line


def test_psi_is_what_its_formula_says(shop: tuple[Place, Catalog]) -> None:
    """Of two bars with shares of a half, that are a quarter and three now."""
    reference = Statistics(rows=4, missing=0, edges=(0.0, 1.0, 2.0), counts=(2, 2))
    stored(shop, [0.5, 1.5, 1.6, 1.7])
    (found,) = drift(*shop, ["spent"], {"shop.spent": reference})
    assert found.psi == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5))
    assert found.distance == 0.25
    assert "differs" in found.line or "shifted" in found.line


def test_text_and_flags(shop: tuple[Place, Catalog]) -> None:
    """Values that are no numbers are compared by how often they occur."""
    before, now = ["a"] * 80 + ["b"] * 20, ["a"] * 50 + ["b"] * 20 + ["c"] * 30
    for found in moved(shop, before, now):
        assert found.distance == pytest.approx(0.3)
        assert found.psi > 0.25
    flags = moved(shop, [True] * 80 + [False] * 20, [True] * 20 + [False] * 80)
    assert all(each.distance == pytest.approx(0.6) for each in flags)
    rare = [f"v{each}" for each in range(200)]
    assert all(each.distance == 0 for each in moved(shop, rare, rare))


def test_missing_values_are_part_of_it(shop: tuple[Place, Catalog]) -> None:
    """More missing values are a drift, also where the others are as before."""
    now = np.where(RANDOM.random(ROWS) < 0.5, np.nan, NORMAL)
    for found in moved(shop, NORMAL, now):
        assert found.psi > 0.25
        assert found.distance < 0.05
        assert found.missing[0] == 0
        assert "; 0 % were missing, " in found.line
    for found in moved(shop, NORMAL, [None] * 9):
        assert (found.distance, found.p_value) == (1.0, None)
        assert found.psi > 1
    nothing = moved(shop, [None] * 9, pd.Series([None] * 9, dtype="float64"))
    assert all((each.psi, each.distance) == (0.0, 0.0) for each in nothing)


def test_edges(shop: tuple[Place, Catalog]) -> None:
    """Constants, infinite values, times, other types and no rows are compared as well."""
    constant = moved(shop, [3.0] * 50, [3.0] * 40)
    assert all((each.psi, each.distance) == (0.0, 0.0) for each in constant)
    assert all(each.distance == 1.0 for each in moved(shop, [3.0] * 50, [4.0] * 50))
    infinite = np.where(NORMAL > 2, np.inf, NORMAL)
    assert all(each.psi < 0.01 for each in moved(shop, infinite, infinite))
    assert all(each.distance > 0.4 for each in moved(shop, TIMES[:100].array, TIMES[50:150].array))
    other = moved(shop, NORMAL, ["x"] * 50)
    assert all((each.distance, each.p_value) == (1.0, None) for each in other)
    assert all(each.rows == (ROWS, 0) for each in moved(shop, NORMAL, NORMAL[:0]))


def test_what_is_known_since_a_time(shop: tuple[Place, Catalog]) -> None:
    """Only values that became known since then count, if asked so."""
    reference = stored(shop, np.where(np.arange(ROWS) < 4_000, NORMAL, NORMAL + 3))
    since = TIMES[4_000].to_pydatetime()
    (all_of_it,) = drift(*shop, ["spent"], {"shop.spent": reference})
    (found,) = drift(*shop, ["spent"], {"shop.spent": reference}, since=since)
    assert (all_of_it.psi, all_of_it.rows) == (0.0, (ROWS, ROWS))
    assert found.psi > 0.25
    assert found.rows == (ROWS, 1_000)
    later = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    (found,) = drift(*shop, ["spent"], {"shop.spent": reference}, since=later)
    assert found.rows == (ROWS, 0)


def test_the_ingredients_of_a_training_set_are_a_reference(shop: tuple[Place, Catalog]) -> None:
    """What a training set tells of its features is what they are compared with later."""
    place, catalog = shop
    statistics = stored(shop, NORMAL)
    table = pd.DataFrame({"key": range(ROWS), "at": TIMES, "spent": NORMAL})
    store(place, catalog, "spent", table, statistics=statistics)
    entities = pd.DataFrame({"key": [1], "at": TIMES[:1]})
    ingredients = training_set(place, catalog, entities, ["spent"]).ingredients
    stored(shop, NORMAL + 2, "b" * 12)
    (found,) = drift(place, catalog, ["spent"], ingredients)
    assert found.psi > 1


def test_tables_as_what_is_now(shop: tuple[Place, Catalog]) -> None:
    """Columns of a table can be compared, the ones that differ the most first."""
    before = pl.DataFrame({"spent": NORMAL, "other": NORMAL})
    now = pl.DataFrame({"shop.spent": NORMAL + 0.2, "other": NORMAL + 2})
    found = drift(*shop, ["spent", "other"], before, current=now)
    assert [each.feature for each in found] == ["shop.other", "shop.spent"]
    (only,) = drift(*shop, ["spent", "other"], before, current=before[["other"]])
    assert (only.feature, only.psi) == ("shop.other", 0.0)


def test_what_cannot_be_compared(shop: tuple[Place, Catalog]) -> None:
    """Without values now, or any before, it is said so."""
    with pytest.raises(NotFound, match=r"features compute shop\.spent"):
        drift(*shop, ["spent"], {})
    stored(shop, NORMAL)
    with pytest.raises(InvalidInput, match="None of the features has both"):
        drift(*shop, ["spent"], {"shop.spent": None})
    with pytest.raises(InvalidInput, match="must be a DataFrame"):
        drift(*shop, ["spent"], 5)
