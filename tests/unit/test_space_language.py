"""The language of parameter spaces: what a text means, and what is said where it means nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.axes import Axis
from jupyter_mlops.core.exceptions import BadSpace, InvalidInput
from jupyter_mlops.core.language import parse_axis, split_assignment, undeclared
from jupyter_mlops.core.parameters import Parameter, ParameterKind
from jupyter_mlops.core.values import (
    Value,
    encode,
    identity,
    literal,
)


def parameter(kind: str, **changes: Any) -> Parameter:
    """Make an annotated declaration of a parameter called ``p``."""
    declared: dict[str, Any] = {"kind": ParameterKind(kind), "annotation": kind, "optional": False}
    return replace(undeclared("p"), **declared | changes)


INT, FLOAT, STR, BOOL = (parameter(kind) for kind in ("int", "float", "str", "bool"))
LIST, DICT = parameter("list"), parameter("dict")
PLAIN_INT, PLAIN_FLOAT = parameter("int", annotation=None), parameter("float", annotation=None)
MODEL = parameter("choice", choices=("rf", "gbm"))
SIZES = parameter("choice", choices=(1, 2, 3))


def read(source: str, declared: Parameter | None = None) -> list[Value]:
    """Return all values of a space."""
    return list(parse_axis(source, declared, name="p").values())


def assert_same(found: Iterable[Value], expected: Iterable[Value]) -> None:
    """Compare with types, so that 1, 1.0 and True differ."""
    assert [identity(value) for value in found] == [identity(value) for value in expected]


def attempt(make: Callable[[], object]) -> object:
    """Return what is made, or the refusal."""
    try:
        return make()
    except BadSpace as error:
        return error


# JSON-like values that a notebook can receive.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXTS | st.sampled_from(["$float", "$$float"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("3", [3]),
        ("3,5,7", [3, 5, 7]),
        (" 3 ,\t5 , 7 ", [3, 5, 7]),
        ("-3,-0.5,1e-4,.5,5.", [-3, -0.5, 1e-4, 0.5, 5.0]),
        ("-0.0", [-0.0]),
        ("true,false,null,True,False,None", [True, False, None, True, False, None]),
        ("nan,inf,-inf", [math.nan, math.inf, -math.inf]),
        ("rf,gbm", ["rf", "gbm"]),
        ("two words", ["two words"]),
        ("../data/flights.csv", ["../data/flights.csv"]),
        ("2024-01-31,10:30,01234,+49301234", ["2024-01-31", "10:30", "01234", "+49301234"]),
        ("'a,b',\"c, d\"", ["a,b", "c, d"]),
        ('"3","true",""', ["3", "true", ""]),
        (
            r"'it\'s',"[:-1] + r',"tab\t","\u00e9\ud83d\ude00","C:\\x"',
            ["it's", "tab\t", "é😀", "C:\\x"],
        ),
        ("it's", ["it's"]),
        ("[64,64],[128]", [[64, 64], [128]]),
        ('{"a": 1, "b": [1, 2]}, {}', [{"a": 1, "b": [1, 2]}, {}]),
        ('["a,b]"]', [["a,b]"]]),
        ("1..3,7", [1, 2, 3, 7]),
        ("7,1..3,9", [7, 1, 2, 3, 9]),
        ("ünïcode,日本", ["ünïcode", "日本"]),
    ],
)
def test_values_without_a_declaration_are_typed_by_their_look(
    source: str, expected: list[Value]
) -> None:
    """Undeclared parameters read numbers, constants, JSON and text as they look."""
    assert_same(read(source), expected)


@pytest.mark.parametrize(
    ("source", "declared", "expected"),
    [
        ("1..4", INT, [1, 2, 3, 4]),
        ("1 .. 10 .. 3", INT, [1, 4, 7, 10]),
        ("1..10..2", INT, [1, 3, 5, 7, 9]),
        ("3..1", INT, [3, 2, 1]),
        ("10..0..-5", INT, [10, 5, 0]),
        ("-2..2..2", INT, [-2, 0, 2]),
        ("5..5", INT, [5]),
        ("1..3", FLOAT, [1.0, 2.0, 3.0]),
        ("1..3", None, [1, 2, 3]),
        ("1.0..3.0..1.0", None, [1.0, 2.0, 3.0]),
        ("1..2..0.5", None, [1.0, 1.5, 2.0]),
        ("1..2..0.5", PLAIN_INT, [1.0, 1.5, 2.0]),
        ("0..1..0.1", FLOAT, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("1e-3..3e-3..1e-3", FLOAT, [0.001, 0.002, 0.003]),
        ("1_000..1_001", INT, [1000, 1001]),
        ("log(1e-4,1e-1,4)", FLOAT, [0.0001, 0.001, 0.01, 0.1]),
        ("log(1e-1, 1e-3, 3)", FLOAT, [0.1, 0.01, 0.001]),
        ("log(1,1000,4)", INT, [1, 10, 100, 1000]),
        ("log(1,1000,4)", None, [1, 10, 100, 1000]),
        ("log(1,1000,4)", PLAIN_INT, [1, 10, 100, 1000]),
        ("log(1,1000,4)", FLOAT, [1.0, 10.0, 100.0, 1000.0]),
        ("log(1,1000,3)", INT, [1, 32, 1000]),
        ("5,log(1,100,3)", FLOAT, [5.0, 1.0, 10.0, 100.0]),
        ("1..3", SIZES, [1, 2, 3]),
    ],
)
def test_ranges_include_both_ends_and_stay_exact(
    source: str, declared: Parameter | None, expected: list[Value]
) -> None:
    """Ranges and logs give exact decimals, of the declared type, with both ends."""
    assert_same(read(source, declared), expected)


def test_log_between_whole_numbers_stays_float_where_the_values_are_not_whole() -> None:
    """Ints and floats never mix within one undeclared log."""
    assert_same(read("log(1,100,2)"), [1, 100])
    found = read("log(1,1000,3)")
    assert_same(found[::2], [1.0, 1000.0])
    assert found[1] == pytest.approx(10**1.5)


@pytest.mark.parametrize(
    ("source", "declared", "expected"),
    [
        ("3,true,null,1e3", STR, ["3", "true", "null", "1e3"]),
        ("null,x", parameter("str", optional=True), [None, "x"]),
        ('"null"', parameter("str", optional=True), ["null"]),
        ('{"a": [1, 2]},x', STR, ['{"a": [1, 2]}', "x"]),
        ("[draft] report,{name}", STR, ["[draft] report", "{name}"]),
        ("f(x)", STR, ["f(x)"]),
        ("\"log(1,2,3)\",'1..3'", STR, ["log(1,2,3)", "1..3"]),
        ("1,2.5,1e-3,.5,5.,+1", FLOAT, [1.0, 2.5, 0.001, 0.5, 5.0, 1.0]),
        ("nan,inf,-inf,-0.0", FLOAT, [math.nan, math.inf, -math.inf, -0.0]),
        ("1,-7,1e3,2.0,007,1_000", INT, [1, -7, 1000, 2, 7, 1000]),
        (str(2**70), INT, [2**70]),
        ("1,2.5,3.0,1e3,null", PLAIN_INT, [1, 2.5, 3.0, 1000, None]),
        ("1", PLAIN_FLOAT, [1.0]),
        ("true,False", BOOL, [True, False]),
        ("null", parameter("int", optional=True), [None]),
        ("rf,'gbm'", MODEL, ["rf", "gbm"]),
        ("1,3", SIZES, [1, 3]),
        ('1,"1"', parameter("choice", choices=("1", 1)), ["1", "1"]),
        ("1..3,x", parameter("choice", choices=("1..3", "x")), ["1..3", "x"]),
        ("1", parameter("choice", choices=(1.0, True)), [1.0]),
        ("true,null", parameter("choice", choices=(1, True), optional=True), [True, None]),
        ("[1],[]", LIST, [[1], []]),
        ('{"a": null}', DICT, [{"a": None}]),
        ("3,x,null", parameter("any"), [3, "x", None]),
    ],
)
def test_the_declared_type_decides(source: str, declared: Parameter, expected: list[Value]) -> None:
    """The same word is text, a number or a constant, as the declaration says."""
    assert_same(read(source, declared), expected)


@pytest.mark.parametrize(
    ("source", "declared", "message"),
    [
        ("log(1e-3,1e-1,4", FLOAT, 'p: "log(1e-3,1e-1,4" has no closing parenthesis.'),
        ("", None, 'p: no value is given. Write "" for an empty text.'),
        ("   ", STR, 'p: no value is given. Write "" for an empty text.'),
        ("3,,5", INT, 'p: a value is missing beside a comma. Write "" for an empty text.'),
        ("3,", INT, 'p: a value is missing beside a comma. Write "" for an empty text.'),
        ("'abc", None, 'p: "\'abc" has no closing quote.'),
        ('"a"b', None, 'p: a comma is missing before "b".'),
        ("[1] [2]", None, 'p: a comma is missing before "[2]".'),
        (r'"C:\data"', None, r"p: \d is not an escape. Write a backslash as \\."),
        (r'"\ud800"', None, r'p: "\ud800" holds half a character (a lone surrogate).'),
        ("[1,", None, 'p: "[1," is not valid JSON.'),
        ("[" * 100_000, None, f'p: "{"[" * 59}…" is not valid JSON.'),
        (
            "uniform(0,1)",
            FLOAT,
            "p: uniform(...) is unknown. There is log(1e-4,1e-1,5); quote text.",
        ),
        ("1.5", INT, 'p: "1.5" is not an int.'),
        ("abc", INT, 'p: "abc" is not an int.'),
        ("abc", PLAIN_INT, 'p: "abc" is not an int.'),
        ("true", INT, 'p: "true" is not an int.'),
        ("null", INT, 'p: "null" is not an int.'),
        ('"3"', INT, 'p: "3" is not an int.'),
        ("[1,2]", INT, "p: [1, 2] is not an int."),
        ("\uff11", INT, 'p: "\uff11" is not an int.'),
        ("nan", INT, 'p: "nan" is not an int.'),
        ("1e400", FLOAT, "p: a number is too large for a float. Write inf for infinity."),
        (
            "1e400..1e401..1e400",
            FLOAT,
            "p: a number is too large for a float. Write inf for infinity.",
        ),
        ("1e-400", FLOAT, 'p: "1e-400" is too small for a float. Write 0.'),
        ("1e9999999999", FLOAT, 'p: "1e9999999999" is not a float.'),
        ("9" * 5000, INT, f'p: "{"9" * 59}…" is too long for a number.'),
        ("1", BOOL, 'p: "1" is not true or false.'),
        ("svm", MODEL, 'p: "svm" is not one of rf, gbm.'),
        ("null", MODEL, "p: null is not one of rf, gbm."),
        ("1..4", SIZES, "p: 4 is not one of 1, 2, 3."),
        ("1..1000000000", SIZES, "p: 4 is not one of 1, 2, 3."),
        ("3", LIST, 'p: "3" is not a list, like [1, 2].'),
        ("[1]", DICT, 'p: [1] is not a dict, like {"a": 1}.'),
        ("1..3", STR, 'p: "1..3" gives numbers, but text is wanted. Quote it as text.'),
        ("log(1,2,3)", STR, 'p: "log(1,2,3)" gives numbers, but text is wanted. Quote it as text.'),
        ("1..3", BOOL, 'p: "1..3" is not true or false.'),
        ("1..3..0", INT, 'p: the step of "1..3..0" is 0. Use another.'),
        ("1..3..-1", INT, 'p: "1..3..-1" never gets to its end. Use a positive step.'),
        ("3..1..1", INT, 'p: "3..1..1" never gets to its end. Use a negative step.'),
        ("0.1..0.5", FLOAT, 'p: "0.1..0.5" needs a step, like 0..1..0.1.'),
        ("1..3..0.5", INT, 'p: "1..3..0.5" does not give ints. Use whole numbers.'),
        ("1...5", INT, 'p: "1...5" is not a range. Write it like 1..10 or 0..1..0.1.'),
        ("1..", None, 'p: "1.." is not a range. Write it like 1..10 or 0..1..0.1.'),
        ("1..2..1e-300", FLOAT, 'p: the step of "1..2..1e-300" is too small for floats.'),
        ("log(0,1,3)", FLOAT, 'p: "log(0,1,3)" needs a first and a last number above 0.'),
        ("log(1,10,1)", FLOAT, 'p: "log(1,10,1)" needs a whole number of values, 2 or more.'),
        ("log(1,10,2.5)", FLOAT, 'p: "log(1,10,2.5)" needs a whole number of values, 2 or more.'),
        ("log(1e-400,1,3)", FLOAT, 'p: "1e-400" is too small for a float. Write 0.'),
        ("log(1,10)", FLOAT, 'p: "log(1,10)" needs three numbers, like log(1e-4,1e-1,5).'),
        ("log(a,10,3)", FLOAT, 'p: "a" is not a number.'),
        ("log(0.5,10,3)", INT, 'p: "log(0.5,10,3)" does not give ints. Use whole numbers.'),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    source: str, declared: Parameter | None, message: str
) -> None:
    """Each mistake names the parameter and the place, and is tied to its field."""
    with pytest.raises(BadSpace) as caught:
        read(source, declared)
    assert caught.value.message == message
    assert caught.value.field == "p"


@given(st.text(max_size=40) | st.from_regex(r"[\[\]{}()'\",.\-+0-9eE \\log]{0,30}", fullmatch=True))
def test_any_text_gives_values_or_one_line(source: str) -> None:
    """No text makes the reader fail in another way, and what it reads can be stored."""
    for declared in (None, INT, FLOAT, STR, BOOL, LIST, DICT, MODEL, SIZES, PLAIN_INT):
        axis = attempt(partial(parse_axis, source, declared, name="p"))
        if isinstance(axis, BadSpace):
            assert "\n" not in axis.message
            assert axis.field == "p"
        else:
            assert isinstance(axis, Axis)
            for value in islice(axis.values(), 20):
                json.dumps(encode(value), allow_nan=False).encode()


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_written_values_are_read_back(values: list[Value]) -> None:
    """What literal() writes, the language reads as the same values with the same types."""
    assert_same(read(", ".join(map(literal, values))), values)


@given(TEXTS)
def test_written_text_is_read_back_as_text(value: str) -> None:
    """A declared text survives being written, whatever it looks like."""
    assert read(literal(value), STR) == [value]


@given(st.decimals(-100, 100, places=3), st.integers(1, 60), st.decimals("0.001", 3, places=3))
def test_ranges_equal_exact_arithmetic(start: Decimal, count: int, step: Decimal) -> None:
    """Every value of a range is the float nearest to the exact decimal."""
    end = start + step * (count - 1)
    source = f"{start:f}..{end:f}..{step:f}"
    expected = [float(Fraction(start) + i * Fraction(step)) for i in range(count)]
    assert read(source, FLOAT) == expected


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.integers(2, 30))
def test_logs_keep_both_ends_and_equal_ratios(first: float, last: float, count: int) -> None:
    """A log has as many values as asked for, exact ends, and one ratio between neighbours."""
    found = read(f"log({first!r},{last!r},{count})", FLOAT)
    assert len(found) == count
    assert (found[0], found[-1]) == (first, last)
    assert found == pytest.approx(np.geomspace(first, last, count).tolist())


def test_assignments_are_split_at_the_first_equals_sign() -> None:
    """NAME=SPACE keeps later equals signs in the space."""
    assert split_assignment(" query = a=b ") == ("query", "a=b")
    for source in ("depth", "=3", " = 3"):
        with pytest.raises(InvalidInput, match="NAME=VALUES"):
            split_assignment(source)


def test_names_from_outside_do_not_break_the_line() -> None:
    """A name that is no name yet is shown without its control characters."""
    with pytest.raises(BadSpace) as caught:
        parse_axis("", name="a\nb\u202e")
    assert caught.value.message.startswith("a\\nb\\u202e: no value is given.")
