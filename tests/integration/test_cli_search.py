"""`jupyter mlops runs list` on conditions, sorted and by pages, with a real worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops.app.client import connect
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.reports.runs import ranked
from tests.support import workers
from tests.support.commands import Command, caller

TRAIN = "import jupyter_mlops as mlops\nmlops.log(auc=depth * 0.1)\nif fail: raise ValueError('no')"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a worker."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"))
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
    """A sweep of which half of the runs failed, its runs best first, as the command tells of it."""
    client = connect(find_project(project))
    workers.write(client, "depth: int = 3\nfail: bool = False", TRAIN)
    space = {"depth": "1,2", "fail": "false,true"}
    made = workers.wait_for(client, workers.submit(client, space=space, metric="auc").id)
    return {"id": made.id, "runs": msgspec.to_builtins(ranked(workers.runs(client, made.id)))}


def test_search(mlops: Command, sweep: dict[str, Any]) -> None:
    """Runs are listed on a condition, sorted and by pages, with the values that were asked for."""
    of_sweep = f"sweep = {sweep['id']}"
    where = f"metrics.auc > 0.1 and params.depth in (1, 2) and status = succeeded and {of_sweep}"
    done = mlops("runs", "list", "--where", where, "--sort", "-metrics.auc", "--json")
    ended = [run for run in sweep["runs"] if run["status"] == "succeeded"]
    expected = [run["id"] for run in ended if run["metrics"]["auc"] > 0.1]
    assert [run["id"] for run in done.record] == expected
    assert expected
    last = mlops("runs", "list", "--where", of_sweep, "--sort", "index", "--offset", "3", "--json")
    assert [run["index"] for run in last.record] == [4]
    done = mlops("runs", "list", "--where", of_sweep, "--sort", "-metrics.auc", "--limit", "2")
    lines = done.out.splitlines()
    assert lines[0] == "The first 2 of 4 runs, sorted by -metrics.auc"
    assert "metrics.auc" in lines[1]
    assert "--sort -metrics.auc --limit 2 --offset 2" in done.out
    second = mlops("runs", "list", "--sweep", sweep["id"], "--limit", "2", "--offset", "1")
    assert second.out.splitlines()[0] == "Runs 2 to 3 of 4"
    assert sweep["runs"][1]["id"] in second.out
    none = mlops("runs", "list", "--where", "metrics.aux > 0")
    assert none.out.splitlines()[:2] == [
        "There are no such runs.",
        "No recent run has a metric aux. Did you mean auc?",
    ]


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--where", "metrics.auc >", "where, at the end: expected a value"),
        ("--where", "metric.auc > 1", 'where, at character 1, before "metric.auc": there is no'),
        ("--sort", "auk", 'sort, at character 1, before "auk": there is no field auk.'),
    ],
)
def test_bad_searches(mlops: Command, option: str, text: str, message: str) -> None:
    """What cannot be read is one line that names the place, and exit code 2."""
    done = mlops("runs", "list", option, text)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Error: {message}")
    assert done.err.count("\n") == 1
