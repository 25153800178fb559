"""`jupyter mlops` on retries, runs that go on, stopping, and house-keeping."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import MlopsError
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.commands import Command, caller
from tests.support.notebooks import write_notebook
from tests.support.tasks import DEAF
from tests.support.terminal import Terminal

MLOPS = (sys.executable, "-m", "jupyter_mlops")
FAILS = "raise ValueError('bad lr')"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a worker, which all tests of this file share."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"))
    with workers.worker(folder):
        yield folder


@pytest.fixture
def mlops(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The command, called in the project's folder by a script: nobody answers questions."""
    monkeypatch.chdir(project)
    return caller(capsys)


def _failed(mlops: Command, project: Path, name: str) -> str:
    """Run a notebook whose second cell fails; return the run's id."""
    write_notebook(project / name, "x = 1", FAILS)
    done = mlops("run", name, "--json")
    assert done.code == 1
    return str(done.record["id"])


def test_a_retry_is_waited_for(mlops: Command, project: Path) -> None:
    """The list says when a run is tried again; asking for the retry ends the pause."""
    write_notebook(project / "pause.ipynb", "x = 1", FAILS)
    options = ("--retries", "1", "--retry-delay", "200", "--retry-on", "error,timeout")
    done = mlops("run", "pause.ipynb", "--detach", *options, "--json")
    run_id = str(done.record["id"])
    client = Client(find_project(project))
    for event in client.events(0, beat=5):
        if event and event.run_id == run_id and "retry_in" in event.data:
            assert event.data == {"retry_in": 200.0}
            break
    (row,) = (line for line in mlops("runs", "list").out.splitlines() if line.startswith(run_id))
    assert "○ retry in 3 min" in row
    assert mlops("runs", "show", run_id).out.startswith(f"{run_id} · ○ retry in 3 min")
    assert mlops("runs", "list", "--json").record[0]["not_before"] is not None
    assert mlops("runs", "retry", run_id).code == 0
    mlops("runs", "cancel", run_id)


def test_a_cause_that_is_not_named_is_final(mlops: Command, project: Path) -> None:
    """An error is not tried again where only timeouts are, and the limit of a cell is one."""
    write_notebook(project / "causes.ipynb", "x = 1", FAILS)
    options = ("--retries", "3", "--retry-on", "timeout", "--retry-delay", "0", "--json")
    assert mlops("run", "causes.ipynb", *options).record["attempts"] == 1
    write_notebook(project / "slow.ipynb", "x = 1", "import threading; threading.Event().wait()")
    limited = ("--retries", "1", "--retry-on", "timeout", "--retry-delay", "0")
    done = mlops("run", "slow.ipynb", *limited, "--cell-timeout", "1", "--json")
    assert (done.record["attempts"], done.record["reason"]) == (2, "timeout")
    assert done.record["error"] == "Cell 2 took longer than 1 s."


def test_retries_must_be_counted(mlops: Command, project: Path) -> None:
    """Causes without a number would do nothing, so they are refused."""
    write_notebook(project / "none.ipynb", "x = 1")
    done = mlops("run", "none.ipynb", "--retry-on", "timeout")
    assert done.code == 2
    assert "say with --retries N" in done.err


@pytest.mark.slow
def test_the_stage_of_stopping_is_shown(mlops: Command, project: Path) -> None:
    """While a deaf kernel is being ended, lists and lines say how."""
    write_notebook(project / "deaf.ipynb", "x = 1", DEAF)
    run_id = str(mlops("run", "deaf.ipynb", "--detach", "--json").record["id"])
    client = Client(find_project(project))
    seen = []
    for event in client.events(0, beat=5):
        if event is None or event.run_id != run_id:
            continue
        if event.data.get("cell") == 2:
            mlops("runs", "cancel", run_id)
        if stage := event.data.get("stopping"):
            seen.append(stage)
        if stage == "terminate":
            assert client.call(ops.GET_RUN, run_id=run_id).run.stopping == "terminate"
            assert "cell 2/2 · terminating" in mlops("runs", "show", run_id).out
        if event.status == Status.CANCELLED:
            break
    assert seen in (["interrupt", "terminate", "kill"], ["interrupt", "terminate"])
    assert client.call(ops.GET_RUN, run_id=run_id).run.stopping is None


def test_going_on_needs_an_agreement(mlops: Command, project: Path) -> None:
    """A script must say --yes; then the run goes on from the failed cell."""
    run_id = _failed(mlops, project, "mend.ipynb")
    shown = mlops("runs", "show", run_id).out
    assert f"jupyter mlops runs retry {run_id} --from-failed-cell" in shown
    done = mlops("runs", "retry", run_id, "--from-failed-cell")
    assert done.code == 2
    assert "Earlier cells are executed again. Add --yes" in done.err
    write_notebook(project / "mend.ipynb", "x = 1", "print('mended')")
    assert mlops("runs", "retry", run_id, "--from-failed-cell", "--yes").code == 0
    done = mlops("runs", "show", run_id, "--follow", "--json")
    assert done.record["status"] == "succeeded"
    assert [each["resumed_at"] for each in done.record["attempt_records"]] == [None, 2]
    assert "✓ succeeded · from cell 2 on" in mlops("runs", "show", run_id).out


def test_a_sweep_does_not_go_on_as_a_whole(mlops: Command, project: Path) -> None:
    """The failed cell is that of a run."""
    write_notebook(project / "several.ipynb", "x = 1", FAILS)
    sweep_id = mlops("sweep", "several.ipynb", "x=1,2", "--json").record["id"]
    done = mlops("runs", "retry", sweep_id, "--from-failed-cell", "--yes")
    assert done.code == 2
    assert f"{sweep_id} is a sweep. Name a run of it, such as {sweep_id}-1." in done.err


def test_a_terminal_is_asked(mlops: Command, project: Path) -> None:
    """The question says which cells are executed again; no leaves everything as it is."""
    run_id = _failed(mlops, project, "asked.ipynb")
    command = [*MLOPS, "runs", "retry", run_id, "--from-failed-cell"]
    with Terminal(command, project) as terminal:
        terminal.expect(f"Cell 1 of {run_id} is executed again .*Go on\\? \\[y/N\\]")
        terminal.type("n")
        assert terminal.wait() == 0
        assert "Nothing was queued." in terminal.text
    assert mlops("runs", "show", run_id, "--json").record["status"] == "failed"
    with Terminal(command, project) as terminal:
        terminal.expect("Go on")
        terminal.type("y")
        assert terminal.wait() == 0
        assert f"Queued again: {run_id}" in terminal.text


def test_a_cell_must_say_yes(mlops: Command, project: Path) -> None:
    """Nobody answers a cell, either."""
    run_id = _failed(mlops, project, "cell.ipynb")
    shell: Any = InteractiveShell.instance()
    try:
        shell.run_line_magic("load_ext", "jupyter_mlops")
        with pytest.raises(MlopsError, match="Add --yes"):
            shell.run_line_magic("mlops", f"runs retry {run_id} --from-failed-cell")
    finally:
        InteractiveShell.clear_instance()


def test_clean(mlops: Command, project: Path) -> None:
    """A table tells what would go; then it goes, and there is nothing left to remove."""
    write_notebook(project / "quick.ipynb", "x = 1", "print(x)")
    run_id = mlops("run", "quick.ipynb", "--json").record["id"]
    assert mlops("clean", "--older-than", "52w", "--dry").out.startswith("There is nothing")
    dry = mlops("clean", "--older-than", "0d", "--dry")
    assert dry.out.startswith("Would remove ")
    assert "output notebooks" in dry.out
    record = mlops("clean", "--older-than", "0d", "--dry", "--json").record
    assert record["dry"] is True
    assert run_id in record["runs"]
    assert {each["kind"] for each in record["items"]} >= {"runs", "store"}
    assert mlops("runs", "show", run_id).code == 0
    done = mlops("clean", "--older-than", "0d", "--yes", "--json")
    assert sorted(done.record["runs"]) == sorted(record["runs"])
    assert mlops("runs", "show", run_id).code == 1
    assert not (project / "runs").exists() or not list((project / "runs").rglob("*.ipynb"))
    assert mlops("clean", "--older-than", "0d").out.startswith(("There is nothing", "Removed"))


def test_a_terminal_is_asked_before_anything_goes(mlops: Command, project: Path) -> None:
    """Saying no keeps the runs."""
    write_notebook(project / "quick.ipynb", "x = 1", "print(x)")
    run_id = mlops("run", "quick.ipynb", "--json").record["id"]
    with Terminal([*MLOPS, "clean", "--older-than", "0d"], project) as terminal:
        terminal.expect(r"Remove .*run.*\? \[y/N\]")
        terminal.type("n")
        assert terminal.wait() == 0
        assert "Nothing was removed." in terminal.text
    assert mlops("runs", "show", run_id).code == 0


@pytest.mark.parametrize("age", ["30", "-1d", "soon"])
def test_ages_are_checked(mlops: Command, age: str) -> None:
    """What is no age is one line, and exit code 2."""
    done = mlops("clean", f"--older-than={age}")
    assert done.code == 2
    assert "Write it like 30d, 12h or 2w." in done.err
