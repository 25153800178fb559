"""Features of the request in training sets."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from jupyter_mlops.catalog import joining
from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.features import FeatureFailed
from tests.support.stored import ENTITIES, SPENT, declared, project, store, values

ON_DEMAND = '''
@feature(entity="key")
def per_item(spent: pd.Series, items: pd.Series) -> pd.Series:
    """What was spent for each item of the request."""
    return spent / items

@feature(entity="key")
def dear(per_item: pd.Series, limit: pd.Series) -> pd.Series:
    return (per_item > limit).astype("Int64").where(per_item.notna())
'''


@pytest.mark.parametrize("piece", [2, 500_000])
def test_features_of_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """They are computed from the entities' columns and stored features, in the order asked for."""
    monkeypatch.setattr(joining, "_PIECE", piece)
    place, catalog = project(tmp_path, shop=declared("spent") + ON_DEMAND)
    store(place, catalog, "spent", SPENT)
    entities = ENTITIES.assign(items=[1, 2, 4, 1, 1, 2], limit=1.0)
    for given in (entities, pl.from_pandas(entities)):
        found = training_set(place, catalog, given, ["dear", "shop.per_item"], as_="pandas")
        assert list(found.table)[-2:] == ["dear", "per_item"]
        assert values(found.table["per_item"]) == [3.5, 0.75, 0.375, None, None, 1.25]
        assert values(found.table["dear"]) == [1, 0, 0, None, None, 1]
    told = {each.feature: (each.version is None, each.column) for each in found.ingredients}
    assert told == {
        "shop.dear": (True, "dear"),
        "shop.per_item": (True, "per_item"),
        "shop.spent": (False, None),
    }
    everything = training_set(place, catalog, entities, ["per_item", "spent"]).table
    assert list(everything)[-2:] == ["per_item", "spent"]
    assert len(training_set(place, catalog, entities.head(0), ["dear"]).table) == 0
    with pytest.raises(InvalidInput, match=r"shop\.per_item is computed from the column items"):
        training_set(place, catalog, ENTITIES, ["per_item"])


def test_a_feature_of_the_request_that_fails(tmp_path: Path) -> None:
    """It is told with its name."""
    code = (
        '@feature(entity="key")\ndef half(items: pd.Series) -> pd.Series:\n    return items / "2"\n'
    )
    place, catalog = project(tmp_path, shop=code)
    with pytest.raises(FeatureFailed, match=r"shop\.half"):
        training_set(place, catalog, ENTITIES.assign(items=1), ["half"])
