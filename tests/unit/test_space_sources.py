"""Parameter spaces that come from Python objects and from files."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from enum import Enum, IntEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.exceptions import BadSpace
from jupyter_mlops.core.language import parse_axis, undeclared
from jupyter_mlops.core.parameters import Parameter, ParameterKind
from jupyter_mlops.core.spaces import (
    axes_from_python,
    parse_points,
    space_from_python,
)
from jupyter_mlops.core.values import (
    Value,
    encode,
    identity,
    same,
)


def parameter(kind: str, **changes: Any) -> Parameter:
    """Make an annotated declaration of a parameter called ``p``."""
    declared: dict[str, Any] = {"kind": ParameterKind(kind), "annotation": kind, "optional": False}
    return replace(undeclared("p"), **declared | changes)


INT, FLOAT, STR, BOOL = (parameter(kind) for kind in ("int", "float", "str", "bool"))
LIST, PLAIN_INT = parameter("list"), parameter("int", annotation=None)
MODEL = parameter("choice", choices=("rf", "gbm"))
SIZES = parameter("choice", choices=(1, 2, 3))


def assert_same(found: Iterable[Value], expected: Iterable[Value]) -> None:
    """Compare with types, so that 1, 1.0 and True differ."""
    assert [identity(value) for value in found] == [identity(value) for value in expected]


def attempt(make: Callable[[], object]) -> object:
    """Return what is made, or the refusal."""
    try:
        return make()
    except BadSpace as error:
        return error


class Color(Enum):
    """An enumeration that a notebook would get as text."""

    RED = "red"


class Level(IntEnum):
    """An enumeration of ints."""

    LOW = 1


def test_python_lists_vary_and_everything_else_is_one_value() -> None:
    """Lists, tuples, ranges and 1-d arrays are axes; text is never read as a space."""
    space = space_from_python(
        {
            "a": [3, 5],
            "b": (1.5,),
            "c": range(0, 6, 3),
            "d": np.array([1, 2], dtype=np.int8),
            "e": pd.Series([0.5]),
            "f": "1..3,log(1,2,3)",
            "g": {"k": [1, None]},
            "h": None,
            "i": np.float32(0.5),
            "j": [[64, 64], [128]],
        }
    )
    assert space.count == 2 * 2 * 2 * 2
    first = next(space.points())
    assert_same(
        first.values(),
        [3, 1.5, 0, 1, 0.5, "1..3,log(1,2,3)", {"k": [1, None]}, None, 0.5, [64, 64]],
    )


def test_python_ranges_stay_lazy() -> None:
    """A range of 10^12 ints is counted only, and can be written as a space."""
    space = space_from_python({"a": range(10**12)})
    assert space.count == 10**12
    assert space.texts() == {"a": "0..999999999999..1"}
    assert parse_axis("0..999999999999..1").count == 10**12


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.float64("nan"), math.nan),
        (np.array(4), 4),
        (OrderedDict(a=1), {"a": 1}),
    ],
)
def test_subclasses_become_plain(value: object, expected: Value) -> None:
    """Values that a notebook would get in another type are made plain first."""
    (found,) = axes_from_python({"a": value})[0].values()
    assert_same([found], [expected])
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ({1, 2}, "a list"),
        ([(1, 2)], "a list"),
        ([range(3)], "list(...)"),
        (b"x", "text: .decode()"),
        (Path("x"), "text: str(...)"),
        (dt.date(2024, 1, 1), "text: .isoformat()"),
        (pd.Timestamp(0), "text: .isoformat()"),
        (dt.timedelta(1), "a number: .total_seconds()"),
        (Decimal(1), "float(...)"),
        (Color.RED, "its .value"),
        (Level.LOW, "its .value"),
        (1j, "text, a number, true or false, None, a list or a dict"),
        (np.zeros((2, 2)), "text, a number, true or false, None, a list or a dict"),
        (iter([1]), "text, a number, true or false, None, a list or a dict"),
        ([{"k": {3}}], "a list"),
    ],
)
def test_what_a_notebook_would_get_as_text_is_refused(value: object, instead: str) -> None:
    """The refusal names the parameter and what to pass."""
    with pytest.raises(BadSpace) as caught:
        space_from_python({"a": value})
    assert caught.value.message.startswith("a: a ")
    assert caught.value.message.endswith(f"would not reach the notebook as it is. Pass {instead}.")
    assert caught.value.field == "a"


def test_what_no_file_can_hold_is_refused() -> None:
    """Keys that are not text, halves of characters, endless ints and nesting are refused."""
    endless: list[Any] = []
    endless.append(endless)
    for value, message in (
        ({1: 2}, "the key 1 of a dict is not text"),
        ("\ud800", "half a character"),
        ([{"\ud800": 1}], "half a character"),
        (1 << 20_000, "a whole number is too long"),
        (endless, "more than 100 levels deep"),
    ):
        with pytest.raises(BadSpace, match=message):
            space_from_python({"a": value})
    with pytest.raises(BadSpace, match="3 is not a parameter's name"):
        space_from_python({3: 4})  # type: ignore[dict-item]


def test_python_values_get_the_declared_type() -> None:
    """Numbers fit each other where nothing is lost; nothing else is converted."""
    assert_same(axes_from_python({"p": [1, 2.5]}, [FLOAT])[0].values(), [1.0, 2.5])
    assert_same(axes_from_python({"p": [1, 3.0]}, [INT])[0].values(), [1, 3])
    assert_same(axes_from_python({"p": [1, 2.5, None]}, [PLAIN_INT])[0].values(), [1, 2.5, None])
    assert_same(axes_from_python({"p": range(2)}, [FLOAT])[0].values(), [0.0, 1.0])
    for value, declared, message in (
        (2.5, INT, "p: 2.5 is not an int."),
        (True, INT, "p: true is not an int."),
        (math.nan, INT, "p: nan is not an int."),
        ("3", INT, 'p: "3" is not an int.'),
        (3, STR, "p: 3 is not text."),
        (1, BOOL, "p: 1 is not true or false."),
        ([64, 64], LIST, "p: 64 is not a list, like [1, 2]. Values that are lists stand in a list"),
        ("svm", MODEL, 'p: "svm" is not one of rf, gbm.'),
        (True, SIZES, "p: true is not one of 1, 2, 3."),
        (None, INT, "p: null is not an int."),
        (10**400, FLOAT, "p: a whole number is too large for a float."),
    ):
        with pytest.raises(BadSpace) as caught:
            axes_from_python({"p": value}, [declared])
        assert caught.value.message.startswith(message)


def test_a_list_of_dicts_is_a_list_of_points() -> None:
    """Points may set different names; each is checked."""
    space = space_from_python([{"p": 1}, {"q": "x"}], [FLOAT])
    assert_same([dict(point) for point in space.points()], [{"p": 1.0}, {"q": "x"}])
    with pytest.raises(BadSpace, match="point 2 is not an object"):
        space_from_python([{"p": 1}, 3])  # type: ignore[list-item]


def test_csv_cells_are_typed_by_their_column() -> None:
    """Names stand in the first row, an empty cell keeps the default, text keeps its commas."""
    source = '\ufeffp,name,layers\r\n1,"a, b","[64, 64]"\r\n\r\n2.5,,null\r\n'
    points = parse_points(source, ".CSV", [FLOAT])
    assert points == [
        {"p": 1.0, "name": "a, b", "layers": [64, 64]},
        {"p": 2.5, "layers": None},
    ]
    assert parse_points("p\n 03 \n", ".csv", [STR]) == [{"p": " 03 "}]
    assert parse_points("a\n1..3\n", ".csv") == [{"a": "1..3"}]


def test_json_and_json_lines_keep_their_types() -> None:
    """Points in JSON need no reading of text; floats that are not finite are decoded."""
    expected: list[dict[str, Value]] = [{"p": 1.0, "b": None}, {"b": [True], "c": "1..3"}]
    source = json.dumps(expected)
    lines = "\n".join(json.dumps(point) for point in expected) + "\n\n"
    for suffix, content in ((".json", source), (".jsonl", lines), (".ndjson", lines)):
        assert_same(parse_points(content, suffix, [FLOAT]), expected)
    (point,) = parse_points('[{"p": {"$float": "nan"}}]', ".json", [FLOAT])
    assert same(point["p"], math.nan)


@pytest.mark.parametrize(
    ("source", "suffix", "message"),
    [
        ("p\nx\n", ".csv", 'line 2: p: "x" is not a float.'),
        ("p,q\n1\n", ".csv", "line 2 has 1 values for 2 names."),
        ("p,p\n1,2\n", ".csv", "line 1: a name stands twice. Use each once."),
        ('p\n"a\n', ".csv", "line 2 is not valid CSV: unexpected end of data."),
        ('{"p": 1}', ".json", 'The file is not a JSON list of points, like [{"depth": 3}].'),
        ("[3]", ".json", "point 1 is not an object of names and values."),
        ('{"p": 1}\n{"p": }', ".jsonl", "line 2 is not valid JSON: Expecting value"),
        ("[" * 100_000, ".json", "The file is not valid JSON: "),
        ("a: 1", ".yaml", '".yaml" files hold no points. Use .csv, .json or .jsonl.'),
    ],
)
def test_damaged_files_are_refused_with_the_place(source: str, suffix: str, message: str) -> None:
    """A file that cannot be read names the line or the point."""
    with pytest.raises(BadSpace) as caught:
        parse_points(source, suffix, [FLOAT])
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


@given(st.text(max_size=60), st.sampled_from([".csv", ".json", ".jsonl"]))
def test_any_file_gives_points_or_one_line(source: str, suffix: str) -> None:
    """No file makes the reader fail in another way."""
    points = attempt(partial(parse_points, source, suffix, [FLOAT]))
    if isinstance(points, BadSpace):
        assert "\n" not in points.message
    else:
        assert isinstance(points, list)
        json.dumps(encode(points), allow_nan=False).encode()
