"""Distances of features, and how good predictions were."""

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


@pytest.mark.parametrize(
    ("predictions", "labels", "expected"),
    [
        ([0.9, 0.2, 0.6, 0.1], [1, 0, 0, 1], {"accuracy": 0.5, "auc": 0.5, "brier": 0.305}),
        ([3.0, 5.0], [1.0, 5.0], {"mae": 1.0, "rmse": math.sqrt(2)}),
        (["a", "b"], ["a", "c"], {"accuracy": 0.5}),
        ([True, False], [True, True], {"accuracy": 0.5}),
    ],
)
def test_metrics(predictions: list[object], labels: list[object], expected: object) -> None:
    """Probabilities, numbers and classes are judged each in their way."""
    found = drift.metrics_of(pd.Series(predictions), pd.Series(labels))
    assert found == pytest.approx(expected)


def test_labels_are_joined() -> None:
    """A label belongs to the requests of the same key, and is judged by day."""
    samples = pd.DataFrame(
        {
            "_time": pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-02"], utc=True),
            "id": [1, 2, 3],
            "prediction": [1.0, 2.0, 9.0],
            "challenger": [None, None, None],
        }
    )
    labels = pd.DataFrame({"id": [1, 2, 7], "late": [1.0, 4.0, 0.0]})
    found = drift.judge(samples, labels, on=["id"], label="late")
    shown = [(each.of, each.day, each.rows, each.metrics["mae"]) for each in found]
    assert shown == [
        ("prediction", "", 2, 1.0),
        ("prediction", "2026-03-01", 1, 0.0),
        ("prediction", "2026-03-02", 1, 2.0),
    ]
    for on, label, message in (
        (["key"], "late", "was not kept"),
        (["id"], "truth", "no column truth"),
    ):
        with pytest.raises(InvalidInput, match=message):
            drift.judge(samples, labels, on=on, label=label)


def test_nothing_was_kept(tmp_path: Path) -> None:
    """Without requests there is nothing to compare."""
    with pytest.raises(InvalidInput, match="No request was kept yet"):
        drift.read_samples(tmp_path)
