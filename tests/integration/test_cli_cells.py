"""%mlops and the Python API in real kernels, scripts and notebooks that are themselves runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import nbformat
import pytest

from jupyter_mlops import api
from jupyter_mlops.metrics import MIME
from tests.support import workers
from tests.support.kernels import Kernel, kernel
from tests.support.notebooks import write_notebook

WIDGET = "application/vnd.jupyter.widget-view+json"
TRAIN = (
    "import jupyter_mlops as mlops\nmlops.log(auc=depth / 10)\nif fail: raise ValueError('bad lr')"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project that may use one core, with a worker."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"), "cores = 1\n")
    write_notebook(folder / "train.ipynb", "depth: int = 3\nfail: bool = False", TRAIN)
    write_notebook(folder / "endless.ipynb", "n = 0", "import threading; threading.Event().wait()")
    with workers.worker(folder):
        yield folder


@pytest.fixture(scope="module")
def cells(project: Path) -> Iterator[Kernel]:
    """A kernel in the project, with the extension."""
    with kernel(project) as running:
        loaded = running.run("import time, jupyter_mlops as mlops\n%load_ext jupyter_mlops")
        assert loaded.error is None
        yield running


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, as the current folder."""
    monkeypatch.chdir(project)
    return project


def test_a_sweep_is_live_and_ends_as_a_table(cells: Kernel) -> None:
    """A bar and a line per state are updated in place; the table, best first, takes their place."""
    cell = cells.run("sweep = %mlops sweep train.ipynb depth=1,2 fail=false --metric auc")
    shown = cell.displays()
    assert WIDGET in shown[0]["data"]
    # A run may have started by the time that the sweep is first looked at.
    assert shown[0]["data"]["text/plain"].startswith("train.ipynb · 2 runs · ")
    assert "✓" not in shown[0]["data"]["text/plain"]
    values = [
        each["data"]["state"]["value"]
        for each in cell.content("comm_msg")
        if "value" in each["data"].get("state", {})
    ]
    assert "✓ 0 succeeded" in values
    assert "✓ 2 succeeded" in values
    assert 2 in values  # the bar
    final = shown[-1]
    assert final["transient"] == shown[0]["transient"]
    assert WIDGET not in final["data"]
    lines = final["data"]["text/plain"].splitlines()
    assert lines[0].startswith("train.ipynb · 2 runs · ✓ 2 · best auc 0.2 at depth=2")
    assert [line.split()[3] for line in lines[-2:]] == ["2", "1"]
    assert "<table" in final["data"]["text/html"]
    opened = {each["comm_id"] for each in cell.content("comm_open")}
    assert opened == {each["comm_id"] for each in cell.content("comm_close")}


def test_the_object(cells: Kernel) -> None:
    """The magic returns an object: .frame, .best, .runs; shown, it is the table."""
    cell = cells.run("sweep.frame.to_json()")
    frame = json.loads(cell.result["text/plain"].strip("'"))
    assert list(frame) == ["depth", "fail", "auc", "status", "duration"]
    assert list(frame["depth"].values()) == [2, 1]
    assert set(frame["status"].values()) == {"succeeded"}
    assert cells.run("sweep.best.parameters").result["text/plain"] == "{'depth': 2, 'fail': False}"
    assert cells.run("len(sweep.runs)").result["text/plain"] == "2"
    assert "<table" in cells.run("sweep").result["text/html"]


def test_a_table_is_not_shown_twice(cells: Kernel) -> None:
    """As the last line of a cell the magic shows its table once."""
    cell = cells.run("%mlops sweep train.ipynb depth=1 --metric auc")
    assert cell.result == {}
    assert sum("<table" in each["data"].get("text/html", "") for each in cell.displays()) == 1
    cell = cells.run("%mlops run train.ipynb depth=1")
    assert cell.result == {}


def test_spaces_need_no_quotes(cells: Kernel) -> None:
    """In a cell, parentheses, ranges and variables need no quotes."""
    cells.run("top = 4")
    cell = cells.run("s = %mlops sweep train.ipynb depth=log(1,100,3)\ns.frame.depth.tolist()")
    assert sorted(json.loads(cell.result["text/plain"])) == [1, 10, 100]
    cell = cells.run("s = %mlops sweep train.ipynb depth=3..{top}\ns.frame.depth.tolist()")
    assert sorted(json.loads(cell.result["text/plain"])) == [3, 4]


def test_an_interrupt_detaches(cells: Kernel) -> None:
    """Stop leaves the runs alone, says how to cancel them, and the object is there."""
    cell = cells.run("s = %mlops sweep endless.ipynb n=1,2", interrupt_at="1 running")
    assert cell.error is None
    # The line takes the display's place, or stands alone if that was not there yet.
    last = cell.text or cell.displays()[-1]["data"]["text/plain"]
    sweep_id = cells.run("s.id").result["text/plain"].strip("'")
    assert f"The runs go on. Cancel them with: %mlops runs cancel {sweep_id}" in last
    assert cells.run("s.status").result["text/plain"] == "'running'"
    cells.run(f"%mlops runs cancel {sweep_id}")
    assert cells.run("s.wait(progress=False).status").result["text/plain"] == "'cancelled'"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%mlops sweep train.ipynb dept=1", "dept is not a parameter of the notebook."),
        ("%mlops run train.ipynb fail=true", "train.ipynb failed at cell 3: ValueError: bad lr"),
        ("%mlops runs show zzzzzzzz", 'There is no run or sweep "zzzzzzzz".'),
        ("%mlops log loss=high", "loss: 'high' is not a number."),
        ("mlops.sweep('nothing.ipynb', {})", "There is no notebook"),
        (
            "mlops.run('train.ipynb', depth={1})",
            "depth: a set would not reach the",
        ),
    ],
)
def test_errors_are_one_sentence(cells: Kernel, line: str, message: str) -> None:
    """An error fails the cell with one line, whichever way it was asked for."""
    error = cells.run(line).error
    assert error is not None
    assert len(error["traceback"]) == 1
    assert error["traceback"][0].startswith(f"Error: {message}")


def points(messages: list[dict[str, Any]]) -> list[tuple[str, Any, int]]:
    """The points of metrics messages, in order."""
    return [
        (point["key"], point["value"], point["step"])
        for each in messages
        for point in each["data"][MIME]["points"]
    ]


def test_log_is_batched(cells: Kernel) -> None:
    """However often a cell logs, it has one output, updated at most four times a second."""
    cell = cells.run(
        "start = time.monotonic()\n"
        "while time.monotonic() - start < 1.5: mlops.log(a=1); time.sleep(0.001)\n"
        "time.monotonic() - start"
    )
    took = float(cell.result["text/plain"])
    shown = cell.displays()
    assert [each["msg_type"] for each in cell.messages if "display" in each["msg_type"]] == (
        ["display_data"] + ["update_display_data"] * (len(shown) - 1)
    )
    assert len({each["transient"]["display_id"] for each in shown}) == 1
    assert 2 <= len(shown) <= 4 * took + 2  # the first and the last need not wait
    steps = [step for _, _, step in points(shown)]
    assert steps == list(range(len(steps)))
    assert shown[-1]["data"][MIME]["count"] == len(steps)
    assert shown[-1]["data"][MIME]["last"] == {"a": {"value": 1.0, "step": steps[-1]}}
    assert shown[-1]["data"]["text/plain"] == f"a 1 (step {steps[-1]})"


def test_log_does_not_wait_for_the_next_value(cells: Kernel) -> None:
    """What was logged shortly before a long silence is sent during it, not after it."""
    cell = cells.run("mlops.log(b=1); mlops.log(c=2); time.sleep(1); print('later')")
    order = [
        "later" if each["msg_type"] == "stream" else sorted(each["content"]["data"][MIME]["last"])
        for each in cell.messages
        if each["msg_type"] in ("stream", "display_data", "update_display_data")
    ]
    assert order[-1] == "later"
    assert order[-2] == ["b", "c"]


def test_log_is_flushed_at_the_end_of_a_cell(cells: Kernel) -> None:
    """A cell's points are sent with the cell, even if it fails; steps count on in the next one."""
    cell = cells.run("mlops.log(d=1); mlops.log(d=float('nan')); mlops.log(d=3); 1 / 0")
    assert points(cell.displays()) == [("d", 1.0, 0), ("d", {"$float": "nan"}, 1), ("d", 3.0, 2)]
    cell = cells.run("%mlops log d=4 e=0.5")
    assert points(cell.displays()) == [("d", 4.0, 3), ("e", 0.5, 0)]
    cell = cells.run("%mlops log d=4 --step 40")
    assert points(cell.displays()) == [("d", 4.0, 40)]
    assert cell.result == {}


def test_a_session(cells: Kernel, here: Path) -> None:
    """%mlops track records what is logged, by us and by plain MLflow, until it is stopped."""
    cell = cells.run("session = %mlops track --experiment ideas rate=0.1 name=tree\nsession.id")
    run_id = cell.result["text/plain"].strip("'")
    cells.run("mlops.log(auc=0.7); import mlflow; mlflow.log_metric('plain', 3)")
    error = cells.run("%mlops track").error
    assert error is not None
    assert error["traceback"][0].endswith("Close it first: %mlops track --stop")
    cell = cells.run("%mlops track --stop\n")
    assert "closed" in cell.result["text/plain"]
    assert cells.run("import os; os.environ.get('MLFLOW_RUN_ID')").result == {}
    assert cells.run("mlflow.active_run()").result == {}
    run = api.get(run_id)
    assert isinstance(run, api.RunResult)
    assert run.status == "succeeded"
    assert run.parameters == {"rate": 0.1, "name": "tree"}
    assert run.metrics == {"auc": 0.7, "plain": 3.0}
    cells.run("mlops.log(auc=0.9)")
    assert run.detail().run.metrics["auc"] == 0.7


def test_a_session_with_an_error(here: Path, tmp_path: Path) -> None:
    """A session that an exception leaves is a failed run, with the exception's line."""
    code = (
        "import jupyter_mlops as mlops\n"
        "with mlops.track(rate=1) as session:\n"
        "    print(session.id)\n"
        "    mlops.log(loss=1)\n"
        "    raise ValueError('too hot\\nindeed')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    run = api.get(done.stdout.strip())
    assert isinstance(run, api.RunResult)
    assert (run.status, run.error) == ("failed", "ValueError: too hot")
    assert run.metrics == {"loss": 1.0}


@pytest.mark.parametrize(
    ("end", "status", "error"),
    [("", "succeeded", None), ("{}['missing']", "failed", "KeyError: 'missing'")],
)
def test_a_session_ends_with_its_script(
    here: Path, end: str, status: str, error: str | None
) -> None:
    """A session that nobody stops is closed when the script ends, as the script ends."""
    code = f"import jupyter_mlops as m\ns = m.track()\nprint(s.id)\nm.log(loss=1)\n{end}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    run = api.get(done.stdout.strip())
    assert isinstance(run, api.RunResult)
    assert (run.status, run.error, run.metrics) == (status, error, {"loss": 1.0})


def test_a_tracked_program(here: Path) -> None:
    """`jupyter mlops track -- PROGRAM` records a script, whose exit code decides."""
    (here / "script.py").write_text(
        "import sys, jupyter_mlops as mlops\n"
        "for i in range(3): mlops.log(loss=3 - i)\n"
        "sys.exit(len(sys.argv) - 1)",
        "utf-8",
    )
    command = [sys.executable, "-m", "jupyter_mlops", "track", "rate=0.5", "--json", "--"]
    for arguments, code, status in (([], 0, "succeeded"), (["--wrong"], 1, "failed")):
        done = subprocess.run(
            [*command, sys.executable, "script.py", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        run = api.get(json.loads(done.stdout)["run_id"])
        assert isinstance(run, api.RunResult)
        assert run.status == status
        assert run.metrics == {"loss": 1.0}
        assert run.parameters == {"rate": 0.5}
    wrong = [*command, "no-such-program"]
    done = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: no-such-program cannot be run: No such file or directory.\n"


def test_log_in_the_shell(here: Path) -> None:
    """Within a tracked program, `jupyter mlops log` logs to it."""
    command = [sys.executable, "-m", "jupyter_mlops"]
    inner = " ".join([*command, "log", "loss=0.5", "--step", "3"])
    done = subprocess.run(
        [*command, "track", "--json", "--", "sh", "-c", inner],
        capture_output=True,
        text=True,
        check=True,
    )
    series = mlflow_history(here, json.loads(done.stdout)["mlflow_run_id"], "loss")
    assert series == [(3, 0.5)]


def mlflow_history(project: Path, run_id: str, key: str) -> list[tuple[int, float]]:
    """The values of a metric in the tracking store, by step."""
    client = mlflow.MlflowClient(f"sqlite:///{project}/.mlops/mlflow.db")
    return [(each.step, each.value) for each in client.get_metric_history(run_id, key)]


def test_a_notebook_that_sweeps(here: Path) -> None:
    """A notebook executed as a run may itself run and sweep, on one core; its output is text."""
    write_notebook(
        here / "tour.ipynb",
        "top = 2",
        "%load_ext jupyter_mlops",
        "%mlops run train.ipynb depth=1",
        "sweep = %mlops sweep train.ipynb depth=1..{top} --metric auc",
        "import jupyter_mlops as mlops\n"
        "best = mlops.sweep('train.ipynb', {'depth': [4, 5]}, metric='auc').best\n"
        "mlops.log(best=best.metrics['auc'])",
    )
    result = api.run("tour.ipynb", top=3)
    assert result.metrics == {"best": 0.5}
    assert result.output is not None
    outputs = [
        output
        for cell in nbformat.read(result.output, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    assert not any(WIDGET in output.get("data", {}) for output in outputs)
    tables = [output["data"]["text/html"] for output in outputs if "text/html" in output["data"]]
    assert any("3 runs · ✓ 3" in page for page in tables)


def test_a_notebook_that_tracks_itself(here: Path) -> None:
    """A notebook with its own session may be executed as a run, and is recorded once, as that."""
    write_notebook(
        here / "tracked.ipynb",
        "rate = 0.1",
        "%load_ext jupyter_mlops\n%mlops track rate={rate}",
        "import jupyter_mlops as mlops\nwith mlops.track(): mlops.log(loss=1)",
        "%mlops track --stop",
    )
    before = len(api.runs())
    assert api.run("tracked.ipynb", rate=0.2).metrics == {"loss": 1.0}
    assert len(api.runs()) == before + 1


def test_a_failing_command_fails_the_notebook(here: Path) -> None:
    """A notebook in which a command fails is a failed run, with the command's own line."""
    write_notebook(
        here / "wrong.ipynb", "a = 1", "%load_ext jupyter_mlops", "%mlops run nothing.ipynb"
    )
    result = api.run("wrong.ipynb", check=False)
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.startswith("CellError: There is no notebook nothing.ipynb.")


def test_a_script(here: Path) -> None:
    """In a plain script the API returns the same objects and prints nothing of its own."""
    code = (
        "import json, jupyter_mlops as mlops\n"
        "sweep = mlops.sweep('train.ipynb', [{'depth': 7}, {'depth': 8, 'fail': True}],"
        " metric='auc')\n"
        "run = mlops.run('train.ipynb', {'depth': 9}, options={'retries': 0})\n"
        "print(json.dumps([sweep.status, sweep.best.parameters, run.metrics,"
        " len(mlops.runs(sweep.id)), [r.error for r in mlops.runs(sweep.id, status='failed')]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [
        "failed",
        {"depth": 7},
        {"auc": 0.9},
        2,
        ["ValueError: bad lr"],
    ]


def test_variables_reach_the_kernels(here: Path) -> None:
    """A run has the caller's variables, without those of the caller's own kernel or session."""
    source = "import os; print(sorted(os.environ.items()))"
    write_notebook(here / "environment.ipynb", "x = 0", source)
    os.environ["COLOUR_OF_THE_DAY"] = "blue"
    os.environ["JPY_SESSION_NAME"] = "mine"
    try:
        result = api.run("environment.ipynb")
    finally:
        del os.environ["COLOUR_OF_THE_DAY"], os.environ["JPY_SESSION_NAME"]
    assert result.output is not None
    text = result.output.read_text("utf-8")
    assert "'COLOUR_OF_THE_DAY', 'blue'" in text
    assert "JPY_SESSION_NAME" not in text
