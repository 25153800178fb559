"""Columns that tell what is to be predicted are named, others are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.features import Leak
from tests.support.stored import declared, project, store

ROWS = 400
RANDOM = np.random.default_rng(7)
TIMES = pd.Series(pd.date_range("2020-01-01", periods=ROWS, freq="h", tz="UTC"))


def leaks(root: Path, entities: pd.DataFrame, known: pd.Series, **options: str) -> list[Leak]:
    """Return the leaks of a training set with one feature, whose values were known then."""
    place, catalog = project(root, shop=declared("score"))
    values = pd.DataFrame({"key": range(ROWS), "at": known, "score": RANDOM.normal(size=ROWS)})
    store(place, catalog, "score", values)
    return list(training_set(place, catalog, entities, ["score"], **options).leaks)


@pytest.fixture
def entities() -> pd.DataFrame:
    """Return rows with a label that nothing tells."""
    return pd.DataFrame(
        {
            "key": range(ROWS),
            "at": TIMES,
            "late": RANDOM.integers(0, 2, ROWS),
            "noise": RANDOM.normal(size=ROWS),
        }
    )


def test_nothing_is_suspected_without_reason(tmp_path: Path, entities: pd.DataFrame) -> None:
    """Values that were known before, and tell little, are not named."""
    known = TIMES - pd.Timedelta("1h")
    assert leaks(tmp_path, entities, known, label="late") == []
    assert leaks(tmp_path, entities, known) == []


def test_values_of_the_very_time(tmp_path: Path, entities: pd.DataFrame) -> None:
    """Values that bear the time of their row are named with their share."""
    known = TIMES.where(np.arange(ROWS) % 4 == 0, TIMES - pd.Timedelta("1h"))
    (leak,) = leaks(tmp_path, entities, known)
    assert (leak.column, leak.why, leak.share) == ("score", "same_time", 0.25)
    assert leak.line.startswith("score: 25 % of its values bear the very time of their rows.")


def test_values_known_when_the_label_was(tmp_path: Path, entities: pd.DataFrame) -> None:
    """Values that were known at the label's time or later are named."""
    known = TIMES - pd.Timedelta("1h")
    early = entities.assign(label_known=TIMES - pd.Timedelta("1h"))
    (leak,) = leaks(tmp_path, early, known, label="late", label_time="label_known", timestamp="at")
    assert (leak.column, leak.why, leak.share) == ("score", "after", 1.0)
    assert "label_known" in leak.line
    named = early.rename(columns={"label_known": "late_at"})
    assert [each.why for each in leaks(tmp_path, named, known, label="late")] == ["after"]
    later = entities.assign(late_at=TIMES + pd.Timedelta("1h"))
    assert leaks(tmp_path, later, known, label="late") == []
    with pytest.raises(InvalidInput, match="label_time names the column known"):
        leaks(tmp_path, early, known, label_time="known")


@pytest.mark.parametrize("label", ["number", "flag", "text", "rare"])
def test_what_tells_the_label(tmp_path: Path, entities: pd.DataFrame, label: str) -> None:
    """Columns that tell the label are named: numbers, their order, classes, and gaps."""
    number = RANDOM.normal(size=ROWS)
    flag = number > 0
    labels = {
        "number": (number, {"same": number * -3 + 1, "order": np.exp(5 * number)}),
        "flag": (flag, {"same": np.where(flag, 7.0, np.nan), "text": np.where(flag, "a", "b")}),
        "text": (np.where(flag, "yes", "no"), {"step": np.abs(number) * np.where(flag, 1, -1)}),
        "rare": (np.arange(ROWS) % 50 == 0, {"remainder": np.arange(ROWS) % 50}),
    }
    truth, telling = labels[label]
    table = entities.assign(late=truth, **telling, some=number + RANDOM.normal(size=ROWS))
    found = leaks(tmp_path, table, TIMES - pd.Timedelta("1h"), label="late", timestamp="at")
    assert {each.column for each in found} == set(telling)
    assert {each.why for each in found} == {"predicts"}
    assert all(each.share >= 0.98 for each in found)
    assert all(f"{each.column}: it alone tells late" in each.line for each in found)


def test_what_cannot_be_judged(tmp_path: Path, entities: pd.DataFrame) -> None:
    """Lists, constants, missing labels and few rows give no suspicion, and no failure."""
    known = TIMES - pd.Timedelta("1h")
    lists = entities.assign(items=[[1]] * ROWS, one=1, empty=np.nan, infinite=np.inf, when=TIMES)
    assert leaks(tmp_path, lists, known, label="late", timestamp="at") == []
    for label in ("one", "empty", "items", "infinite"):
        assert leaks(tmp_path, lists, known, label=label, timestamp="at") == []
    assert leaks(tmp_path, entities.head(9), known, label="late") == []
    with pytest.raises(InvalidInput, match=r"label names the column lat, .* Is it late\?"):
        leaks(tmp_path, entities, known, label="lat")
