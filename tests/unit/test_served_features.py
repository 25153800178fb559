"""Requests of an endpoint get the features that they leave out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.app.places import place_of
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.catalog.online import fill_online
from jupyter_mlops.registry.mlops_scoring.columns import Column
from jupyter_mlops.registry.mlops_scoring.features import Features
from tests.support.stored import SPENT, declared, project, store


@pytest.fixture
def features(tmp_path: Path) -> Features:
    """Return the features of a model, two of them of one name."""
    settings = (
        '[features]\nfolder = ".mlops/features"\n[features.sources.events]\npath = "events.csv"\n'
    )
    (tmp_path / "mlops.toml").write_text(settings, "utf-8")
    _, catalog = project(tmp_path, shop=declared("spent"), web=declared("spent"))
    place = place_of(find_project(tmp_path))
    store(place, catalog, "shop.spent", SPENT)
    store(place, catalog, "web.spent", SPENT.assign(spent=0.5))
    fill_online(place, catalog, ["shop.spent", "web.spent"])
    columns = {"shop.spent": "shop.spent", "web.spent": "web.spent"}
    return Features({"columns": columns, "project": str(tmp_path)})


def test_what_a_request_leaves_out_is_fetched(features: Features) -> None:
    """Columns that it has stay as they are, others come by its keys, in the rows' order."""
    frame = pd.DataFrame({"key": [2, 9, 1]}, index=[5, 5, 7])
    found = features.fill(frame)
    assert found.index.tolist() == [5, 5, 7]
    assert found["shop.spent"].fillna(-1).tolist() == [3.5, -1, 2.5]
    assert found["web.spent"].fillna(-1).tolist() == [0.5, -1, 0.5]
    part = features.fill(frame.assign(**{"shop.spent": 1.0}))
    assert part["shop.spent"].tolist() == [1.0] * 3
    assert part["web.spent"].fillna(-1).tolist() == [0.5, -1, 0.5]
    assert features.fill(found) is found


def test_features_are_optional(features: Features) -> None:
    """A request need not have them."""
    columns = [Column(name, "double", required=True) for name in ("key", "web.spent")]
    assert [each.required for each in features.optional(columns)] == [True, False]
