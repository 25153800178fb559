"""How good predictions were, once the truth is known."""

from __future__ import annotations

import math
from datetime import date

import pandas as pd
import pytest

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.registry import quality


@pytest.mark.parametrize(
    ("predictions", "labels", "wanted"),
    [
        ([0.9, 0.2, 0.6, 0.1], [1, 0, 0, 1], {"accuracy": 0.5, "auc": 0.5, "brier": 0.305}),
        ([0.9, 0.2], [True, False], {"auc": 1.0, "recall": 1.0, "precision": 1.0}),
        ([3.0, 5.0], [1.0, 5.0], {"mae": 1.0, "mse": 2.0, "rmse": math.sqrt(2), "r2": 0.5}),
        (["a", "b"], ["a", "c"], {"accuracy": 0.5}),
        ([True, False], [True, True], {"accuracy": 0.5}),
    ],
)
def test_metrics(predictions: list[object], labels: list[object], wanted: dict[str, float]) -> None:
    """Probabilities, numbers and classes are judged each in their way."""
    guessed, true = pd.Series(predictions), pd.Series(labels)
    found = quality.measure_of(guessed, true)(guessed, true)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)


def samples() -> pd.DataFrame:
    """Three requests of two days."""
    return pd.DataFrame(
        {
            "_time": pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-02"], utc=True),
            "id": [1, 2, 3],
            "prediction": [1.0, 2.0, 9.0],
            "challenger": [None, None, None],
        }
    )


def test_labels_are_joined() -> None:
    """A label belongs to the requests of the same key, and is judged by day."""
    labels = pd.DataFrame({"id": [1, 2, 7], "late": [1.0, 4.0, 0.0]})
    found = quality.judge(samples(), labels, on=["id"], label="late")
    shown = [(each.of, each.day, each.rows, each.metrics["mae"]) for each in found]
    assert shown == [
        ("prediction", None, 2, 1.0),
        ("prediction", date(2026, 3, 1), 1, 0.0),
        ("prediction", date(2026, 3, 2), 1, 2.0),
    ]
    assert found[0].values["prediction/mae"] == 1.0
    assert found[0].step is None
    assert found[2].values["daily/prediction/mae"] == 2.0
    assert found[2].step == 20514


def test_one_kind_of_metrics_for_all_days() -> None:
    """A day whose labels happen to be 0 and 1 is measured as all others."""
    labels = pd.DataFrame({"id": [1, 2, 3], "late": [1.0, 4.0, 0.0]})
    found = quality.judge(samples(), labels, on=["id"], label="late")
    assert all("mae" in each.metrics and "auc" not in each.metrics for each in found)


@pytest.mark.parametrize(
    ("on", "label", "message"),
    [("key", "late", "was not kept"), ("id", "truth", "no column truth")],
)
def test_wrong_columns(on: str, label: str, message: str) -> None:
    """A column that is not there is named."""
    labels = pd.DataFrame({"id": [1], "late": [1.0]})
    with pytest.raises(InvalidInput, match=message):
        quality.judge(samples(), labels, on=[on], label=label)


def test_metrics_of_a_card() -> None:
    """What the card says is found under the usual names, whatever it was measured on."""
    card = {"validation_roc_auc": 0.7, "test/rmse": 2.0, "seconds": 3.0}
    assert quality.expected(card, ["auc", "rmse", "mae"]) == {
        "card/auc": 0.7,
        "card/rmse": 2.0,
    }
