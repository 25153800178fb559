"""Parameters cells in whole notebooks, whatever stands in them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.exceptions import NotebookUnreadable
from jupyter_mlops.core.language import parse_axis
from jupyter_mlops.core.values import literal, same
from tests.support.cells import PYTHON, code, declared, one, read

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
