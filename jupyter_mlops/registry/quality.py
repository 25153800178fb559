"""How what an endpoint predicted compares with what turned out to be true."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from .mlops_scoring.samples import CHALLENGER, PREDICTION, TIME

if TYPE_CHECKING:
    import pandas as pd

#: Begins the names of metrics by day; their steps are days since 1970.
DAILY = "daily/"
EPOCH = date(1970, 1, 1)
#: Begins the names of what the model's card says.
CARD = "card/"
#: What people call the metrics that we compute.
_SYNONYMS = {
    "auroc": "auc",
    "roc_auc": "auc",
    "roc_auc_score": "auc",
    "pr_auc": "average_precision",
    "brier_score": "brier",
    "f1_score": "f1",
    "r2_score": "r2",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
}
#: Where metrics of a card were measured, if their names say so.
_PARTS = ("validation_", "valid_", "val_", "test_", "eval_")


@dataclass(frozen=True, slots=True)
class Quality:
    """How predictions compare with true labels."""

    #: ``prediction`` or ``challenger``.
    of: str
    #: Day in UTC; None for all.
    day: date | None
    rows: int
    metrics: dict[str, float]

    @property
    def values(self) -> dict[str, float]:
        """The metrics, as they are logged."""
        begin = "" if self.day is None else DAILY
        return {f"{begin}{self.of}/{name}": value for name, value in self.metrics.items()}

    @property
    def step(self) -> int | None:
        """The step at which they are logged."""
        return None if self.day is None else (self.day - EPOCH).days


def judge(
    samples: pd.DataFrame, labels: pd.DataFrame, *, on: Sequence[str], label: str
) -> list[Quality]:
    """Compare predictions with true labels, over all and by day. Raises `InvalidInput`.

    ``on`` are the columns that tell which request a label belongs to.
    """
    for name in on:
        if name not in samples.columns:
            raise InvalidInput(f"on: {name} was not kept. Serve the model with --keep {name}.")
    missing = [each for each in (*on, label) if each not in labels.columns]
    if missing:
        raise InvalidInput(f"labels: there is no column {missing[0]}.", field="labels")
    known = labels[[*on, label]].drop_duplicates(list(on)).rename(columns={label: "_label"})
    joined = samples.merge(known, on=list(on), how="inner").dropna(subset=["_label"])
    if joined.empty:
        raise InvalidInput("labels: none belongs to a request that was kept.", field="labels")
    return list(_qualities(joined))


def _qualities(joined: pd.DataFrame) -> Iterator[Quality]:
    for column in (PREDICTION, CHALLENGER):
        part = joined.dropna(subset=[column])
        if part.empty:
            continue
        measure = measure_of(part[column], part["_label"])
        yield Quality(column, None, len(part), measure(part[column], part["_label"]))
        for day, group in part.groupby(part[TIME].dt.date):
            yield Quality(column, day, len(group), measure(group[column], group["_label"]))


Measure = Callable[["pd.Series[Any]", "pd.Series[Any]"], dict[str, float]]


def measure_of(predictions: pd.Series[Any], labels: pd.Series[Any]) -> Measure:
    """Return what measures predictions like these: classes, probabilities of one, or numbers."""
    from pandas.api import types

    guessed, true = predictions.infer_objects(), labels.infer_objects()
    if types.is_bool_dtype(guessed) or not types.is_numeric_dtype(guessed):
        return _of_classes
    if types.is_bool_dtype(true):
        return _of_probabilities
    if not types.is_numeric_dtype(true):
        return _of_classes
    binary = set(true.astype(float).unique()) <= {0.0, 1.0}
    return _of_probabilities if binary and guessed.between(0, 1).all() else _of_numbers


def _of_classes(guessed: pd.Series[Any], true: pd.Series[Any]) -> dict[str, float]:
    from sklearn import metrics

    a, b = guessed.astype(str), true.astype(str)
    return {
        "accuracy": float(metrics.accuracy_score(b, a)),
        "f1": float(metrics.f1_score(b, a, average="macro", zero_division=0)),
    }


def _of_probabilities(guessed: pd.Series[Any], true: pd.Series[Any]) -> dict[str, float]:
    from sklearn import metrics

    a, b = guessed.astype(float), true.astype(float)
    found = {
        "accuracy": metrics.accuracy_score(b, a >= 0.5),
        "precision": metrics.precision_score(b, a >= 0.5, zero_division=0),
        "recall": metrics.recall_score(b, a >= 0.5, zero_division=0),
        "f1": metrics.f1_score(b, a >= 0.5, zero_division=0),
        "brier": metrics.brier_score_loss(b, a, pos_label=1),
        "log_loss": metrics.log_loss(b, a, labels=[0.0, 1.0]),
    }
    if b.nunique() > 1:
        found["auc"] = metrics.roc_auc_score(b, a)
        found["average_precision"] = metrics.average_precision_score(b, a)
    return {name: float(value) for name, value in found.items()}


def _of_numbers(guessed: pd.Series[Any], true: pd.Series[Any]) -> dict[str, float]:
    from sklearn import metrics

    a, b = guessed.astype(float), true.astype(float)
    squared = float(metrics.mean_squared_error(b, a))
    found = {
        "mae": float(metrics.mean_absolute_error(b, a)),
        "mse": squared,
        "rmse": math.sqrt(squared),
    }
    if len(b) > 1:
        found["r2"] = float(metrics.r2_score(b, a))
    return found


def expected(card: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """Return what a card says of metrics, by the names under which it is logged."""
    found: dict[str, float] = {}
    for name, value in card.items():
        known = name.lower().rpartition("/")[2]
        for part in _PARTS:
            known = known.removeprefix(part)
        known = _SYNONYMS.get(known, known)
        if known in names:
            found.setdefault(f"{CARD}{known}", value)
    return found
