"""`jupyter mlops` on a terminal: the live bar, and what Ctrl-C does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.support.terminal import Terminal

MLOPS = (sys.executable, "-m", "jupyter_mlops")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a quick and an endless notebook."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"))
    write_notebook(folder / "quick.ipynb", "n = 0", "import jupyter_mlops as m; m.log(score=n)")
    write_notebook(folder / "endless.ipynb", "n = 0", "import threading; threading.Event().wait()")
    with workers.worker(folder):
        yield folder


@pytest.fixture
def endless(project: Path) -> Iterator[Terminal]:
    """An endless sweep that is followed on a terminal."""
    with Terminal([*MLOPS, "sweep", "endless.ipynb", "n=1..4"], project) as terminal:
        terminal.expect("0/4 ◐")
        yield terminal
        newest = runs(project)[0]
        subprocess.run([*MLOPS, "runs", "cancel", newest["sweep_id"]], cwd=project, check=False)


def runs(project: Path) -> list[dict[str, Any]]:
    """All runs, newest sweep first."""
    done = subprocess.run(
        [*MLOPS, "runs", "list", "--json"], cwd=project, capture_output=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_bar(project: Path) -> None:
    """A line is updated in place and gone at the end; then stand summary, ranking and hints."""
    command = [*MLOPS, "sweep", "quick.ipynb", "n=1..4", "--metric", "score"]
    with Terminal(command, project) as terminal:
        assert terminal.wait() == 0
        bar = terminal.text.partition("4 runs")[0]
        assert "quick.ipynb ━" in bar
        assert "best score" in bar
        assert "4/4" in bar
        # The line of the bar is wiped before the summary takes its place.
        assert "\x1b[2Kquick.ipynb · 4 runs" in terminal.raw
        lines = terminal.text.rpartition("quick.ipynb · 4 runs")[2].splitlines()
        assert lines[0].startswith(" · ✓ 4 · best score 4 at n=4")
        assert lines[1].split() == ["run", "status", "n", "score", "duration"]
        assert [line.split()[3] for line in lines[3:7]] == ["4", "3", "2", "1"]
        assert lines[-1] == "Open the notebooks: jupyter lab"


def test_no_leaves_the_runs_alone(project: Path, endless: Terminal) -> None:
    """Ctrl-C asks; on no the runs go on, and the way back is told."""
    endless.interrupt()
    endless.expect(r"Cancel the 4 runs left\? \[y/N\]")
    endless.type("n")
    assert endless.wait() == 0
    assert "The runs go on in the worker." in endless.text
    sweep_id = runs(project)[0]["sweep_id"]
    assert f"Follow: jupyter mlops runs show {sweep_id} --follow" in endless.text
    assert {run["status"] for run in runs(project)[:4]} <= {"queued", "running"}


def test_yes_cancels(project: Path, endless: Terminal) -> None:
    """On yes the runs are cancelled, the end is waited for, and the exit code is 1."""
    endless.interrupt()
    endless.expect(r"\[y/N\]")
    endless.type("y")
    assert endless.wait() == 1
    assert "⊘ 4" in endless.text
    assert {run["status"] for run in runs(project)[:4]} == {"cancelled"}


def test_ctrl_c_twice_cancels(project: Path, endless: Terminal) -> None:
    """A second Ctrl-C means yes."""
    endless.interrupt()
    endless.expect(r"\[y/N\]")
    endless.interrupt()
    assert endless.wait() == 1
    assert {run["status"] for run in runs(project)[:4]} == {"cancelled"}


def test_coming_back(project: Path, endless: Terminal) -> None:
    """Whoever left can follow the sweep again, and cancel it from there."""
    endless.interrupt()
    endless.expect(r"\[y/N\]")
    endless.type("")
    assert endless.wait() == 0
    sweep_id = runs(project)[0]["sweep_id"]
    with Terminal([*MLOPS, "runs", "show", sweep_id, "--follow"], project) as terminal:
        terminal.expect("0/4 ◐")
        terminal.interrupt()
        terminal.expect(r"\[y/N\]")
        terminal.type("y")
        assert terminal.wait() == 1


def test_an_interrupted_script_leaves_the_runs_alone(project: Path) -> None:
    """Where nobody can be asked, an interrupt detaches."""
    command = [*MLOPS, "sweep", "endless.ipynb", "n=1,2"]
    before = {run["sweep_id"] for run in runs(project)}
    with subprocess.Popen(
        command,
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while {run["sweep_id"] for run in runs(project)} == before:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The runs go on in the worker." in err
    sweep_id = out.split()[0]
    subprocess.run([*MLOPS, "runs", "cancel", sweep_id], cwd=project, check=True)


def test_deleting_asks(project: Path) -> None:
    """On a terminal, deleting asks; no means no."""
    with Terminal([*MLOPS, "run", "quick.ipynb", "--json"], project) as terminal:
        assert terminal.wait() == 0
    run = runs(project)[0]
    with Terminal([*MLOPS, "runs", "delete", run["id"]], project) as terminal:
        terminal.expect("Delete 1 run with its output notebook")
        terminal.type("n")
        assert terminal.wait() == 0
        assert "Nothing was deleted." in terminal.text
    assert runs(project)[0]["id"] == run["id"]
    with Terminal([*MLOPS, "runs", "delete", run["id"], "--yes"], project) as terminal:
        assert terminal.wait() == 0
    assert runs(project)[0]["id"] != run["id"]
