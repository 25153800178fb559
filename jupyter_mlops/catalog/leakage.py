"""Columns of a training set that may tell what will not be known when a prediction is made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.features import Leak, Suspicion

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

#: Share of a feature's values from which on the very time of their rows is told of.
_SAME = 0.01
#: How well a column may tell the label.
_TELLS = 0.98
#: Rows, evenly spread, by which that is judged, and the fewest that say anything.
_MOST = 20_000
_FEWEST = 40
#: Labels of at most as many values are classes.
_CLASSES = 20
_FOLDS = 4


@dataclass
class Nearness:
    """How the times of a feature's values lie to those of their rows, counted while joining."""

    known: int = 0
    same: int = 0
    after: int = 0

    def add(self, flags: pa.RecordBatch) -> None:
        """Count some rows by the columns ``known``, ``same`` and ``after``."""
        import pyarrow.compute as pc

        for name in ("known", "same", "after"):
            counted = pc.sum(flags.column(name)).as_py() or 0
            setattr(self, name, getattr(self, name) + counted)


def suspicious_times(nearness: Mapping[str, Nearness], label_time: str | None) -> list[Leak]:
    """Return the columns whose values were known suspiciously late."""
    found = []
    for column, each in nearness.items():
        if each.known and each.after:
            share = each.after / each.known
            line = (
                f"{column}: {_percent(share)} of its values were known only at {label_time} or "
                "later, when the label was. Join by an earlier time."
            )
            found.append(Leak(column=column, why=Suspicion.AFTER, share=share, line=line))
        if each.known and each.same / each.known >= _SAME:
            share = each.same / each.known
            line = (
                f"{column}: {_percent(share)} of its values bear the very time of their rows. "
                "Make sure that they are known before that."
            )
            found.append(Leak(column=column, why=Suspicion.SAME_TIME, share=share, line=line))
    return found


def suspicious_values(columns: Mapping[str, pa.ChunkedArray], label: str) -> list[Leak]:
    """Return the columns that tell the label nearly always, by a sample of the rows."""
    sampled = {name: _numbers(_sampled(each)) for name, each in columns.items()}
    truth = sampled.pop(label)
    if truth is None:
        return []
    found = []
    for name, values in sampled.items():
        share = 0.0 if values is None else _tells(values, truth)
        if share >= _TELLS:
            line = (
                f"{name}: it alone tells {label} ({share:.3f} of 1). Make sure that it is known "
                "when a prediction is made."
            )
            found.append(Leak(column=name, why=Suspicion.PREDICTS, share=share, line=line))
    return found


def _sampled(column: pa.ChunkedArray) -> pd.Series[Any]:
    import numpy as np

    if len(column) > _MOST:
        column = column.take(np.linspace(0, len(column) - 1, _MOST).astype("int64"))
    values: pd.Series[Any] = column.to_pandas()
    return values


def _numbers(values: pd.Series[Any]) -> np.ndarray[Any, Any] | None:
    """Return values as numbers, missing ones as NaN; None where they cannot be."""
    import pandas as pd
    from pandas.api import types

    if types.is_bool_dtype(values) or types.is_numeric_dtype(values):
        return values.to_numpy(dtype="float64", na_value=math.nan)
    if types.is_datetime64_any_dtype(values) or types.is_timedelta64_dtype(values):
        numbers = values.astype("int64").astype("float64")
        return numbers.mask(values.isna()).to_numpy()
    try:
        codes, _ = pd.factorize(values, sort=False)
    except TypeError:  # lists and the like
        return None
    return pd.Series(codes).astype("float64").where(codes >= 0).to_numpy()


def _tells(values: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    """Return how well values tell the label, from 0 to 1."""
    import numpy as np

    rows = np.isfinite(truth)
    values, truth = np.where(np.isinf(values), np.nan, values)[rows], truth[rows]
    present = ~np.isnan(values)
    if len(truth) < _FEWEST or present.sum() < _FEWEST // 2 or len(np.unique(truth)) < 2:
        return 0.0
    return max(_correlation(values[present], truth[present]), _prediction(values, truth))


def _correlation(values: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    """Return the larger of the linear correlation and that of the ranks, without its sign."""
    import numpy as np
    from scipy import stats

    if np.ptp(values) == 0 or np.ptp(truth) == 0:
        return 0.0
    ranks = stats.rankdata(values), stats.rankdata(truth)
    return max(abs(float(np.corrcoef(*each)[0, 1])) for each in ((values, truth), ranks))


def _prediction(values: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    """Return how well a small tree tells the label of rows that it has not seen.

    For classes that is the balanced accuracy, so that a rare one counts as much as the others.
    """
    import numpy as np
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kinds, counts = np.unique(truth, return_counts=True)
    classes = len(kinds) <= _CLASSES
    if classes and counts.min() < _FOLDS:
        rows = np.isin(truth, kinds[counts >= _FOLDS])
        values, truth = values[rows], truth[rows]
        if len(np.unique(truth)) < 2:
            return 0.0
    split = StratifiedKFold if classes else KFold
    tree = DecisionTreeClassifier if classes else DecisionTreeRegressor
    scores = cross_val_score(
        tree(max_leaf_nodes=64, random_state=0),
        values.reshape(-1, 1),
        truth,
        cv=split(_FOLDS, shuffle=True, random_state=0),
        scoring="balanced_accuracy" if classes else "r2",
    )
    return max(0.0, float(scores.mean()))


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{share * 100:.0f} %"
