"""`jupyter mlops when` by itself; under DVC it is in `test_when_dvc.py`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlops import magics
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.cli import main
from tests.support import workers
from tests.support.decisions import COMPARE, auc, decision

WHEN = [sys.executable, "-m", "jupyter_mlops", "when"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, a project with metrics of which a's are better."""
    folder = workers.make_project(tmp_path / "project")
    auc(folder, a=0.8, b=0.7)
    monkeypatch.chdir(folder)
    return folder


def when(*arguments: str, decision: str = "decision.json") -> int:
    """Carry out the command in this process."""
    at = arguments.index("--")
    return main(["when", *arguments[:at], "--decision", decision, *arguments[at:]])


def test_the_command_runs_if_the_condition_holds(folder: Path) -> None:
    """The command gets its words as they are, and the decision says all."""
    assert when(COMPARE, "--", "touch", "two words", "$HOME") == 0
    assert (folder / "two words").exists()
    assert (folder / "$HOME").exists()
    assert decision(folder) == {
        "condition": COMPARE,
        "result": True,
        "reason": f'{COMPARE} is true (metrics("a.json").auc is 0.8; '
        "metrics(\"b.json\").auc is 0.7): touch 'two words' '$HOME'",
        "values": {'metrics("a.json").auc': 0.8, 'metrics("b.json").auc': 0.7},
        "nan": [],
        "chosen": "then",
        "command": ["touch", "two words", "$HOME"],
        "exit_code": 0,
    }


def test_the_other_command_or_nothing(folder: Path) -> None:
    """If it does not hold, the command of --else runs, split without a shell, or nothing."""
    auc(folder, a=0.6)
    assert when(COMPARE, "--else", "touch 'b c' '>d'", "--", "touch", "a") == 0
    assert (folder / "b c").exists()
    assert (folder / ">d").exists()
    assert not (folder / "a").exists()
    assert decision(folder)["chosen"] == "else"
    assert when(COMPARE, "--", "touch a") == 0
    assert not (folder / "a").exists()
    assert decision(folder)["chosen"] == "nothing"
    assert decision(folder)["command"] is None
    assert decision(folder)["exit_code"] is None


def test_the_same_inputs_make_the_same_bytes(folder: Path) -> None:
    """DVC hashes the decision, so that there is no time in it."""
    written = []
    for _ in range(2):
        assert when(COMPARE, "--", "true") == 0
        written.append((folder / "decision.json").read_bytes())
    assert written[0] == written[1]


def test_the_exit_code_is_the_commands(folder: Path) -> None:
    """A failing command fails the stage, and the decision knows its exit code."""
    assert when(COMPARE, "--", "sh", "-c", "exit 3") == 3
    assert decision(folder)["exit_code"] == 3
    assert when(COMPARE, "--", "sh", "-c", "kill -KILL $$") == 128 + signal.SIGKILL
    assert decision(folder)["exit_code"] == 137


def test_the_command_can_read_the_decision(folder: Path) -> None:
    """The decision is there before the command starts."""
    assert when(COMPARE, "--", "cp", "decision.json", "seen.json") == 0
    assert decision(folder, "seen.json") == decision(folder) | {"exit_code": None}


def test_json_on_standard_output(folder: Path) -> None:
    """With --json standard output is the decision alone."""
    done = subprocess.run(
        [*WHEN, COMPARE, "--decision", "d/e.json", "--json", "--", "echo", "hello"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == decision(folder, "d/e.json")
    assert "hello" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((COMPARE.replace(">", "> >"), "--", "true"), "condition: invalid syntax, at character"),
        (("metric('a').auc", "--", "true"), "did you mean metrics?"),
        (("().__class__", "--", "true"), "__class__ is not allowed"),
        (('metrics("c.json").auc > 1', "--", "true"), "There is no file c.json."),
        (('metrics("a.json").f1 > 1', "--", "true"), 'a.json has no "f1". There is: auc.'),
        (('metrics("../a.json").f1 > 1', "--", "true"), "../a.json lies outside project."),
        (('metrics("/etc/passwd").f1 > 1', "--", "true"), "/etc/passwd lies outside project."),
        (('exists("link/passwd")', "--", "true"), "link/passwd lies outside project."),
        (('exists("passwd")', "--", "true"), "passwd lies outside project."),
        ((COMPARE, "--", "no-such-program"), "there is no program 'no-such-program'"),
        ((COMPARE, "--", ""), "there is nothing to run"),
        ((COMPARE, "--else", "a 'b", "--", "true"), "Close its quotes."),
        ((COMPARE, "--"), "Name the command to run"),
    ],
)
def test_what_cannot_be_decided(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    """One line, exit code 2, nothing runs, and the decision stays as it was."""
    (folder / "decision.json").write_text("before", "utf-8")
    (folder / "link").symlink_to("/etc")
    (folder / "passwd").symlink_to("/etc/passwd")
    assert when(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert message in shown.err
    assert shown.err.startswith("Error: ")
    assert (folder / "decision.json").read_text("utf-8") == "before"


@pytest.mark.parametrize("path", ["../decision.json", "/decision.json", "."])
def test_where_a_decision_may_lie(folder: Path, path: str) -> None:
    """The decision is a file of the project."""
    assert when(COMPARE, "--", "touch", "ran", decision=path) == 2
    assert not (folder / "ran").exists()
    assert not (folder.parent / "decision.json").exists()


def test_a_link_into_a_cache_of_dvc(folder: Path, tmp_path: Path) -> None:
    """DVC may link a file to its cache, which may lie outside the repository."""
    cached = tmp_path / "cache" / "files" / "md5" / "ab" / ("0" * 30)
    cached.parent.mkdir(parents=True)
    cached.write_text('{"auc": 1}', "utf-8")
    (folder / "a.json").unlink()
    (folder / "a.json").symlink_to(cached)
    assert when(COMPARE, "--", "true") == 0
    assert decision(folder)["values"]['metrics("a.json").auc'] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_command(folder: Path, number: int) -> None:
    """Who stops the command by its parent stops it, and it decides how it ends."""
    script = (
        "import signal, sys\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        [*WHEN, COMPARE, "--decision", "decision.json", "--", sys.executable, "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, number)
        assert process.wait(60) == 7
    assert decision(folder)["exit_code"] == 7


def test_in_a_cell(folder: Path) -> None:
    """After %mlops the same words do the same; a command that fails fails the cell."""
    line = f"when '{COMPARE}' --decision decision.json -- "
    assert magics.mlops(f"{line}touch ran") is None
    assert (folder / "ran").exists()
    with pytest.raises(magics.CellError, match="The command ended with exit code 3"):
        magics.mlops(f"{line}sh -c 'exit 3'")


def test_files_need_no_worker(folder: Path) -> None:
    """A condition on files alone starts no worker and imports no engine."""
    code = (
        "import sys\n"
        "from jupyter_mlops.cli import main\n"
        f"assert main(['when', {COMPARE!r}, '--decision', 'd.json', '--', 'true']) == 0\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True
    )
    heavy = {"apprise", "dvc", "mlflow", "numpy", "pandas", "psutil", "rich", "sqlalchemy"}
    assert not set(done.stdout.split()) & heavy
    assert Client(find_project(folder)).alive() is None
    assert not (folder / ".mlops").exists()


def test_a_missing_champion(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To read a metric of a champion that is not there is an error that says what to do."""
    with workers.worker(folder):
        assert when('champion("m").auc > 0', "--", "touch", "ran") == 2
    error = capsys.readouterr().err
    assert "m has no champion. Set one with: jupyter mlops models alias m champion" in error
    assert not (folder / "ran").exists()
    assert not (folder / "decision.json").exists()
