"""The sample of the training data that is logged with a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.registry.reference import training_part, write_reference

TRAIN = pd.DataFrame({"x": range(25_000), "late": 1})
VALID = pd.DataFrame({"x": [1.0]})


@pytest.mark.parametrize(
    "data",
    [
        TRAIN,
        (TRAIN, TRAIN["late"]),
        {"validation": VALID, "train": TRAIN},
        {"validation": VALID, "train": (TRAIN, TRAIN["late"])},
        {"all": TRAIN, "more": VALID},
    ],
)
def test_part(data: object) -> None:
    """The part called train is taken, or else the first one; of a tuple, its table."""
    assert training_part(data) is TRAIN


@pytest.mark.parametrize("data", [None, "train.csv", {"train": np.zeros((3, 2))}, {}])
def test_no_table(data: object, tmp_path: Path) -> None:
    """Where there is no table, nothing is written."""
    assert not write_reference(data, tmp_path / "reference")
    assert not (tmp_path / "reference").exists()


def test_sample(tmp_path: Path) -> None:
    """At most 10,000 rows are kept, evenly from the whole table."""
    assert write_reference({"train": TRAIN}, tmp_path / "reference")
    kept = pd.read_parquet(tmp_path / "reference" / "train.parquet")["x"]
    assert len(kept) == 8334
    assert (kept.min(), kept.max()) == (0, 24_999)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A table that has no form as Parquet is left out."""
    odd = pd.DataFrame({"x": [object(), object()]})
    assert not write_reference(odd, tmp_path / "reference")
    assert not (tmp_path / "reference").exists()
