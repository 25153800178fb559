"""Parameters read from a notebook: its cells, types, defaults and help, whatever stands in it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.exceptions import NotebookUnreadable
from jupyter_mlops.core.language import parse_axis
from jupyter_mlops.core.parameters import Parameter, ParameterKind
from jupyter_mlops.core.values import Value, literal, same
from jupyter_mlops.notebooks.parameters import NotebookParameters, read_parameters

PYTHON = {"kernelspec": {"name": "python3", "language": "python"}}


def code(source: object, *tags: str, **changes: object) -> dict[str, Any]:
    """Make a code cell."""
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
    } | changes


def read(*cells: dict[str, Any], metadata: object = PYTHON) -> NotebookParameters:
    """Read a notebook of these cells."""
    return read_parameters(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}
    )


def declared(source: object) -> dict[str, Parameter]:
    """Read a parameters cell."""
    return {p.name: p for p in read(code(source, "parameters")).parameters}


def one(source: str) -> Parameter:
    """Read a cell with one parameter."""
    (parameter,) = declared(source).values()
    return parameter


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


# -- cells ---------------------------------------------------------------------------------------


def test_every_way_to_assign_at_the_top_of_the_cell_declares() -> None:
    """Chains and tuples declare their names; functions, conditions and attributes do not."""
    found = declared(
        "import os\n"
        "a = b = 3\n"
        "c, (d, e) = 1, ('x', [2])\n"
        "f, g = compute()\n"
        "h, *i = [1, 2, 3]\n"
        "j, k = 'xy'\n"
        "os.x = 1\n"
        "os.environ['A'] = 'b'\n"
        "__all__ = []\n"
        "def function(y=1): z = 2\n"
        "if True:\n    inner = 1\n"
    )
    known = {name: p.default for name, p in found.items() if p.has_default}
    assert known == {"a": 3, "b": 3, "c": 1, "d": "x", "e": [2]}
    assert {name: p.default for name, p in found.items() if not p.has_default} == {
        "f": "compute()",
        "g": "compute()",
        "h": "[1, 2, 3]",
        "i": "[1, 2, 3]",
        "j": "'xy'",
        "k": "'xy'",
    }


def test_the_last_assignment_counts_and_keeps_the_first_ones_place() -> None:
    """Later lines override earlier ones, as they do when executed."""
    found = declared("a = 1\nb = 2\na = 'x'\nb += 1\n")
    assert list(found) == ["a", "b"]
    assert (found["a"].kind, found["a"].default) == ("str", "x")
    assert (found["b"].has_default, found["b"].default) == (False, "b += 1")


def test_magics_do_not_hide_the_parameters() -> None:
    """IPython's own syntax is set aside, but not within text, and lines keep their numbers."""
    found = declared(
        "%matplotlib inline\n"
        "!pip install 'x \\\n   y\n"
        "files = !ls *.csv\n"
        "where = %pwd\n"
        "a = 1  # one\n"
        "a?\n"
        "if a:\n"
        "    %time f()\n"
        "    !echo (\n"
        "b = '''\n%not a magic\n!nor this'''\n"
        "c = (10\n  % 3)\n"
    )
    assert {name: p.default for name, p in found.items()} == {
        "a": 1,
        "b": "\n%not a magic\n!nor this",
        "c": 1,
    }
    assert found["a"].help == "one"


def test_cell_magics_that_run_python_are_read_and_others_are_not() -> None:
    """A cell of another language declares nothing."""
    assert list(declared("\n%%time\na = 1")) == ["a"]
    assert list(declared("%%capture out\na = 1")) == ["a"]
    assert declared("%%bash\na=1; if [ x ]; then\n") == {}
    assert declared("%%") == {}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_all_newlines_and_odd_characters_are_read(newline: str) -> None:
    """Separators that only Unicode knows do not shift the lines of comments."""
    found = declared(newline.join(["a = 'x\u2028\x0cy'  # one", "%magic", "größe = 2  # two"]))
    assert [(p.name, p.help) for p in found.values()] == [("a", "one"), ("größe", "two")]


def test_source_may_be_a_list_of_lines_or_damaged() -> None:
    """Both forms of nbformat are read; what is neither is empty."""
    assert list(declared(["a = 1\n", "b = 2"])) == ["a", "b"]
    assert list(declared(["a = 1\n", 3])) == ["a"]
    assert declared(None) == declared(3) == declared("") == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a = 1\nb = (\n", "Parameters cell, line 2: '(' was never closed. Correct the cell."),
        ("a = 1\nb = = 2", "Parameters cell, line 2: invalid syntax. Correct the cell."),
        ("%magic\n  a = 1", "Parameters cell, line 2: unexpected indent. Correct the cell."),
        ("%magic\n" * 200, "Parameters cell, it is not Python that can be read. Correct the cell."),
        ("a = '\ud800'", "Parameters cell, it is not Python that can be read. Correct the cell."),
    ],
)
def test_a_cell_that_is_not_python_is_refused_with_the_line(source: str, message: str) -> None:
    """The line is the one that JupyterLab shows."""
    with pytest.raises(NotebookUnreadable) as caught:
        declared(source)
    assert caught.value.message == message


def test_a_zero_byte_is_refused() -> None:
    """Python's versions word this differently."""
    with pytest.raises(NotebookUnreadable, match="Parameters cell, "):
        declared("a = 1\0")


# -- notebooks -----------------------------------------------------------------------------------


def test_only_a_tagged_code_cell_is_the_parameters_cell() -> None:
    """Markdown with the tag, other tags, damaged tags and leftovers of a run do not count."""
    found = read(
        code("a = 1", metadata={"tags": "parameters"}),
        code("b = 1", metadata=None),
        code("c = 1", metadata={"tags": [None, 3, ["parameters"]]}),
        code("d = 1", "parameters", cell_type="markdown"),
        code("e = 1", "injected-parameters"),
        code("f = 1", "parameters", "injected-parameters"),
        code("g = 1", "hide", "parameters"),
    )
    assert (found.has_cell, found.cell_index) == (True, 6)
    assert [p.name for p in found.parameters] == ["g"]
    assert found.candidates == ()


def test_two_parameters_cells_are_refused() -> None:
    """The second would silently undo what is injected after the first."""
    with pytest.raises(NotebookUnreadable) as caught:
        read(code("a = 1", "parameters"), code("b"), code("a = 2", "parameters"))
    assert caught.value.message == (
        "Cells 1 and 3 are both tagged parameters. Remove the tag from one."
    )


def test_cells_of_literals_are_offered_best_first() -> None:
    """Without a parameters cell, those that mostly assign literals could become one."""
    found = read(
        code("import pandas as pd"),
        code("# limits\nimport os\na = 1\nb = 2\nc = 3\nprint(a)"),
        code("df = pd.read_csv('x')\nn = 3"),
        code("%matplotlib inline\n'''Settings'''\nx = 1\ny = 'b'"),
        code("z = 1"),
        code("z = 1", cell_type="markdown"),
        code("z = 1", "injected-parameters"),
        code("z = ("),
        code("z = 1\n" * 10_000),
        code(""),
    )
    assert (found.has_cell, found.cell_index, found.parameters) == (False, None, ())
    assert found.candidates == (3, 4, 1)
    assert read().candidates == ()


@pytest.mark.parametrize(
    ("metadata", "kernel", "language", "readable"),
    [
        (PYTHON, "python3", "python", True),
        ({}, None, None, True),
        (None, None, None, True),
        ([], None, None, True),
        ({"kernelspec": "x", "language_info": 3}, None, None, True),
        ({"kernelspec": {"name": 3, "language": ""}}, None, None, True),
        ({"kernelspec": {"name": "ir", "language": "R"}}, "ir", "R", False),
        ({"kernelspec": {"name": "x"}, "language_info": {"name": "julia"}}, "x", "julia", False),
        ({"language_info": {"name": "ipython"}}, None, "ipython", True),
    ],
)
def test_kernel_and_language_are_told_and_other_languages_are_not_parsed(
    metadata: object, kernel: str | None, language: str | None, readable: bool
) -> None:
    """Names of a notebook in R cannot be checked, and the record says so."""
    found = read(code("a = 1" if readable else "a <- (1", "parameters"), metadata=metadata)
    assert (found.kernel_name, found.language) == (kernel, language)
    assert (found.readable, found.has_cell) == (readable, True)
    assert len(found.parameters) == readable


def test_inferred_kinds_take_other_numbers_and_annotated_ones_do_not() -> None:
    """``rate = 1`` takes 0.5 and null, ``rate: int = 1`` takes neither."""
    assert list(parse_axis("0.5,2,null", one("rate = 1")).values()) == [0.5, 2, None]
    assert list(parse_axis("1", one("rate = 0.1")).values()) == [1.0]
    assert list(parse_axis("3", one("name = 'x'")).values()) == ["3"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(JSON)
def test_a_default_that_is_offered_is_read_back(value: Any) -> None:
    """The form shows a default as text, and the text means the default."""
    parameter = one(f"x = {value!r}")
    assert parameter.has_default
    (back,) = parse_axis(literal(parameter.default), parameter).values()
    assert same(back, value)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "cell_type": st.just("code") | JSON,
                "metadata": st.just({"tags": ["parameters"]}) | JSON,
                "source": JSON | st.text("ax=1(:'\"%!\n # [\\", max_size=30),
            },
        ),
        max_size=3,
    ),
    st.fixed_dictionaries({}, optional={"kernelspec": JSON, "language_info": JSON}) | JSON,
)
def test_any_notebook_gives_parameters_or_one_line(cells: list[Any], metadata: Any) -> None:
    """No content makes the reader fail in another way."""
    refusal: NotebookUnreadable | None = None
    try:
        found = read(*cells, metadata=metadata)
        assert found.has_cell is (found.cell_index is not None)
    except NotebookUnreadable as error:
        refusal = error
    assert refusal is None or "\n" not in refusal.message


def test_reading_parameters_imports_little() -> None:
    """The server reads parameters: neither nbformat nor papermill is imported for it."""
    program = (
        "import sys, json, jupyter_mlops.notebooks.parameters, jupyter_mlops.notebooks.files;"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert not {"nbformat", "papermill", "IPython", "numpy"} & set(json.loads(output.stdout))
