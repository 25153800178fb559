"""Adaptive search with a real worker: points chosen from results, and runs stopped early."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import InvalidInput, SearchMissing
from jupyter_mlops.core.runs import Reason, Status
from tests.support import workers
from tests.support.workers import LOG_METRIC, runs, submit, wait_for, write

PARAMETERS = "x: int = 1\nrate: float = 0.1\nkind: str = 'a'"
#: Has its minimum at 300 of 1000, rate 0.01 and kind b.
LOSS = (
    "import math\n"
    "loss = ((x - 300) / 1000) ** 2 + (math.log10(rate) + 2) ** 2 / 10 + (kind == 'a')\n"
    "log('loss', loss, 1)"
)
SPACE = {"x": "1..1000", "rate": "log(1e-4,1,5)", "kind": "a,b"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of an empty project."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        yield made


@pytest.mark.slow
def test_a_search_survives_its_worker(client: Client) -> None:
    """Each of its runs has a point of its own; the next worker goes on to ask."""
    write(client, PARAMETERS, LOG_METRIC + LOSS)
    request = {"space": SPACE, "metric": "loss", "sampler": "tpe", "trials": 14, "seed": 5}
    sweep = submit(client, **request)
    assert (sweep.total, sweep.mode, sweep.counts.queued) == (14, "search", 14)
    assert sweep.search == m.SearchView(sampler="tpe", seed=5, trials=14, exhaustive=False)  # type: ignore[arg-type]
    for event in client.events(0, beat=30):
        if event is not None and event.run_id == f"{sweep.id}-5" and event.status == "running":
            break
    workers.kill(client)
    ended = wait_for(client, sweep.id)
    assert (ended.status, ended.counts.succeeded) == (Status.SUCCEEDED, 14)
    found = runs(client, sweep.id)
    assert [each.index for each in found] == list(range(1, 15))
    assert len({str(each.parameters) for each in found}) == 14
    for each in found:
        assert list(each.parameters) == list(SPACE)
        assert isinstance(each.parameters["x"], int)
        assert 1e-4 <= each.parameters["rate"] <= 1
        assert each.attempts == 1 or each.index <= 6
    assert ended.best is not None
    assert ended.best.value == min(each.value for each in found)


def test_runs_are_stopped_by_their_live_metric(client: Client) -> None:
    """A run that lags behind ends early, keeps metrics and output, and fails nothing."""
    write(
        client,
        "quality: int = 1",
        LOG_METRIC + "import time\n"
        "for step in range(1, 200):\n"
        "    log('auc', quality / 10 + step / 10000, step)\n"
        "    time.sleep(0.3 if quality < 9 else 0)",
        "log('done', 1.0, 1)",
    )
    # The first one is quick and good, so that the others have somebody to be compared with: at
    # their first step that counts, or at the second if they were there earlier.
    sweep = submit(
        client, space={"quality": "9,1,2"}, metric="auc", prune="asha", prune_steps=2, retries=2
    )
    assert sweep.pruning is not None
    assert (sweep.pruning.steps, sweep.pruning.factor) == (2, 3)
    ended = wait_for(client, sweep.id)
    assert ended.status is Status.SUCCEEDED
    assert (ended.counts.succeeded, ended.counts.cancelled, ended.counts.pruned) == (1, 2, 2)
    best, *stopped = runs(client, sweep.id)
    assert best.status is Status.SUCCEEDED
    for run in stopped:
        assert (run.status, run.reason, run.attempts) == (Status.CANCELLED, Reason.PRUNED, 1)
        assert run.error is not None
        assert re.match(r"Pruned at step (2|6): auc 0\.", run.error)
        assert run.error.endswith(("ranked 2 of 2.", "ranked 3 of 3.", "ranked 2 of 3."))
        assert "done" not in run.metrics
        assert 0.1 < run.metrics["auc"] < 0.3
        assert run.output is not None
        notebook = nbformat.read(client.project.root / run.output, as_version=4)
        assert any(cell.get("execution_count") for cell in notebook.cells)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"sampler": "tpe", "metric": "loss"}, "trials"),
        ({"sampler": "tpe", "trials": 3}, "metric"),
        ({"trials": 3}, "sampler"),
        ({"sampler": "random", "trials": 3, "mode": "zip"}, "sampler"),
        ({"sampler": "random", "trials": 3, "points": [{"x": 1}]}, "sampler"),
        ({"prune": "asha"}, "metric"),
        ({"prune_steps": 3}, "prune"),
        ({"sampler": "random", "trials": 3, "space": {"x": "1..1e30"}}, "x"),
        ({"sampler": "random", "trials": 20_000, "space": {"x": "1..1000000"}}, None),
    ],
)
def test_what_does_not_go_together_is_refused(
    refusing: Client, request_: dict[str, object], field: str | None
) -> None:
    """In one line, with the option that it is about, and nothing is queued."""
    with pytest.raises(InvalidInput) as refused:
        submit(refusing, **{"space": {"x": "1..9"}, **request_})
    assert refused.value.field == field
    assert "\n" not in refused.value.message
    assert refusing.call(ops.LIST_SWEEPS, query=m.ListQuery()) == []


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker for tests that leave nothing behind."""
    folder = workers.make_project(tmp_path_factory.mktemp("refusing") / "project")
    with workers.worker(folder) as made:
        write(made, "x: int = 1")
        yield made


@pytest.mark.slow
def test_without_optuna_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sampler is refused in one line; sweeps that need none go on."""
    (tmp_path / "optuna").mkdir()
    (tmp_path / "optuna" / "__init__.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with workers.worker(workers.make_project(tmp_path / "project")) as client:
        write(client, "x: int = 1")
        for request in ({"sampler": "random", "trials": 2}, {"prune": "asha", "metric": "auc"}):
            with pytest.raises(SearchMissing) as refused:
                submit(client, space={"x": "1,2"}, **request)
            assert refused.value.message == (
                "--sampler and --prune need Optuna. "
                'Install it with: pip install "jupyter-mlops[optuna]".'
            )
        assert wait_for(client, submit(client).id).counts.succeeded == 1


def test_the_form_counts_what_a_sampler_makes(refusing: Client) -> None:
    """As many runs as trials, or as there are points."""
    for space, count in (({"x": "1..1000"}, 30), ({"x": "1..9"}, 9)):
        body = m.SpaceRequest(notebook="train.ipynb", space=space, sampler="tpe", trials=30)  # type: ignore[arg-type]
        preview = refusing.call(ops.PREVIEW, body=body)
        assert (preview.count, preview.errors) == (count, {})


def test_a_command_searches(client: Client) -> None:
    """It says who chose the points; a space with fewer points than trials ends the search early."""
    write(client, "x: int = 1", LOG_METRIC + "log('auc', x / 10, 1)")
    command = [sys.executable, "-m", "jupyter_mlops", "sweep", "train.ipynb", "x=1..3"]
    search = ["--metric", "auc", "--sampler", "tpe", "--trials", "50", "--seed", "4"]
    done = subprocess.run(
        [*command, *search], cwd=client.project.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    line = "Sampler tpe · seed 4 · all points of the space, which are no more than 50 trials"
    assert line in done.stdout
    assert "best auc 0.3 at x=3" in done.stdout
    (sweep,) = client.call(ops.LIST_SWEEPS, query=m.ListQuery())
    assert (sweep.total, sweep.counts.succeeded) == (3, 3)
    shown = subprocess.run(
        [*command[:3], "runs", "show", sweep.id, "--json"],
        cwd=client.project.root,
        capture_output=True,
        text=True,
        check=True,
    )
    record = json.loads(shown.stdout)
    assert record["search"] == {"sampler": "tpe", "seed": 4, "trials": 50, "exhaustive": True}
    assert record["pruning"] is None


def test_python_searches(client: Client) -> None:
    """Python's ranges, and spaces written as in a shell, are ranges and scales to the sampler."""
    write(client, PARAMETERS, LOG_METRIC + LOSS)
    script = (
        "import json, jupyter_mlops as mlops\n"
        "space = {'x': range(1, 1001), 'rate': mlops.space('log(1e-4,1,5)'), 'kind': ['a', 'b']}\n"
        "sweep = mlops.sweep('train.ipynb', space, metric='loss', sampler='random', trials=4,\n"
        "                    seed=2, progress=False)\n"
        "print(json.dumps([run.parameters for run in sweep.runs]))\n"
        "grid = {'rate': mlops.space('0.1,0.2'), 'kind': ['a', 'b']}\n"
        "sweep = mlops.sweep('train.ipynb', grid, wait=False)\n"
        "print(json.dumps([sweep.view.total, sweep.view.mode]))\n"
        "sweep.cancel()\n"
        "try:\n"
        "    mlops.sweep('train.ipynb', grid, sampler='best', trials=4)\n"
        "except mlops.InvalidInput as error:\n"
        "    print(json.dumps(str(error)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=client.project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    points, grid, refused = map(json.loads, done.stdout.splitlines())
    assert len(points) == 4
    for point in points:
        assert list(point) == ["x", "rate", "kind"]
        assert isinstance(point["x"], int)
        # No value of the five that the scale would have on a grid.
        assert point["rate"] not in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    assert len({str(point) for point in points}) == 4
    assert grid == [4, "grid"]
    assert refused == "sampler: 'best' is none of tpe, random."


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_documented_example_runs(tmp_path: Path) -> None:
    """The search that the documentation shows works on the example, here with fewer trials."""
    root = Path(__file__).parents[2]
    (line,) = re.findall(r"^jupyter mlops sweep .*--sampler.*$", page(root), re.MULTILINE)
    project = tmp_path / "flights"
    left = shutil.ignore_patterns("*.pyc", ".*", "runs", "full")
    shutil.copytree(root / "example_notebooks", project, ignore=left)
    mlops = [sys.executable, "-m", "jupyter_mlops"]
    prepare = [*mlops, "run", "01_prepare.ipynb", "source=sample"]
    search = [*mlops, *shlex.split(line.replace("--trials 30", "--trials 4"))[2:], "max_iter=20"]
    with workers.worker(project):
        for command in (prepare, [*search, "--json"]):
            done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr + done.stdout
    sweep = json.loads(done.stdout)
    assert (sweep["total"], sweep["counts"]["failed"]) == (4, 0)
    assert sweep["counts"]["succeeded"] >= 1
    assert sweep["best"] is not None
    assert sweep["pruning"] == {"rule": "asha", "steps": None, "factor": 3}


def page(root: Path) -> str:
    """The text of the page on sweeps."""
    return (root / "docs" / "how-to" / "sweeps.md").read_text("utf-8")
