"""How far values of features have moved from what they were when a model was trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from ..core.features import Definition, FeatureDrift, Ingredient, Statistics
from .entities import Entities
from .joining import stored_values
from .periods import in_utc
from .place import Place
from .reading import Catalog
from .statistics import drawn
from .tables import connected, identifier, quoted

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

#: What values are compared with: what was kept of them, or a table with columns of them.
Reference = Mapping[str, Statistics | None] | Sequence[Ingredient] | Any

#: Values that are compared.
_MOST = 200_000
#: Bars of a histogram of values that are all known, each of as many values.
_BARS = 10
#: The least share of a bar, as no share would make the index infinite.
_LEAST = 1e-4
#: From which index on values are said to differ, and to have shifted.
_DIFFERS, _SHIFTED = 0.1, 0.25


@dataclass(frozen=True, slots=True)
class _Values:
    """Values of a feature: numbers, or text."""

    values: pa.Array
    numeric: bool
    #: All of them, those without a value included.
    rows: int

    @property
    def missing(self) -> float:
        return self.values.null_count / len(self.values) if len(self.values) else 0.0

    def numbers(self) -> np.ndarray[Any, Any]:
        """Return the finite ones."""
        import numpy as np

        found = self.values.drop_null().to_numpy(zero_copy_only=False)
        finite: np.ndarray[Any, Any] = found[np.isfinite(found)]
        return finite

    def texts(self) -> dict[str, int]:
        """Return how often each occurs."""
        counts = self.values.drop_null().value_counts().to_pylist()
        return {each["values"]: each["counts"] for each in counts}


@dataclass(frozen=True, slots=True)
class _Bars:
    """Counts of values, before and now, in the same bars."""

    before: Sequence[float]
    now: Sequence[float]
    distance: float
    p_value: float | None


def drift(
    place: Place,
    catalog: Catalog,
    names: Iterable[str],
    reference: Reference,
    *,
    current: Any = None,
    since: datetime | None = None,
) -> list[FeatureDrift]:
    """Compare features with what they were, those that differ the most first.

    ``reference`` says what they were: statistics by full names, as the ingredients of a training
    set keep them, or a table with their columns. Compared are the values that are stored now, of
    those that change only what became known ``since`` then, or columns of the table ``current``.
    Left out is what has nothing to be compared with, such as features of the request without a
    table. Raises `InvalidInput` if nothing is left, `NotFound` for what is not computed.
    """
    before = _as_reference(reference)
    table = None if current is None else Entities(current)
    found = []
    for each in catalog.checked(names):
        old = _known(before, each)
        new = _stored(place, each, since) if table is None else _column(table, each)
        if old is not None and new is not None:
            found.append(_drift(each.full_name, old, new))
    if not found:
        raise InvalidInput(
            "None of the features has both values now and values to compare them with."
        )
    return sorted(found, key=lambda each: -each.psi)


def _as_reference(reference: Reference) -> Mapping[str, Statistics | None] | Entities:
    if isinstance(reference, Mapping):
        return reference
    if isinstance(reference, list | tuple):
        return {each.feature: each.statistics for each in reference}
    return Entities(reference)


def _known(
    before: Mapping[str, Statistics | None] | Entities, definition: Definition
) -> Statistics | _Values | None:
    if isinstance(before, Entities):
        return _column(before, definition)
    return before.get(definition.full_name)


def _stored(place: Place, definition: Definition, since: datetime | None) -> _Values | None:
    """Return values that are stored; None for a feature of the request."""
    if definition.on_demand:
        return None
    stored, _ = stored_values(place, definition)
    files = ", ".join(quoted(str(each)) for each in stored.files)
    table = f"read_parquet([{files}])"
    if since is not None and stored.timestamp is not None:
        begin = f"TIMESTAMPTZ {quoted(in_utc(since).isoformat())}"
        table = f"(SELECT * FROM {table} WHERE {identifier(stored.timestamp)} >= {begin})"  # noqa: S608
    with connected() as connection:
        (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # noqa: S608
        return _Values(*drawn(connection, table, stored.column, _MOST), rows)


def _column(table: Entities, definition: Definition) -> _Values | None:
    """Return values of a column that is called as the feature is; None if there is none."""
    import pyarrow as pa

    for name in (definition.full_name, definition.name):
        if name in table.columns:
            values = pa.table({"v": table.column(name)})
            with connected() as connection:
                connection.register("given", values)
                return _Values(*drawn(connection, "given", "v", _MOST), len(values))
    return None


def _drift(name: str, before: Statistics | _Values, now: _Values) -> FeatureDrift:
    if isinstance(before, Statistics):
        bars = _against_statistics(before, now)
        missing = before.missing / before.rows if before.rows else 0.0
    else:
        bars = _against_values(before, now)
        missing = before.missing
    shares = [_shares(bars.before, missing), _shares(bars.now, now.missing)]
    psi = _stability(*shares)
    word = "has shifted" if psi >= _SHIFTED else "differs" if psi >= _DIFFERS else "is as before"
    line = f"{name} {word}: PSI {psi:.3f}, distance {bars.distance:.3f}"
    if abs(missing - now.missing) >= 0.01:
        line += f"; {missing * 100:.0f} % were missing, {now.missing * 100:.0f} % are"
    return FeatureDrift(
        feature=name,
        psi=psi,
        distance=bars.distance,
        p_value=bars.p_value,
        rows=(before.rows, now.rows),
        missing=(missing, now.missing),
        line=f"{line}.",
    )


def _against_statistics(before: Statistics, now: _Values) -> _Bars:
    """Compare values with a histogram, or with the values that were the most frequent."""
    if bool(before.edges) != now.numeric:
        return _empty_or_other(before.rows - before.missing, now)
    if not now.numeric:
        texts, known = now.texts(), dict(before.values)
        others = before.rows - before.missing - sum(known.values())
        counts = [texts.pop(each, 0) for each in known]
        return _by_counts([*known.values(), others], [*counts, sum(texts.values())])
    return _by_histogram(before, now.numbers())


def _by_histogram(before: Statistics, numbers: np.ndarray[Any, Any]) -> _Bars:
    import numpy as np
    from scipy.stats import kstwobign

    low, high = before.edges[0], before.edges[-1]
    # What lies beyond the histogram is counted apart, as nothing did then.
    inner = before.edges[1:-1] if high > low else ()
    edges = [-math.inf, low, *inner, np.nextafter(high, math.inf), math.inf]
    counts = np.histogram(numbers, edges)[0]
    old = np.array([0, *before.counts, 0], dtype="float64")
    if not len(numbers) or not old.sum():
        return _Bars(old.tolist(), counts.tolist(), float(len(numbers) != old.sum()), None)
    gaps = np.cumsum(old) / old.sum() - np.cumsum(counts) / len(numbers)
    distance = float(np.abs(gaps).max())
    weight = math.sqrt(old.sum() * len(numbers) / (old.sum() + len(numbers)))
    p_value = float(kstwobign.sf(distance * weight))
    return _Bars(old.tolist(), counts.tolist(), distance, p_value)


def _against_values(before: _Values, now: _Values) -> _Bars:
    """Compare two lots of values."""
    import numpy as np
    from scipy.stats import ks_2samp

    if before.numeric != now.numeric:
        return _empty_or_other(len(before.values.drop_null()), now)
    if not now.numeric:
        old, new = before.texts(), now.texts()
        every = sorted({*old, *new})
        return _by_counts([old.get(x, 0) for x in every], [new.get(x, 0) for x in every])
    first, second = before.numbers(), now.numbers()
    if not len(first) or not len(second):
        return _Bars([len(first)], [len(second)], float(len(first) != len(second)), None)
    found = ks_2samp(first, second, method="asymp")
    inner = np.unique(np.quantile(first, np.linspace(0, 1, _BARS + 1)[1:-1]))
    edges = [-math.inf, *inner, math.inf]
    old_bars, new_bars = (np.histogram(each, edges)[0].tolist() for each in (first, second))
    return _Bars(old_bars, new_bars, float(found.statistic), float(found.pvalue))


def _by_counts(before: Sequence[int], now: Sequence[int]) -> _Bars:
    """Compare how often values occur."""
    from scipy.stats import chi2_contingency

    sums = sum(before), sum(now)
    if not all(sums):
        return _Bars(before, now, float(sums[0] != sums[1]), None)
    pairs = [each for each in zip(before, now, strict=True) if any(each)]
    distance = sum(abs(old / sums[0] - new / sums[1]) for old, new in pairs) / 2
    columns = list(zip(*pairs, strict=True))
    p_value = float(chi2_contingency(columns).pvalue) if len(pairs) > 1 else 1.0
    return _Bars(before, now, distance, p_value)


def _empty_or_other(before: int, now: _Values) -> _Bars:
    """Compare values of different types, or values with none: all differs, if there is any."""
    present = len(now.values) - now.values.null_count
    return _Bars([before, 0], [0, present], float(bool(before or present)), None)


def _shares(counts: Sequence[float], missing: float) -> list[float]:
    """Return the shares of bars, and of what is missing."""
    total = sum(counts)
    if not total:
        return [*(0.0 for _ in counts), 1.0 if missing else 0.0]
    return [*(each / total * (1 - missing) for each in counts), missing]


def _stability(before: Sequence[float], now: Sequence[float]) -> float:
    """Return the population stability index."""
    import numpy as np
    from scipy.special import rel_entr

    old, new = (np.array(each) for each in (before, now))
    some = (old > 0) | (new > 0)
    if not some.any():
        return 0.0
    old, new = (np.maximum(each[some], _LEAST) for each in (old, new))
    return float((rel_entr(old, new) + rel_entr(new, old)).sum())
