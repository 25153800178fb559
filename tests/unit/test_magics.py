"""%mlops as far as it needs no worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyter_mlops.core.exceptions import MlopsError
from jupyter_mlops.magics import split
from tests.support.notebooks import write_notebook


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """IPython with the extension, in a project with a notebook."""
    (tmp_path / "mlops.toml").touch()
    write_notebook(tmp_path / "train.ipynb", "max_depth: int = 3\nrate = 0.1")
    monkeypatch.chdir(tmp_path)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    made: Any = InteractiveShell.instance(config=config)
    made.run_line_magic("load_ext", "jupyter_mlops")
    yield made
    InteractiveShell.clear_instance()


def complete(shell: InteractiveShell, line: str) -> list[str]:
    """What the line becomes by each completion that a kernel offers."""
    with provisionalcompleter():
        found = list(shell.Completer.completions(line, len(line)))
    return [line[: each.start] + each.text + line[each.end :] for each in found]


def test_arguments_are_split_as_in_a_shell() -> None:
    """Quotes group words; what a shell would take for itself is left alone."""
    line = """sweep a.ipynb rate=log(1e-3,1e-1,4) name="two words" 'p={"a": [1]}' x=[1,2]"""
    assert split(line)[1:] == [
        "a.ipynb",
        "rate=log(1e-3,1e-1,4)",
        "name=two words",
        'p={"a": [1]}',
        "x=[1,2]",
    ]


def test_an_open_quote_is_an_error() -> None:
    """A quote that is not closed is refused, not guessed."""
    with pytest.raises(MlopsError, match="close the quotes"):
        split('run "a.ipynb')


def test_errors_are_one_line(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """A failing command shows one line, and fails the cell for whoever executes the notebook."""
    result = shell.run_cell("%mlops run nothing.ipynb")
    assert isinstance(result.error_in_exec, MlopsError)
    shown = capsys.readouterr()
    assert shown.out.startswith("Error: There is no notebook nothing.ipynb.")
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize(
    "line", ["nothing", "sweep", "sweep train.ipynb --metrik auc", "sweep train.ipynb depth"]
)
def test_bad_usage(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Bad usage is one line too, and names the help as it is called in a cell."""
    assert not shell.run_cell(f"%mlops {line}").success
    shown = capsys.readouterr().out.strip()
    assert shown.startswith("Error: ")
    assert "Help: %mlops" in shown
    assert "\n" not in shown


def test_debug_shows_the_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --debug the error is the original one."""
    result = shell.run_cell("%mlops sweep train.ipynb depth=1 depth=2 --debug")
    assert type(result.error_in_exec).__name__ == "UsageError"
    assert "Traceback" in capsys.readouterr().out


def test_variables_are_expanded(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python's variables go into a command as IPython puts them into every line."""
    shell.run_cell("name = 'lost'\n%mlops run {name}.ipynb")
    assert "There is no notebook lost.ipynb." in capsys.readouterr().out


def test_help(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """Help says how the command is called in a cell, and is no error; nor is a group alone."""
    assert shell.run_cell("%mlops sweep --help").success
    assert capsys.readouterr().out.startswith("Usage: %mlops sweep")
    assert shell.run_cell("%mlops runs").success
    assert capsys.readouterr().out.startswith("Usage: %mlops runs")


def test_alone_it_shows_what_to_do(shell: InteractiveShell) -> None:
    """`%mlops` alone shows what is running, and five commands as they are called in a cell."""
    shell.run_cell("shown = %mlops")
    text = repr(shell.user_ns["shown"])
    assert text.startswith("Nothing is running in ")
    assert sum(line.startswith("%mlops") for line in text.splitlines()) == 5
    assert "%mlops runs list" in shell.user_ns["shown"]._repr_html_()


def test_json(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json a cell prints the record, as the shell does."""
    shell.run_cell("%mlops worker --status --json")
    assert capsys.readouterr().out.split() == ["{", '"serving":', "false", "}"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%mlops sw", ["%mlops sweep"]),
        ("%mlops runs c", ["%mlops runs cancel", "%mlops runs compare"]),
        ("best = %mlops sw", ["best = %mlops sweep"]),
        ("a.b, c = %mlops ru", ["a.b, c = %mlops run", "a.b, c = %mlops runs"]),
        ("%mlops sweep tr", ["%mlops sweep train.ipynb"]),
        ("%mlops sweep ./tr", ["%mlops sweep ./train.ipynb"]),
        ("%mlops sweep train.ipynb --max", ["%mlops sweep train.ipynb --maximize"]),
        ("%mlops sweep train.ipynb ma", ["%mlops sweep train.ipynb max_depth="]),
        ("%mlops sweep train.ipynb max_depth=3 ", ["%mlops sweep train.ipynb max_depth=3 rate="]),
        ("%mlops runs list --status ca", ["%mlops runs list --status cancelled"]),
    ],
)
def test_completion(shell: InteractiveShell, line: str, expected: list[str]) -> None:
    """Tab completes commands, options, notebooks and parameters, also after an assignment."""
    assert complete(shell, line) == expected


def test_unloading(shell: InteractiveShell) -> None:
    """%unload_ext takes the magic away."""
    shell.run_line_magic("unload_ext", "jupyter_mlops")
    assert shell.find_line_magic("mlops") is None
