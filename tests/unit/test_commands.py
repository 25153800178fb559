"""The command tree as far as it needs no worker: help, usage, completion, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from jupyter_mlops import __version__
from jupyter_mlops.cli import main
from jupyter_mlops.commands.errors import describe
from jupyter_mlops.commands.tree import tree
from jupyter_mlops.core.exceptions import InvalidInput, NotFound
from tests.support.notebooks import write_notebook

HEAVY = ("IPython", "mlflow", "nbformat", "pandas", "papermill", "rich", "sqlalchemy", "tornado")


def commands(group: click.Group = tree, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the tree, as the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, a project with a notebook."""
    (tmp_path / "mlops.toml").touch()
    write_notebook(tmp_path / "train.ipynb", "depth: int = 3\nrate = 0.1", "print(depth)")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def complete(*words: str, incomplete: str = "") -> list[str]:
    """What Tab offers."""
    shell = ShellComplete(tree, {}, "jupyter-mlops", "_JUPYTER_MLOPS_COMPLETE")
    return [item.value for item in shell.get_completions(list(words), incomplete)]


def test_the_tree() -> None:
    """These are the commands."""
    assert {" ".join(words) for words in commands()} == {
        "run",
        "sweep",
        "runs list",
        "runs show",
        "runs compare",
        "runs cancel",
        "runs retry",
        "runs delete",
        "pipeline run",
        "pipeline status",
        "pipeline show",
        "pipeline cancel",
        "schedules add",
        "schedules list",
        "schedules show",
        "schedules remove",
        "triggers add",
        "triggers list",
        "triggers show",
        "triggers remove",
        "endpoints list",
        "endpoints rollback",
        "endpoints stop",
        "models check",
        "models export",
        "models list",
        "models monitor",
        "models predict",
        "models serve",
        "models show",
        "models compare",
        "models lineage",
        "models reproduce",
        "models tag",
        "models register",
        "models alias",
        "features list",
        "features search",
        "features show",
        "features compute",
        "features join",
        "features check",
        "features drift",
        "features export",
        "features define",
        "register",
        "track",
        "log",
        "when",
        "init",
        "image",
        "demo",
        "doctor",
        "clean",
        "worker",
    }


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Help says what a command does in one sentence, and names --json and --debug."""
    assert main([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: jupyter mlops {' '.join(words)}")
    assert "--json" in shown
    assert "--debug" in shown
    assert len(shown.splitlines()[2].strip()) > 20
    assert max(map(len, shown.splitlines())) <= 88


def test_help_tells_how_to_quote(capsys: pytest.CaptureFixture[str]) -> None:
    """A shell takes parentheses for itself, so the help shows log(...) in quotes."""
    main(["sweep", "--help"])
    assert '"rate=log(1e-4,1e-1,4)"' in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version names the program and its version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jupyter-mlops {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "No such command 'nothing'."),
        (["sweep"], "Missing argument 'NOTEBOOK'."),
        (["sweep", "train.ipynb", "--metrik", "auc"], "No such option '--metrik'."),
        (["sweep", "train.ipynb", "depth"], "'depth' is no NAME=VALUE."),
        (["sweep", "train.ipynb", "depth=1", "depth=2"], "depth is given twice."),
        (["sweep", "train.ipynb", "depth=1", "-p", "depth=2"], "depth is given twice."),
        (["sweep", "train.ipynb", "--zip", "--random", "3"], "--zip and --random exclude"),
        (["sweep", "train.ipynb", "--seed", "3"], "--seed needs --random"),
        (["sweep", "train.ipynb", "--sampler", "best"], "'best' is not one of 'tpe', 'random'"),
        (["sweep", "train.ipynb", "--sampler", "random"], "--sampler and --trials N need"),
        (["sweep", "train.ipynb", "--trials", "9"], "--sampler and --trials N need each other."),
        (["sweep", "train.ipynb", "--sampler", "tpe", "--trials", "9"], "needs --metric NAME."),
        (
            ["sweep", "train.ipynb", "--sampler", "random", "--trials", "9", "--zip"],
            "--sampler chooses the points itself.",
        ),
        (["sweep", "train.ipynb", "--prune", "asha"], "--prune needs --metric NAME."),
        (["sweep", "train.ipynb", "--prune-steps", "5"], "need --prune asha."),
        (["sweep", "train.ipynb", "--prune-factor", "1"], "Invalid value for '--prune-factor'"),
        (["sweep", "train.ipynb", "depth=1", "--from", "a.csv"], "--from names all points."),
        (["sweep", "train.ipynb", "--from", "a.csv"], "a.csv cannot be read: No such file"),
        (["run", "trian.ipynb"], "There is no notebook trian.ipynb. Did you mean train.ipynb?"),
        (["run", "."], "is a folder. Name a notebook."),
        (["run", "a\0.ipynb"], "There is no notebook a\\x00.ipynb."),
        (["run", "train.ipynb", "--memory", "much"], "memory: 'much' is not a size."),
        (["run", "train.ipynb", "--cell-timeout", "0"], "Invalid value for '--cell-timeout'"),
        (["run", "train.ipynb", "--retry-on", "tiemout"], "'tiemout' is no cause. Choose among"),
        (["run", "train.ipynb", "--cpus", "0"], "Invalid value for '--cpus'"),
        (["register", "name"], "Name one run or sweep"),
        (["models", "alias", "name", "champion", "v0"], "'v0' is no version."),
        (["track"], "Name a program: jupyter mlops track -- python train.py"),
        (["track", "layers=1,2", "--", "true"], "layers: give one value."),
        (["log", "loss=0.1"], "There is no session to log to."),
        (["worker", "--stop", "--status"], "--stop and --status exclude each other."),
    ],
)
def test_bad_usage(
    folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is refused is one line on standard error, and exit code 2."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1


def test_errors_of_every_kind() -> None:
    """Refused input exits with 2, what cannot be done with 1; a bug is a line, too."""
    assert describe(InvalidInput("no")) == ("no", 2)
    assert describe(NotFound("none\nat all")) == ("none at all", 1)
    assert describe(click.Abort()) == ("Interrupted.", 1)
    line, code = describe(ZeroDivisionError("division by zero"))
    assert line == "ZeroDivisionError: division by zero (Show the traceback with --debug.)"
    assert code == 1


def test_debug_shows_the_traceback(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --debug the traceback comes before the line."""
    assert main(["run", "nothing.ipynb", "--debug"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback (most recent call last)")
    assert shown.splitlines()[-1].startswith("Error: There is no notebook nothing.ipynb.")


def test_a_group_alone_shows_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`jupyter mlops runs` cannot do anything, and shows what there is."""
    assert main(["runs"]) == 2
    assert "cancel" in capsys.readouterr().err


def test_alone_it_shows_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`jupyter mlops` alone starts no worker, and names the five most useful commands."""
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Nothing is running in {folder.name}."
    assert sum(line.startswith("jupyter mlops") for line in lines) == 5


def test_status_of_no_worker(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asking for the worker's status starts none."""
    assert main(["worker", "--status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"serving": False}


def test_help_imports_nothing_heavy() -> None:
    """Help and completion come at once: no engine is imported for them."""
    code = (
        "import sys; from jupyter_mlops.cli import main; main(['sweep', '--help']);"
        f"sys.exit(', '.join(name for name in {HEAVY} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_of_commands_and_options() -> None:
    """Tab completes commands and options."""
    assert complete(incomplete="ru") == ["run", "runs"]
    assert complete("runs", incomplete="c") == ["cancel", "compare"]
    assert complete("sweep", "train.ipynb", incomplete="--m") == [
        "--metric",
        "--maximize",
        "--minimize",
        "--memory",
    ]
    assert complete("runs", "list", "--status", incomplete="f") == ["failed"]


def test_completion_of_notebooks(folder: Path) -> None:
    """Tab completes notebooks, and folders on the way to them; hidden ones when asked for."""
    (folder / "nested").mkdir()
    write_notebook(folder / "nested" / "other.ipynb")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "notes.txt").touch()
    assert complete("run") == ["nested/", "train.ipynb"]
    assert complete("run", incomplete="nested/") == ["nested/other.ipynb"]
    assert complete("run", incomplete=".ip") == [".ipynb_checkpoints/"]
    assert complete("run", incomplete="nowhere/") == []


def test_completion_of_parameters(folder: Path) -> None:
    """Tab completes the names that the notebook declares and that are not given yet."""
    assert complete("sweep", "train.ipynb") == ["depth=", "rate="]
    assert complete("sweep", "train.ipynb", "depth=3", incomplete="") == ["rate="]
    assert complete("sweep", "train.ipynb", incomplete="r") == ["rate="]
    assert complete("sweep", "train.ipynb", incomplete="rate=") == []


def test_completion_of_values(folder: Path) -> None:
    """Behind the equals sign Tab completes a choice; what needs quotes is left to the user."""
    write_notebook(
        folder / "choice.ipynb",
        "from typing import Literal\nmodel: Literal['rf', 'gbm', 'two words'] = 'rf'\nfast = True",
    )
    assert complete("run", "choice.ipynb", incomplete="model=") == ["model=rf", "model=gbm"]
    assert complete("run", "choice.ipynb", incomplete="fast=f") == ["fast=false"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"cells": 3}', b'{"cells": [{"metadata": {"tags": null}}]}', b"\xff"],
)
def test_completion_survives_broken_notebooks(folder: Path, content: bytes) -> None:
    """What cannot be read offers nothing and says nothing."""
    (folder / "broken.ipynb").write_bytes(content)
    assert complete("sweep", "broken.ipynb") == []


def test_completion_of_runs_starts_no_worker(folder: Path) -> None:
    """Without a worker Tab offers no runs, and starts none."""
    assert complete("runs", "show") == []
    assert not (folder / ".mlops").exists()


def test_shells_complete_the_program() -> None:
    """The completion script is for jupyter-mlops, the name that a shell knows."""
    code = "import sys; from jupyter_mlops.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"_JUPYTER_MLOPS_COMPLETE": "zsh_source", "PATH": ""},
        check=True,
    )
    assert "compdef _jupyter_mlops_completion jupyter-mlops" in done.stdout


def test_completion_of_causes() -> None:
    """Behind a comma Tab offers the causes that are not named yet."""
    assert complete("run", "--retry-on", incomplete="k") == ["kernel_died"]
    assert complete("run", "--retry-on", incomplete="lost,t") == ["lost,timeout"]
    assert complete("run", "--retry-on", incomplete="timeout,t") == []
