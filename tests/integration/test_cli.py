"""`jupyter mlops` with a real worker: every command, its output and its exit code."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.shell_completion import ShellComplete

from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.commands.tree import tree
from tests.support import workers
from tests.support.commands import Command, caller
from tests.support.notebooks import write_notebook

DECLARE = "depth: int = 3\nrate: float = 0.1\nfail: bool = False"
TRAIN = (
    "import jupyter_mlops as mlops\n"
    "for step in range(3):\n"
    "    mlops.log(auc=depth * rate + step / 100, step=step)\n"
    "if fail: raise ValueError('bad lr')"
)
MODEL = (
    "import mlflow\n"
    "mlflow.pyfunc.log_model(\n"
    "    name='model', python_model=lambda model_input: [1], pip_requirements=[])"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a training notebook and a worker, which all tests of this file share."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"))
    write_notebook(folder / "train.ipynb", DECLARE, TRAIN)
    with workers.worker(folder):
        yield folder


@pytest.fixture
def mlops(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The command, called in the project's folder."""
    monkeypatch.chdir(project)
    return caller(capsys)


@pytest.fixture(scope="module")
def sweep(project: Path) -> dict[str, Any]:
    """A sweep of which one run failed."""
    command = [sys.executable, "-m", "jupyter_mlops", "sweep", "train.ipynb", "--json"]
    space = ["depth=1,2", "rate=0.1", "fail=false,true", "--metric", "auc"]
    done = subprocess.run(
        [*command, *space], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def test_sweep(mlops: Command) -> None:
    """A sweep shows each run as it finishes, then the ranking, and where to look next."""
    done = mlops("sweep", "train.ipynb", "depth=1,2", "rate=0.1,0.5", "--metric", "auc")
    assert done.code == 0
    progress = done.err.splitlines()
    assert [line.split()[0] for line in progress] == ["1/4", "2/4", "3/4", "4/4"]
    assert all("✓" in line and "auc" in line for line in progress)
    lines = done.out.splitlines()
    assert lines[0].startswith("train.ipynb · 4 runs · ✓ 4 · best auc 1.02 at depth=2 rate=0.5")
    assert lines[1].split() == ["run", "status", "depth", "rate", "auc", "duration"]
    assert [line.split()[3:6] for line in lines[2:6]] == [
        ["2", "0.5", "1.02"],
        ["1", "0.5", "0.52"],
        ["2", "0.1", "0.22"],
        ["1", "0.1", "0.12"],
    ]
    assert lines[-1] == "Open the notebooks: jupyter lab"
    assert lines[-3].startswith("Look closer: jupyter mlops runs show ")


def test_sweep_as_json(sweep: dict[str, Any]) -> None:
    """A record has the sweep's facts and its runs, best first, and failures have their reason."""
    assert sweep["status"] == "failed"
    assert sweep["counts"] == {
        "queued": 0,
        "running": 0,
        "succeeded": 2,
        "failed": 2,
        "cancelled": 0,
        "pruned": 0,
    }
    assert [run["parameters"]["depth"] for run in sweep["runs"]] == [2, 1, 1, 2]
    assert sweep["runs"][0]["metrics"] == {"auc": 0.22}
    assert sweep["runs"][-1]["reason"] == "error"
    assert sweep["runs"][-1]["error"] == "ValueError: bad lr"
    assert sweep["best"]["run_id"] == sweep["runs"][0]["id"]


def test_minimise(mlops: Command) -> None:
    """The direction can be said."""
    done = mlops("sweep", "train.ipynb", "depth=1..3", "--metric", "auc", "--minimize", "--json")
    assert [run["parameters"]["depth"] for run in done.record["runs"]] == [1, 2, 3]
    assert done.record["maximize"] is False


def test_modes(mlops: Command, project: Path) -> None:
    """Points come from a zip, at random, or from a file; -p is the same as a plain NAME=SPACE."""
    done = mlops("sweep", "train.ipynb", "depth=1,2", "-p", "rate=0.1,0.2", "--zip", "--json")
    points = {run["index"]: run["parameters"] for run in done.record["runs"]}
    assert points == {1: {"depth": 1, "rate": 0.1}, 2: {"depth": 2, "rate": 0.2}}
    done = mlops("sweep", "train.ipynb", "depth=1..1000", "--random", "2", "--seed", "1", "--json")
    drawn = [run["parameters"]["depth"] for run in done.record["runs"]]
    assert len(set(drawn)) == 2
    with (project / "points.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows([["depth", "rate"], [4, 0.5]])
    done = mlops("sweep", "train.ipynb", "--from", "points.csv", "--json")
    assert [run["parameters"] for run in done.record["runs"]] == [{"depth": 4, "rate": 0.5}]


def test_run(mlops: Command, project: Path) -> None:
    """A run executes a copy of the notebook with the values that were given."""
    done = mlops("run", "train", "depth=7", "--json")
    assert done.code == 0
    assert done.record["parameters"] == {"depth": 7}
    output = nbformat.read(project / done.record["output"], as_version=4)
    assert any("depth = 7" in cell.source for cell in output.cells)
    done = mlops("run", "train.ipynb", "depth=7")
    assert "✓ succeeded · train.ipynb · depth=7" in done.out
    assert "Open it: jupyter lab runs/train/" in done.out


def test_a_failed_run(mlops: Command) -> None:
    """A failed run is one line that names the cell and the error, and exit code 1."""
    done = mlops("run", "train.ipynb", "fail=true")
    assert done.code == 1
    assert done.out == ""
    last = done.err.splitlines()[-1]
    assert last.startswith("Error: train.ipynb failed at cell 3: ValueError: bad lr (see: ")
    done = mlops("run", "train.ipynb", "fail=true", "--json")
    assert done.code == 1
    assert done.record["status"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "train.ipynb", "dept=1"], "dept is not a parameter of the notebook. Did you mean"),
        (["run", "train.ipynb", "depth=x"], 'depth: "x" is not an int.'),
        (["run", "train.ipynb", "depth=1,2"], "run takes one value of each parameter"),
        (["sweep", "train.ipynb", "rate=log(1,2"], 'rate: "log(1,2" has no closing parenthesis.'),
        (
            ["sweep", "train.ipynb", "depth=1..100000", "rate=1..10000"],
            "1,000,000,000 points are more than the limit of 10,000.",
        ),
        (["run", "train.ipynb", "--kernel", "cobol"], 'The kernel "cobol" is not installed'),
        (["run", "train.ipynb", "--cpus", "4000"], "cpus: 4000 cores were asked for"),
        (["run", "train.ipynb", "--executor", "moon"], "There is no executor moon"),
        (["run", "broken.ipynb"], "broken.ipynb"),
    ],
)
def test_refused(mlops: Command, project: Path, arguments: list[str], message: str) -> None:
    """What the worker refuses is one line on standard error, and exit code 2."""
    (project / "broken.ipynb").write_text("{", "utf-8")
    done = mlops(*arguments)
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"Error: {message}")


def test_undeclared_parameters(mlops: Command) -> None:
    """A name that the notebook does not declare can be permitted."""
    done = mlops("run", "train.ipynb", "other=1", "--allow-undeclared", "--json")
    assert done.code == 0


def test_list(mlops: Command, sweep: dict[str, Any]) -> None:
    """Runs are listed by sweep and state; those of a sweep best first."""
    done = mlops("runs", "list", "--sweep", sweep["id"], "--json")
    assert [run["id"] for run in done.record] == [run["id"] for run in sweep["runs"]]
    done = mlops("runs", "list", "--sweep", sweep["id"], "--status", "failed", "--json")
    assert len(done.record) == 2
    done = mlops("runs", "list", "--limit", "1")
    assert done.out.splitlines()[0].startswith("The newest 1 of ")
    assert "More: jupyter mlops runs list --limit 1 --offset 1" in done.out


def test_show(mlops: Command, sweep: dict[str, Any]) -> None:
    """A sweep is shown by its ranking, a run by its facts; the first letters of an id will do."""
    done = mlops("runs", "show", sweep["id"])
    assert done.code == 0
    assert done.out.startswith("train.ipynb · 4 runs · ✓ 2  ✗ 2 · best auc 0.22")
    assert f"Run again what did not succeed: jupyter mlops runs retry {sweep['id']}" in done.out
    run = sweep["runs"][-1]
    number = run["id"].partition("-")[2]
    done = mlops("runs", "show", f"{sweep['id'][:6]}-{number}", "--json")
    assert done.record["id"] == run["id"]
    assert done.record["attempt_records"][0]["failed_cell"] == 3
    done = mlops("runs", "show", run["id"])
    assert "Error: ValueError: bad lr" in done.out


@pytest.mark.parametrize("wrong", ["zzzzzzzz", "../x", "", "a-b", "%"])
def test_unknown_ids(mlops: Command, wrong: str) -> None:
    """An id that does not exist is one line, and exit code 1."""
    done = mlops("runs", "show", wrong)
    assert done.code == 1
    assert done.err.startswith("Error: There is no run or sweep")


def test_ambiguous_ids(mlops: Command) -> None:
    """Letters that begin several ids are refused, with those ids."""
    letters: list[str] = []
    while len(set(letters)) == len(letters):
        record = mlops("run", "train.ipynb", "--detach", "--json").record
        letters.append(record["sweep_id"][0])
        mlops("runs", "cancel", record["id"])
    done = mlops("runs", "show", letters[-1])
    assert done.code == 2
    assert done.err.startswith(f"Error: {letters[-1]} fits several: ")


def test_detach_follow_cancel_retry_delete(mlops: Command, project: Path) -> None:
    """A sweep can be left, come back to, cancelled, retried and deleted."""
    write_notebook(
        project / "slow.ipynb", "n = 0", "import pathlib, threading",
        "if not pathlib.Path('go').exists(): threading.Event().wait()",
    )  # fmt: skip
    done = mlops("sweep", "slow.ipynb", "n=1..3", "--detach")
    assert done.code == 0
    assert done.err == ""
    sweep_id = done.out.split()[0]
    assert f"Follow: jupyter mlops runs show {sweep_id} --follow" in done.out

    done = mlops("runs", "cancel", sweep_id)
    assert done.code == 0
    assert done.out.startswith(f"Cancelled: {sweep_id}\n")
    done = mlops("runs", "show", sweep_id, "--follow", "--json")
    assert done.code == 1
    assert done.record["status"] == "cancelled"

    (project / "go").touch()
    assert mlops("runs", "retry", sweep_id).code == 0
    done = mlops("runs", "show", sweep_id, "--follow", "--json")
    assert done.code == 0
    assert done.record["counts"]["succeeded"] == 3

    outputs = [project / run["output"] for run in done.record["runs"]]
    assert all(path.is_file() for path in outputs)
    done = mlops("runs", "delete", f"{sweep_id}-1", f"{sweep_id}-2")
    assert done.out == "Deleted 2 runs with their outputs.\n"
    assert [path.is_file() for path in outputs] == [False, False, True]
    assert mlops("runs", "delete", sweep_id).code == 0
    assert mlops("runs", "show", sweep_id).code == 1


def test_what_cannot_be_done(mlops: Command, sweep: dict[str, Any]) -> None:
    """What the state of things does not allow is one line, and exit code 1."""
    done = mlops("runs", "cancel", sweep["runs"][0]["id"])
    assert done.code == 1
    assert "has succeeded already" in done.err
    done = mlops("register", "name", sweep["runs"][0]["id"])
    assert done.code == 1
    assert done.err.count("\n") == 1


def test_models(mlops: Command, project: Path) -> None:
    """The best run's model becomes a version, which aliases point at."""
    write_notebook(project / "model.ipynb", "score = 0.0", MODEL, "mlflow.log_metric('s', score)")
    done = mlops("sweep", "model.ipynb", "score=0.1,0.9", "--metric", "s", "--json")
    assert done.code == 0, done.err
    best = done.record["runs"][0]["id"]
    sweep_id = done.record["id"]
    done = mlops("register", "m", sweep_id, "--alias", "champion", "--tag", "owner=me", "--json")
    assert done.code == 0, done.err
    assert (done.record["version"], done.record["run_id"]) == (1, best)
    assert done.record["tags"]["owner"] == "me"
    done = mlops("models", "register", "m", "--run", f"{sweep_id}-1")
    assert done.out.startswith("m v2")
    done = mlops("models", "alias", "m", "champion", "v2")
    assert done.out.startswith("m v2 @champion")
    done = mlops("models", "list", "--json")
    assert {each["version"]: each["aliases"] for each in done.record} == {1: [], 2: ["champion"]}
    done = mlops("models", "alias", "m", "champion", "3")
    assert done.code == 1
    assert done.err.startswith("Error: There is no version 3 of a model m.")


def test_doctor(mlops: Command) -> None:
    """The doctor names what it looked at; the exit code says whether all is well."""
    done = mlops("doctor", "--json")
    findings = {each["name"]: each["ok"] for each in done.record}
    assert {"python", "packages", "worker", "tracking", "disk", "kernels"} <= set(findings)
    assert done.code == (0 if all(findings.values()) else 1)
    wrong = list(findings.values()).count(False)
    headline = f"{wrong} of {len(findings)} checks failed." if wrong else "All is well."
    assert mlops("doctor").out.startswith(headline)


def test_worker(mlops: Command, project: Path) -> None:
    """The worker says who it is; it can be ended, and starts when it is needed."""
    done = mlops("worker", "--status", "--json")
    assert done.record["serving"] is True
    assert done.record["project"] == str(project)
    pid = done.record["pid"]
    assert mlops("worker", "--stop").out == f"Worker {pid} has ended.\n"
    assert mlops("worker", "--status", "--json").record == {"serving": False}
    done = mlops("worker")
    assert done.code == 0
    assert f"serves {project}" in done.out


def test_what_is_running(mlops: Command, project: Path) -> None:
    """`jupyter mlops` alone shows the sweeps that go on."""
    write_notebook(project / "wait.ipynb", "n = 0", "import threading; threading.Event().wait()")
    sweep_id = mlops("sweep", "wait.ipynb", "n=1,2,3", "--detach", "--json").record["id"]
    try:
        lines = mlops().out.splitlines()
        assert "running" in lines[0]
        assert "queued" in lines[0]
        assert any(line.startswith(f"{sweep_id}  wait.ipynb · 3 runs") for line in lines)
    finally:
        mlops("runs", "cancel", sweep_id)


def test_the_hints_work_from_elsewhere(
    mlops: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stands outside of the project is told to go there."""
    monkeypatch.chdir(project.parent)
    done = mlops("run", f"{project.name}/train.ipynb", "--detach")
    assert f": cd {project.name} && jupyter mlops runs show " in done.out


def test_completion_of_ids(
    project: Path, sweep: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tab completes ids of sweeps, and of runs behind the dash."""
    monkeypatch.chdir(project)
    shell = ShellComplete(tree, {}, "jupyter-mlops", "_JUPYTER_MLOPS_COMPLETE")
    start = sweep["id"][:7]
    found = [item.value for item in shell.get_completions(["runs", "show"], start)]
    assert found == [sweep["id"]]
    found = [item.value for item in shell.get_completions(["runs", "show"], f"{sweep['id']}-")]
    assert sorted(found) == sorted(run["id"] for run in sweep["runs"])


def test_another_worker_goes_on(project: Path) -> None:
    """A killed worker does not end the wait: another takes over, and the sweep is completed."""
    write_notebook(project / "nap.ipynb", "n = 0", "import time; time.sleep(0.5)")
    command = [sys.executable, "-m", "jupyter_mlops", "sweep", "nap.ipynb", "n=1..6"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        workers.kill(Client(find_project(project)))
        try:
            out, _ = process.communicate(timeout=90)
        finally:
            process.kill()
    assert process.returncode == 0
    assert out.startswith("nap.ipynb · 6 runs · ✓ 6")
