"""How far the features of requests are from those of the training."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.registry import drift


def test_distances() -> None:
    """The same distribution is near 0, another one far; of words, shares are compared."""
    generator = np.random.default_rng(0)
    train = pd.DataFrame(
        {
            "same": generator.normal(0, 1, 5000),
            "moved": generator.normal(0, 1, 5000),
            "word": ["a", "b"] * 2500,
            "label": 1,
        }
    )
    seen = pd.DataFrame(
        {
            "same": generator.normal(0, 1, 1000),
            "moved": generator.normal(2, 1, 1000),
            "word": ["a"] * 250 + ["c"] * 750,
            "prediction": 1.0,
            "_time": 0,
        }
    )
    found = {each.feature: each for each in drift.compare(seen, train)}
    assert list(found) == ["word", "moved", "same"]
    assert found["word"].distance == pytest.approx(0.75)
    assert found["moved"].distance == pytest.approx(0.68, abs=0.05)
    assert found["same"].distance < 0.06
    assert found["same"].p_value > 0.01 > found["moved"].p_value
    drift.check(list(found.values()), None)
    with pytest.raises(drift.DriftFound, match=r"Drift above 0.7: word \(0.750\)"):
        drift.check(list(found.values()), 0.7)


def test_empty_columns() -> None:
    """A column that has lost all its values is as far as can be."""
    full, empty = pd.DataFrame({"x": [1.0, 2.0]}), pd.DataFrame({"x": [math.nan, math.nan]})
    assert drift.compare(empty, full)[0].distance == 1.0
    assert drift.compare(empty, empty)[0].distance == 0.0
    with pytest.raises(InvalidInput, match="no column in common"):
        drift.compare(full, pd.DataFrame({"y": [1]}))


def test_nothing_was_kept(tmp_path: Path) -> None:
    """Without requests there is nothing to compare."""
    with pytest.raises(InvalidInput, match="No request was kept yet"):
        drift.read_samples(tmp_path)
