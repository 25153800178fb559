"""NaN and infinity are themselves from the cell that logs them to whoever asks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import api
from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.runtime import address
from jupyter_mlops.app.unix import UnixConnection
from jupyter_mlops.cli import main
from jupyter_mlops.tracking import open_tracker
from tests.support import workers
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

OURS = """
import jupyter_mlops as mlops
for value in (1.0, float("nan"), float("inf"), float("-inf")):
    mlops.log(ours=value)
"""
PLAIN = f"""
{workers.LOG_METRIC}
log("plain", {{"$float": "nan"}}, 0)
log("plain", {{"$float": "inf"}}, 1)
"""
THEIRS = """
import mlflow
mlflow.log_metric("theirs", float("-inf"), step=3)
mlflow.log_metric("nothing", float("nan"))
"""
CELLS = ("floor: float = 0.0", OURS, PLAIN, THEIRS)
SERIES = {
    "ours": [1.0, math.nan, math.inf, -math.inf],
    "plain": [math.nan, math.inf],
    "theirs": [-math.inf],
    "nothing": [math.nan],
}
LAST = {key: values[-1] for key, values in SERIES.items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether values are the same, NaN being NaN."""
    return {key: repr(each) for key, each in one.items()} == {
        key: repr(each) for key, each in other.items()
    }


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project with a run that logged such values, and was given one."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"))
    with workers.worker(folder) as client:
        workers.write(client, *CELLS)
        values = {"floor": [{"$float": "-inf"}, {"$float": "nan"}]}
        sweep = workers.submit(client, values=values, metric="ours")
        assert workers.wait_for(client, sweep.id).counts.succeeded == 2
        yield client


@pytest.fixture
def run(client: Client) -> m.RunView:
    """That run."""
    (found, _) = client.call(ops.LIST_RUNS, query=m.RunsQuery())
    return found


def test_mlflow_has_them(client: Client, run: m.RunView) -> None:
    """Every value of every step, by whichever way it was logged."""
    tracker = open_tracker(None, client.project.state)
    assert run.mlflow_run_id is not None
    found = {key: [each.value for each in tracker.series(run.mlflow_run_id, key)] for key in SERIES}
    assert same(found, SERIES)
    assert same(tracker.metrics(run.mlflow_run_id), LAST)
    tracker.close()


def test_python_has_them(client: Client, run: m.RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    """As floats; the run that was given NaN got it."""
    monkeypatch.chdir(client.project.root)
    first, second = api.runs()
    assert same(first.metrics, LAST)
    assert first.parameters == {"floor": -math.inf}
    assert math.isnan(second.parameters["floor"])


def test_strict_json_has_them(client: Client, run: m.RunView) -> None:
    """What the worker sends, and the server hands to the panel, is JSON that a browser reads."""
    for path in (f"/runs/{run.id}", f"/runs/{run.id}/metrics", "/runs", "/sweeps", "/events"):
        connection = UnixConnection(str(address(client.project).socket), 30)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        json.loads(text, parse_constant=pytest.fail)
    series = client.call(ops.RUN_METRICS, run_id=run.id, query=m.MetricsQuery(key="ours"))
    coded = [1.0, *({"$float": each} for each in ("nan", "inf", "-inf"))]
    assert [each.values for each in series] == [coded]
    assert run.value == {"$float": "-inf"}


def test_the_shell_has_them(
    client: Client,
    run: m.RunView,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For programs as strict JSON, for people as words."""
    monkeypatch.chdir(client.project.root)
    of_sweep = ["list", "--sweep", run.sweep_id]
    for words in (["list"], ["show", run.id], of_sweep):
        main(["runs", *words, "--json"])
        text = capsys.readouterr().out
        assert '"-inf"' in text
        json.loads(text, parse_constant=pytest.fail)
    main(["runs", "show", run.id])
    told = capsys.readouterr().out
    assert "nan" in told
    assert "-inf" in told


def test_the_notebook_has_them(client: Client, run: m.RunView) -> None:
    """The executed notebook stays valid JSON."""
    assert run.output is not None
    path = Path(client.project.root, run.output)
    json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)
