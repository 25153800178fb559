"""Whether a table has the types of a signature, and what is changed where nothing is lost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.registry.mlops_scoring.columns import (
    Column,
    WrongColumn,
    check_json,
    conform,
    read_columns,
)


def one(kind: str, values: Any, **options: Any) -> Any:
    """Bring a column to a type and return its values."""
    frame = pd.DataFrame({"x": pd.Series(values, **options)})
    made = conform([Column("x", kind, required=True)], frame)["x"]
    return str(made.dtype), made.tolist()


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("double", [1, 2], ("float64", [1.0, 2.0])),
        ("double", [Decimal("1.5"), None], None),
        ("float", [0.5], ("float32", [0.5])),
        ("long", [1.0, 2.0], ("int64", [1, 2])),
        ("long", [Decimal(3)], ("int64", [3])),
        ("integer", [1, 2], ("int32", [1, 2])),
        ("boolean", [True, False], ("bool", [True, False])),
        ("string", ["a", None], None),
    ],
)
def test_what_fits(kind: str, values: list[Any], expected: Any) -> None:
    """Numbers of another kind are taken where each keeps its value."""
    found = one(kind, values)
    if expected is not None:
        assert found == expected
    else:
        assert found[1][0] == values[0]
        assert pd.isna(found[1][1])


@pytest.mark.parametrize(
    ("kind", "values", "got", "row"),
    [
        ("double", ["1.5"], "text '1.5'", 1),
        ("double", [True], "boolean True", 1),
        ("long", [1.0, 1.5], "number 1.5", 2),
        ("long", [1.0, None], "null", 2),
        ("long", [2.0**63], "number 9.223372036854776e+18", 1),
        ("integer", [1, 2**31], "number 2147483648", 2),
        ("boolean", [1], "number 1", 1),
        ("string", [1], "number 1", 1),
        ("datetime", ["2026-01-01", "soon"], "text 'soon'", 2),
    ],
)
def test_what_does_not_fit(kind: str, values: list[Any], got: str, row: int) -> None:
    """A value that would be changed is told with its row."""
    with pytest.raises(WrongColumn) as caught:
        one(kind, values)
    assert (caught.value.got, caught.value.row) == (got, row)


def test_times() -> None:
    """Dates, times and their text become times."""
    frame = pd.DataFrame({"x": [dt.date(2026, 1, 2), None, "2026-01-03T04:05:06"]})
    made = conform([Column("x", "datetime", required=True)], frame)["x"]
    assert str(made.dtype) == "datetime64[ns]"
    assert made[0] == pd.Timestamp("2026-01-02")
    assert pd.isna(made[1])


def test_optional_and_further_columns() -> None:
    """An optional column may be missing, further ones stay."""
    columns = [Column("x", "long", required=False)]
    frame = pd.DataFrame({"y": [1]})
    assert conform(columns, frame) is frame
    check_json(columns, {"dataframe_records": [{"y": 1}]})
    with pytest.raises(WrongColumn):
        check_json(columns, {"dataframe_records": [{"x": "1"}]})


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"dataframe_split": {"columns": ["x"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["x"], "data": 7}},
        {"instances": [[1, 2]]},
        {"inputs": [1, 2]},
        {"dataframe_records": []},
        {},
    ],
)
def test_what_is_left_to_mlflow(body: Any) -> None:
    """What is no table is refused by MLflow in its own words, if at all."""
    check_json([Column("x", "long", required=True)], body)


def test_signatures() -> None:
    """Tensors have no columns to check."""
    assert read_columns(None) == ()
    assert read_columns([{"type": "tensor", "tensor-spec": {}}]) == ()
    found = read_columns([{"type": "long", "name": "x", "required": False}])
    assert found == (Column("x", "long", required=False),)
