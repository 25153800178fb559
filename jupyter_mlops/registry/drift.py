"""How the requests of an endpoint differ from the data of its training."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.exceptions import Conflict, InvalidInput
from .mlops_scoring.samples import PREDICTION
from .sources import Source, opened

if TYPE_CHECKING:
    import pandas as pd

#: Rows of the training data, and of the requests, that are compared.
_MOST = 200_000


#: Begins the names of the distances as metrics.
DRIFT = "drift/"


class DriftFound(Conflict):
    """The requests differ from the training data by more than is allowed."""

    code = "drift_found"


@dataclass(frozen=True, slots=True)
class Drift:
    """How the values of a feature differ from those of the training data."""

    feature: str
    #: From 0 (the same distribution) to 1: the largest distance of the cumulated shares of numbers
    #: (Kolmogorov-Smirnov), half the sum of the differences of shares of anything else.
    distance: float
    #: How likely such a distance is if nothing has changed; of few rows even a large one may be.
    p_value: float


def read_samples(folder: Path) -> pd.DataFrame:
    """Return the requests that were kept, the newest ones if there are very many, oldest first.

    Raises `InvalidInput` if there are none.
    """
    import pandas as pd

    found, rows = [], 0
    for path in sorted(folder.glob("[0-9]*.parquet"), reverse=True):
        found.append(pd.read_parquet(path))
        rows += len(found[-1])
        if rows >= _MOST:
            break
    if not found:
        raise InvalidInput(
            "No request was kept yet. Serve the model with --keep COLUMN, and ask it for "
            "predictions."
        )
    return pd.concat(found[::-1], ignore_index=True).tail(_MOST)


def read_rows(source: Source) -> pd.DataFrame:
    """Return the first rows of a file. Raises `InvalidInput`."""
    import pyarrow as pa

    with opened(source, ()) as table:
        pieces = list(table.batches(_MOST, skip=0, limit=_MOST))
    if not pieces:
        raise InvalidInput(f"{source.path.name} has no rows.", field="input")
    frame: pd.DataFrame = pa.Table.from_batches(pieces).to_pandas()
    return frame


def compare(samples: pd.DataFrame, reference: pd.DataFrame) -> list[Drift]:
    """Compare the features that both have, the most different first. Raises `InvalidInput`."""
    shared = [each for each in samples.columns if each in reference.columns]
    features = [each for each in shared if not each.startswith("_") and each != PREDICTION]
    if not features:
        raise InvalidInput(
            "The requests and the training data have no column in common (kept: "
            f"{', '.join(each for each in samples.columns if not each.startswith('_'))})."
        )
    found = [_drift(each, samples[each].dropna(), reference[each].dropna()) for each in features]
    return sorted(found, key=lambda each: -each.distance)


def _drift(feature: str, seen: pd.Series[Any], known: pd.Series[Any]) -> Drift:
    from pandas.api import types
    from scipy import stats

    if seen.empty or known.empty:
        return Drift(feature, 0.0 if seen.empty == known.empty else 1.0, math.nan)
    numeric = all(
        types.is_numeric_dtype(each) and not types.is_bool_dtype(each) for each in (seen, known)
    )
    if numeric:
        result = stats.ks_2samp(seen.to_numpy(), known.to_numpy(), method="asymp")
        return Drift(feature, float(result.statistic), float(result.pvalue))
    counts = [each.astype(str).value_counts() for each in (seen, known)]
    values = sorted(set(counts[0].index) | set(counts[1].index))
    table = [[int(each.get(value, 0)) for value in values] for each in counts]
    shares = [[count / sum(row) for count in row] for row in table]
    distance = sum(abs(a - b) for a, b in zip(*shares, strict=True)) / 2
    p_value = float(stats.chi2_contingency(table).pvalue) if len(values) > 1 else 1.0
    return Drift(feature, distance, p_value)


def metric_name(feature: str) -> str:
    """Return the metric of a feature's distance, in letters that MLflow takes."""
    return f"{DRIFT}{re.sub(r'[^A-Za-z0-9_. -]', '_', feature)}"


def check(drifts: Sequence[Drift], allowed: float | None) -> None:
    """Raise `DriftFound` if a feature differs by more than is allowed."""
    wrong = [each for each in drifts if allowed is not None and each.distance > allowed]
    if wrong:
        names = ", ".join(f"{each.feature} ({each.distance:.3f})" for each in wrong)
        raise DriftFound(f"Drift above {allowed:g}: {names}.")
