"""Parameters declared in a cell: defaults, annotations and help."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from jupyter_mlops.core.exceptions import NotebookUnreadable
from jupyter_mlops.core.parameters import ParameterKind
from jupyter_mlops.core.values import Value, same
from tests.support.cells import declared, one

# -- defaults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "kind", "value"),
    [
        ("x = 3", "int", 3),
        ("x = -3", "int", -3),
        ("x = 0x10", "int", 16),
        ("x = 1e-3", "float", 1e-3),
        ("x = 2**10", "int", 1024),
        ("x = 60 * 60 / 2", "float", 1800.0),
        ("x = -(7 // 2) + 10 % 4", "int", -1),
        ("x = 2 ** -1", "float", 0.5),
        ("x = True", "bool", True),
        ("x = 'a' \"b\"", "str", "ab"),
        ("x = 'a' + 'b'", "str", "ab"),
        ("x = 'f(y=1)'", "str", "f(y=1)"),
        ('x = """two\n% lines"""', "str", "two\n% lines"),
        ("x = None", "any", None),
        ("x = [1, [2.5], 'a', None]", "list", [1, [2.5], "a", None]),
        ("x = (1, 2)", "list", [1, 2]),
        ("x = {'a': 1, 'b': {}}", "dict", {"a": 1, "b": {}}),
        ("x = [\n  1,\n  2,\n]", "list", [1, 2]),
        ("x = list()", "list", []),
        ("x = dict()", "dict", {}),
        ("x = float('nan')", "float", math.nan),
        ("x = -float('inf')", "float", -math.inf),
        ("x = math.inf", "float", math.inf),
        ("x = np.nan", "float", math.nan),
        ("x = -0.0", "float", -0.0),
        ("x = 1_000_000", "int", 1_000_000),
    ],
)
def test_literals_are_defaults_and_tell_the_kind(source: str, kind: str, value: Value) -> None:
    """Without an annotation the default's type is the kind, and stays open to other numbers."""
    parameter = one(source)
    assert parameter.has_default
    assert parameter.annotation is None
    assert parameter.kind is ParameterKind(kind)
    assert same(parameter.default, value)
    assert parameter.optional is (value is None)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("Path('x')", "Path('x')"),
        ("compute(\n    1,\n    2)", "compute( 1, 2)"),
        ("{1, 2}", "{1, 2}"),
        ("b'x'", "b'x'"),
        ("1j", "1j"),
        ("{1: 2}", "{1: 2}"),
        ("{**other}", "{**other}"),
        ("f'{y}'", "f'{y}'"),
        ("y * 2", "y * 2"),
        ("...", "..."),
        ("9**9**9", "9**9**9"),
        ("1 / 0", "1 / 0"),
        ("'a' * 3", "'a' * 3"),
        ("10.0 ** 1000", "10.0 ** 1000"),
        ("(-8) ** 0.5", "(-8) ** 0.5"),
        ("float('x')", "float('x')"),
        ("not True", "not True"),
        ("'\\ud800'", "'\\ud800'"),
        ("os.inf", "os.inf"),
        ("lambda: 1", "lambda: 1"),
    ],
)
def test_what_must_be_executed_is_shown_and_takes_anything(expression: str, shown: str) -> None:
    """Nothing is executed: the source of such a default stands in for its value."""
    parameter = one(f"x = {expression}")
    assert (parameter.kind, parameter.has_default) == (ParameterKind.ANY, False)
    assert parameter.default == shown
    assert parameter.optional


def test_reading_never_executes(tmp_path: Any) -> None:
    """A cell that would leave a file behind leaves none."""
    mark = tmp_path / "mark"
    source = (
        f"x: open({str(mark)!r}, 'w') = open({str(mark)!r}, 'w')\ny = __import__('os').getpid()"
    )
    found = declared(source)
    assert set(found) == {"x", "y"}
    assert not any(parameter.has_default for parameter in found.values())
    assert not mark.exists()


@pytest.mark.parametrize("terms", [200, 900, 5_000])
def test_long_sums_neither_hang_nor_crash(terms: int) -> None:
    """Deep expressions are values, sources, or one line that refuses them."""
    started = time.perf_counter()
    try:
        found = one("x = " + " + ".join(["1"] * terms))
    except NotebookUnreadable as error:
        assert error.message.startswith("Parameters cell, ")  # noqa: PT017  # either may happen
    else:
        assert found.default == terms or not found.has_default
    assert time.perf_counter() - started < 5


# -- annotations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "kind", "optional"),
    [
        ("int", "int", False),
        ("float", "float", False),
        ("str", "str", False),
        ("bool", "bool", False),
        ("'int'", "int", False),
        ("list", "list", False),
        ("list[int]", "list", False),
        ("typing.List[int]", "list", False),
        ("tuple[int, ...]", "list", False),
        ("dict[str, int]", "dict", False),
        ("Mapping[str, Any]", "dict", False),
        ("Optional[int]", "int", True),
        ("typing.Optional['float']", "float", True),
        ("int | None", "int", True),
        ("None | str", "str", True),
        ("'int | None'", "int", True),
        ("Union[bool, None]", "bool", True),
        ("Annotated[int, 'depth of a tree']", "int", False),
        ("Annotated[int | None, Gt(3)]", "int", True),
        ("Final[int]", "int", False),
        ("int | float", "any", True),
        ("int | str", "any", True),
        ("Any", "any", True),
        ("None", "any", True),
        ("Path", "any", True),
        ("'not python('", "any", True),
        ("f(x)", "any", True),
    ],
)
def test_annotations_tell_the_kind(annotation: str, kind: str, optional: bool) -> None:
    """Types of the standard library are known in each of their spellings, others take anything."""
    parameter = one(f"x: {annotation} = compute()")
    assert (parameter.kind, parameter.optional) == (ParameterKind(kind), optional)
    assert parameter.annotation == annotation.strip("'" if annotation[0] == "'" else "")
    assert parameter.choices is None


@pytest.mark.parametrize(
    ("annotation", "choices", "optional"),
    [
        ("Literal['rf', 'gbm']", ("rf", "gbm"), False),
        ("typing.Literal[1, -2, True, 'a']", (1, -2, True, "a"), False),
        ("Literal['a', None]", ("a",), True),
        ("Optional[Literal['a', 'b']]", ("a", "b"), True),
        ("Literal['a'] | Literal['b', 'a'] | None", ("a", "b"), True),
        ("\"Literal['a']\"", ("a",), False),
    ],
)
def test_literal_makes_a_choice(
    annotation: str, choices: tuple[Value, ...], optional: bool
) -> None:
    """A choice has its members in order, with None as null."""
    parameter = one(f"x: {annotation} = 'a'")
    assert parameter.kind is ParameterKind.CHOICE
    assert parameter.choices == choices
    assert parameter.optional is optional


def test_literals_of_unknown_members_take_anything() -> None:
    """Members that must be looked up make no choice."""
    assert one("x: Literal[Color.RED] = 1").kind is ParameterKind.ANY
    assert one("x: Literal['a'] | int = 1").kind is ParameterKind.ANY


def test_an_annotation_without_a_value_declares_a_parameter_without_a_default() -> None:
    """It must be given, and shows no source."""
    parameter = one("x: int")
    assert (parameter.kind, parameter.has_default, parameter.default) == ("int", False, None)


def test_a_default_of_none_makes_an_annotated_parameter_optional() -> None:
    """``x: int = None`` means what its author meant."""
    assert one("x: int = None").optional
    assert not one("x: int = 3").optional


def test_a_comment_may_hold_the_type_and_the_help() -> None:
    """The old style of annotation is read as papermill reads it."""
    found = declared(
        "depth: int = 3  # depth of a tree\n"
        "rate = 1  # type: float step size\n"
        "names = []  # type: List[str]\n"
        "plain = 1\n"
        "quiet = 1  # noqa: E501\n"
        "any = f(  # why\n  1)\n"
        "sizes = [  # first\n  1,\n]  # last\n"
        "text = '# no comment'\n"
        "a = 1; b = 2  # both\n"
        f"long = 1  # {'x' * 1000}\n"
    )
    assert {name: p.help for name, p in found.items()} == {
        "depth": "depth of a tree",
        "rate": "step size",
        "names": None,
        "plain": None,
        "quiet": None,
        "any": "why",
        "sizes": "last",
        "text": None,
        "a": "both",
        "b": "both",
        "long": "x" * 200,
    }
    assert (found["rate"].kind, found["rate"].annotation) == ("float", "float")
    assert (found["names"].kind, found["names"].annotation) == ("list", "List[str]")
