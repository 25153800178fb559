"""Which commands of stages are one execution of a notebook, and what is read from them."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from papermill import cli as papermill_cli

from jupyter_mlops.commands.submit import run as run_command
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.options import EXECUTION
from jupyter_mlops.core.stages import ErrorRule, NotebookCommand, Program
from jupyter_mlops.notebooks.commands import notebook_command
from jupyter_mlops.notebooks.papermill import read_parameters

FOLDER = Path("/project/work")
PROGRAMS = str(Path(sys.executable).parent)


def _read(command: str) -> NotebookCommand | None:
    return notebook_command(command, FOLDER, path=PROGRAMS)


def _found(command: str) -> NotebookCommand:
    found = _read(command)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "command",
    [
        "papermill a.ipynb b.ipynb",
        "papermill notebooks/01_prep.ipynb runs/01_prep.ipynb -p year 2024 -p region 'north sea'",
        "papermill train.ipynb out/train.ipynb -f params.yaml --log-output --no-progress-bar",
        "papermill train.ipynb train.ipynb -k python3 --cwd notebooks --report-mode",
        'papermill train.ipynb out.ipynb -y "{depth: 3, layers: [64, 32]}"',
        "papermill \\\n  a.ipynb \\\n  b.ipynb \\\n  -p depth 3\n",
        "papermill -p depth 3 --kernel=python3 -- a.ipynb b.ipynb",
        "papermill --engine mlops --autosave-cell-every 0 a.ipynb b.ipynb",
        f"{sys.executable} -m papermill a.ipynb b.ipynb",
        f"{PROGRAMS}/papermill a.ipynb b.ipynb",
        "python -m papermill a.ipynb b.ipynb",
        "jupyter nbconvert --execute --to notebook --inplace eda.ipynb",
        "jupyter nbconvert --to notebook --execute --output report eda.ipynb",
        "jupyter-nbconvert --to html --execute nb/eda.ipynb --output-dir reports",
        "jupyter nbconvert --execute --to=html --no-input --template lab eda.ipynb",
        "jupyter nbconvert --ExecutePreprocessor.timeout=-1 --to script --execute eda.ipynb",
        "python -m nbconvert --execute --to notebook eda.ipynb --allow-errors",
        "python -m jupyter nbconvert --execute --to notebook eda.ipynb",
        "jupyter mlops run train.ipynb",
        "jupyter mlops run train.ipynb depth=3 name='my model' --cpus 2 --memory 2GB",
        "jupyter-mlops run nb/train.ipynb -p depth=3 --retry-on timeout --retries 2",
    ],
)
def test_one_execution_is_recognised(command: str) -> None:
    """As people write it in dvc.yaml: on several lines, quoted, by python -m."""
    assert _read(command) is not None


@pytest.mark.parametrize(
    "command",
    [
        # A shell does more than to call one program.
        "papermill a.ipynb - | jupyter nbconvert --stdin --to html --output b.html",
        "papermill a.ipynb b.ipynb && python report.py",
        "papermill a.ipynb b.ipynb; rm a.ipynb",
        "papermill a.ipynb b.ipynb\npapermill b.ipynb c.ipynb",
        "papermill a.ipynb b.ipynb > log.txt",
        "papermill a.ipynb b.ipynb 2>&1",
        "papermill a.ipynb b.ipynb &",
        "papermill *.ipynb b.ipynb",
        "papermill a.ipynb {b,c}.ipynb",
        "papermill a.ipynb ~/b.ipynb",
        "papermill a.ipynb b.ipynb -p depth $DEPTH",
        'papermill a.ipynb b.ipynb -p depth "$DEPTH"',
        "papermill a.ipynb b.ipynb -p day $(date)",
        "papermill a.ipynb b.ipynb -p day `date`",
        'papermill a.ipynb b.ipynb -p day "`date`"',
        "papermill a.ipynb b.ipynb # for now",
        "papermill a.ipynb 'b.ipynb",
        "papermill a.ipynb b.ipynb -p text 'back\\slash'",
        "(papermill a.ipynb b.ipynb)",
        "! papermill a.ipynb b.ipynb",
        # Another program, or another environment's.
        "poetry run papermill a.ipynb b.ipynb",
        "uv run papermill a.ipynb b.ipynb",
        "OMP_NUM_THREADS=1 papermill a.ipynb b.ipynb",
        "time papermill a.ipynb b.ipynb",
        "python train.py",
        "python -c 'import papermill'",
        "python3.2 -m papermill a.ipynb b.ipynb",
        "/elsewhere/bin/papermill a.ipynb b.ipynb",
        "./papermill a.ipynb b.ipynb",
        "jupyter execute a.ipynb",
        "jupyter",
        "",
        # Notebooks that are none of ours.
        "papermill a.ipynb -",
        "papermill - b.ipynb",
        "papermill a.ipynb",
        "papermill a.ipynb /dev/null",
        "papermill s3://bucket/a.ipynb b.ipynb",
        "papermill a.ipynb https://example.org/b.ipynb",
        "papermill '{\"cells\": []}' b.ipynb",
        "papermill a.ipynb 'out/{region}.ipynb' -p region north",
        "papermill a.ipynb b.ipynb c.ipynb",
        # Options that we do not know, or cannot honour.
        "papermill a.ipynb b.ipynb --prepare-only",
        "papermill a.ipynb b.ipynb --engine sagemaker",
        "papermill a.ipynb b.ipynb --stdout-file log.txt",
        "papermill a.ipynb b.ipynb --help-notebook",
        "papermill a.ipynb b.ipynb --new-option",
        "papermill a.ipynb b.ipynb -p depth",
        "papermill a.ipynb b.ipynb -p depth 99999999999999999999",
        "papermill a.ipynb b.ipynb -y '[1, 2]'",
        "papermill a.ipynb b.ipynb -y '{1: 2}'",
        "papermill a.ipynb b.ipynb -y 'a: [1'",
        "papermill a.ipynb b.ipynb -b abc",
        "papermill a.ipynb b.ipynb -f https://example.org/p.yaml",
        "papermill a.ipynb b.ipynb --execution-timeout soon",
        "papermill a.ipynb b.ipynb --log-level LOUD",
        "jupyter nbconvert --to html a.ipynb",
        "jupyter nbconvert --execute a.ipynb",
        "jupyter nbconvert --execute --to pdf a.ipynb",
        "jupyter nbconvert --execute --to notebook a.ipynb b.ipynb",
        "jupyter nbconvert --execute --to notebook 'a*.ipynb'",
        "jupyter nbconvert --execute --to notebook a",
        "jupyter nbconvert --execute --to notebook --stdout a.ipynb",
        "jupyter nbconvert --execute --inplace --to html a.ipynb",
        "jupyter nbconvert --execute --to notebook --output '{notebook_name}_2' a.ipynb",
        "jupyter nbconvert --execute --to html --embed-images a.ipynb",
        "jupyter nbconvert --execute --to notebook --TagRemovePreprocessor.enabled=True a.ipynb",
        "jupyter nbconvert --execute --to notebook --to html a.ipynb",
        "jupyter nbconvert --execute --to notebook --ExecutePreprocessor.enabled=False a.ipynb",
        "jupyter mlops sweep a.ipynb depth=1,2",
        "jupyter mlops run a.ipynb --detach",
        "jupyter mlops run a.ipynb --json",
        "jupyter mlops run a.ipynb depth",
        "jupyter mlops run a.ipynb depth=3 depth=4",
        "jupyter mlops run a.ipynb --cpus 0",
        "jupyter mlops run a.ipynb --timeout 0",
        "jupyter mlops run a.ipynb --memory lots",
        "jupyter mlops run a.ipynb --retry-on rain",
        "jupyter mlops run a.ipynb --unknown 3",
        "jupyter mlops run",
    ],
)
def test_all_else_is_left_to_a_shell(command: str) -> None:
    """When in doubt, it runs as DVC would run it."""
    assert _read(command) is None


def test_a_program_of_another_environment_is_left_to_it(tmp_path: Path) -> None:
    """What PATH finds first is what a shell would call."""
    other = tmp_path / "papermill"
    other.write_text("#!/bin/sh\n", "utf-8")
    other.chmod(0o755)
    for path, is_ours in ((f"{tmp_path}:{PROGRAMS}", False), (f"{PROGRAMS}:{tmp_path}", True)):
        found = notebook_command("papermill a.ipynb b.ipynb", FOLDER, path=path)
        assert (found is not None) == is_ours
    # An environment may be used without being on PATH, but python is then another one.
    assert notebook_command("papermill a.ipynb b.ipynb", FOLDER, path="/nowhere")
    assert notebook_command("python -m papermill a.ipynb b.ipynb", FOLDER, path="/nowhere") is None


def test_a_configured_nbconvert_is_left_to_it(tmp_path: Path) -> None:
    """A file in the folder may ask for anything."""
    command = "jupyter nbconvert --execute --inplace a.ipynb"
    assert notebook_command(command, tmp_path, path=PROGRAMS)
    (tmp_path / "jupyter_nbconvert_config.py").touch()
    assert notebook_command(command, tmp_path, path=PROGRAMS) is None


# -- papermill ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-p", "a", "1", "-p", "b", "1.5", "-p", "c", "text", "-p", "d", "True"],
        ["-p", "a", "true", "-p", "b", "None", "-p", "c", "null", "-p", "d", "-3"],
        ["-p", "a", "1e5", "-p", "b", "1_000", "-p", "c", "inf", "-p", "d", " 7 "],
        ["-p", "a", "0x10", "-p", "b", "007", "-p", "c", "", "-p", "d", "[1, 2]"],
        ["-r", "a", "1", "-r", "b", "True", "-p", "a", "2"],
        ["-y", "{a: 1, b: [1, {c: null}], day: 2026-01-02}", "-y", "b: 2"],
        ["-y", "", "-y", "a: yes"],
        ["-b", base64.b64encode(b"a: 1\nb: 2").decode(), "-p", "b", "3"],
        ["-f", "params.yaml", "-y", "a: 8", "-b", base64.b64encode(b"a: 1\nz: 1").decode()],
        ["--inject-input-path"],
        ["--inject-output-path", "-p", "PAPERMILL_OUTPUT_PATH", "x"],
        ["--inject-paths", "-k", "python3", "-l", "python", "--cwd", "nb"],
        ["--start-timeout", "10", "--execution-timeout", "20", "--report-mode"],
        ["--execution-timeout=0", "--report-mode", "--no-report-mode", "-k", "python3"],
        ["--parameters", "a", "1", "--parameters_raw", "b", "1", "--parameters_yaml", "c: 1"],
    ],
)
def test_papermill_is_read_as_it_reads_itself(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would execute is what we execute: parameters with types, kernel, folder, limits."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("a: 5\nday: 2026-01-02\nrate: 1e-3\n", "utf-8")
    expected: dict[str, Any] = {}
    monkeypatch.setattr(papermill_cli, "execute_notebook", lambda **how: expected.update(how))
    monkeypatch.setattr(papermill_cli, "INPUT_PIPED", False)
    words = ["papermill", "in.ipynb", "out/out.ipynb", *options]
    papermill_cli.papermill.main(words[1:], standalone_mode=False)
    found = notebook_command(_quoted(words), tmp_path, path=PROGRAMS)
    assert found is not None
    parameters = dict(found.first)
    for path in found.files:
        parameters |= read_parameters(path)
    parameters |= found.parameters
    assert repr(parameters) == repr(expected["parameters"])
    assert (found.source, found.target) == (expected["input_path"], expected["output_path"])
    assert found.notebook == tmp_path / "in.ipynb"
    assert found.options.get("kernel") == expected["kernel_name"]
    assert found.language == expected["language"]
    assert found.folder == tmp_path / (expected["cwd"] or ".")
    assert found.options.get("cell_timeout") == (expected["execution_timeout"] or None)
    assert (found.start_timeout or 60) == expected["start_timeout"]
    assert found.report == expected["report_mode"]


def _quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


def test_a_file_of_parameters_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """One line that names it."""
    for name, text in (("a.yaml", "- 1"), ("b.yaml", "a: [1"), ("c.yaml", "a: !!set {b}")):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        with pytest.raises(InvalidInput, match=name):
            read_parameters(path)


# -- nbconvert ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "output"),
    [
        ("--to notebook", "nb/eda.nbconvert.ipynb"),
        ("--to notebook --output report", "nb/report.ipynb"),
        ("--to notebook --output report.ipynb", "nb/report.ipynb"),
        ("--to notebook --output ../report", "nb/../report.ipynb"),
        ("--to notebook --output-dir out", "out/eda.ipynb"),
        ("--to notebook --output-dir out --output report", "out/report.ipynb"),
        ("--inplace", "nb/eda.ipynb"),
        ("--inplace --output report", "nb/report.ipynb"),
    ],
)
def test_nbconvert_names_its_output(options: str, output: str) -> None:
    """By the notebook's folder and name, unless it is told otherwise."""
    found = _found(f"jupyter nbconvert --execute {options} nb/eda.ipynb")
    assert (found.program, found.output, found.then) == (Program.NBCONVERT, FOLDER / output, ())
    assert found.folder == FOLDER / "nb"
    assert not found.keeps_failures


def test_nbconvert_converts_what_was_executed() -> None:
    """The conversion is nbconvert's own, into the folder where it would have written."""
    found = _found("jupyter nbconvert --execute --to html --no-input --output=r nb/eda.ipynb")
    assert found.output is None
    assert found.then[1:] == (
        *("-m", "nbconvert", "--to", "html", "--output-dir", str(FOLDER / "nb")),
        *("--output=r", "--no-input"),
    )


@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("", ErrorRule.UNTAGGED),
        ("--allow-errors", ErrorRule.NONE),
        ("--ExecutePreprocessor.allow_errors=True", ErrorRule.NONE),
        ("--ExecutePreprocessor.allow_errors False", ErrorRule.UNTAGGED),
    ],
)
def test_nbconvert_says_which_errors_count(option: str, rule: ErrorRule) -> None:
    """By its flag or by the trait."""
    assert _found(f"jupyter nbconvert --execute --inplace {option} a.ipynb").errors is rule


def test_nbconvert_has_traits_of_execution() -> None:
    """Limits and the kernel; less than nothing means no limit."""
    trait = "--ExecutePreprocessor"
    command = f"jupyter nbconvert --inplace {trait}.enabled=True {trait}.kernel_name=ir a.ipynb"
    found = _found(f"{command} {trait}.timeout=600 {trait}.startup_timeout=90")
    assert found.options == {"cell_timeout": 600.0, "kernel": "ir"}
    assert found.start_timeout == 90
    for none in ("-1", "None"):
        assert "cell_timeout" not in _found(f"{command} {trait}.timeout={none}").options


# -- jupyter mlops run ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["depth=3", "rate = 0.1", "-p", "name=a b"],
        ["--experiment", "e", "--cpus", "2", "--memory=2GB", "--gpus", "1", "--priority", "-3"],
        ["--timeout", "1.5", "--cell-timeout", "2", "--kernel", "ir", "--executor", "local"],
        ["--retries", "2", "--retry-on", "timeout,kernel_died", "--retry-delay", "0"],
        ["--allow-undeclared", "x=1"],
    ],
)
def test_mlops_run_is_read_as_the_command_reads_itself(words: list[str]) -> None:
    """The same options with the same values, and the same assignments."""
    context = run_command.make_context("run", ["nb/a.ipynb", *words])
    found = _found(_quoted(["jupyter", "mlops", "run", "nb/a.ipynb", *words]))
    expected = context.params
    assert list(found.space.items()) == [*expected["assignments"], *expected["more"]]
    for option in EXECUTION:
        given = found.options.get(option.name, option.default)
        wanted = expected[option.name]
        assert given == (2_000_000_000 if option.name == "memory" and wanted else wanted)
    assert (found.program, found.folder) == (Program.MLOPS, FOLDER / "nb")


@pytest.mark.parametrize(
    "words",
    [
        *(["--cpus", "0"], ["--gpus", "-1"], ["--timeout", "0"], ["--retries", "101"]),
        *(["--retry-delay", "-1"], ["--retry-on", "rain"], ["--priority", "high"], ["depth"]),
    ],
)
def test_what_the_command_refuses_is_left_to_it(words: list[str]) -> None:
    """It says itself what is wrong."""
    with pytest.raises(click.UsageError):
        run_command.make_context("run", ["a.ipynb", *words])
    assert _read(_quoted(["jupyter", "mlops", "run", "a.ipynb", *words])) is None
