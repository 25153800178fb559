"""Runs that go on from the cell that failed: real kernels, real MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import nbformat
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import Conflict
from jupyter_mlops.core.runs import Reason, Status
from tests.support import workers
from tests.support.workers import LOG_METRIC, submit, wait_for, write

AGREED = m.ResumeRequest(agreed=True)
#: A cell whose output differs from one execution to the next, with a metric and some state.
FIRST = (
    LOG_METRIC
    + "import os; state = x * 10; token = os.urandom(8).hex(); print(token)\nlog('early', 0.5, 0)"
)
BAD = "log('late', 1.0, 0)\nraise ValueError('bad lr')"
GOOD = "log('late', 2.0, 0)\nprint('state', state)"
LAST = "print('done', state)"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the worker of a project; each test writes its own notebook there."""
    folder = workers.make_project(tmp_path_factory.mktemp("resume") / "project")
    with workers.worker(folder) as made:
        yield made


def _failed(client: Client, *cells: str, name: str = "train.ipynb") -> m.RunView:
    """Run a notebook whose third code cell fails; the values are in a cell of their own."""
    write(client, *cells, name=name)
    sweep = wait_for(client, submit(client, name, space={"x": "4"}).id)
    (run,) = workers.runs(client, sweep.id)
    assert run.status is Status.FAILED, run
    return run


def _resume(client: Client, run: m.RunView) -> m.RunDetail:
    client.call(ops.RESUME_RUN, body=AGREED, run_id=run.id)
    wait_for(client, run.sweep_id)
    return client.call(ops.GET_RUN, run_id=run.id)


def _printed(client: Client, run: m.RunView) -> list[str]:
    """What each code cell of the output notebook printed."""
    assert run.output is not None
    nb = nbformat.read(client.project.root / run.output, as_version=4)
    nbformat.validate(nb)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    return ["".join(o.get("text", "") for o in cell.outputs) for cell in code]


def test_a_mended_run_goes_on(client: Client) -> None:
    """Earlier outputs and metrics stay, the state is there, and the mended cell is executed."""
    run = _failed(client, "x: int = 1", FIRST, BAD, LAST)
    before = _printed(client, run)
    write(client, "x: int = 1", FIRST, GOOD, LAST)
    plan = client.call(ops.RESUMPTION, run_id=run.id)
    assert (plan.cell, plan.changed) == (4, True)
    assert plan.seconds is not None
    detail = _resume(client, run)
    assert (detail.run.id, detail.run.status) == (run.id, Status.SUCCEEDED)
    assert detail.run.metrics == {"early": 0.5, "late": 2.0}
    first, second = detail.attempts
    assert (first.resumed_at, second.resumed_at) == (None, 4)
    assert second.notebook_hash not in (None, detail.notebook_hash)
    after = _printed(client, detail.run)
    assert after[:3] == before[:3]
    assert len(after[2]) == 17
    assert after[3:] == ["state 40\n", "done 40\n"]
    nb = nbformat.read(client.project.root / str(detail.run.output), as_version=4)
    states = [c.metadata.papermill["status"] for c in nb.cells if c.cell_type == "code"]
    assert states == ["completed"] * 5
    assert nb.metadata.papermill["exception"] is None


def test_no_metric_is_logged_twice(client: Client) -> None:
    """The new attempt has each value once, here and in MLflow; those of the failed cell anew."""
    run = _failed(client, "x: int = 1", FIRST, BAD, name="metrics.ipynb")
    write(client, "x: int = 1", FIRST, GOOD, name="metrics.ipynb")
    detail = _resume(client, run)
    series = client.call(ops.RUN_METRICS, query=m.MetricsQuery(), run_id=run.id)
    assert {each.key: each.values for each in series} == {"early": [0.5], "late": [2.0]}
    tracked = mlflow.MlflowClient(f"sqlite:///{client.project.state / 'mlflow.db'}")
    assert detail.run.mlflow_run_id is not None
    for key, value in (("early", 0.5), ("late", 2.0)):
        history = tracked.get_metric_history(detail.run.mlflow_run_id, key)
        assert [each.value for each in history] == [value]


def test_it_goes_on_again_and_again(client: Client) -> None:
    """A second failure, further on, keeps what both attempts put out before it."""
    run = _failed(client, "x: int = 1", FIRST, BAD, LAST, name="twice.ipynb")
    write(client, "x: int = 1", FIRST, GOOD, "raise OSError('next')", name="twice.ipynb")
    again = _resume(client, run)
    assert (again.run.error, again.attempts[1].failed_cell) == ("OSError: next", 5)
    write(client, "x: int = 1", FIRST, GOOD, LAST, name="twice.ipynb")
    done = _resume(client, run)
    assert done.run.status is Status.SUCCEEDED
    assert [each.resumed_at for each in done.attempts] == [None, 4, 5]
    assert _printed(client, done.run)[2:4] == _printed(client, again.run)[2:4]
    assert done.run.metrics == {"early": 0.5, "late": 2.0}
    for _ in client.events(0, beat=0.5):
        left = (client.project.state / "journals").glob(f"{run.id}.*")
        if all(path.name.endswith(".context.json") for path in left):
            break


def test_a_cell_that_changed_is_refused(client: Client) -> None:
    """The number of the cell is told, and the run stays as it is."""
    run = _failed(client, "x: int = 1", FIRST, BAD, name="changed.ipynb")
    for cells, message in (
        (("x: int = 1", "state = 0", GOOD), "Cell 3 of changed.ipynb has changed"),
        (("x: int = 2", FIRST, GOOD), "Cell 1 of changed.ipynb has changed"),
    ):
        write(client, *cells, name="changed.ipynb")
        with pytest.raises(Conflict, match=message):
            client.call(ops.RESUME_RUN, body=AGREED, run_id=run.id)
        with pytest.raises(Conflict, match=message):
            client.call(ops.RESUMPTION, run_id=run.id)
    assert client.call(ops.GET_RUN, run_id=run.id).run.status is Status.FAILED


def test_nobody_is_surprised(client: Client) -> None:
    """Without an agreement nothing is executed again; a run that succeeded does not go on."""
    run = _failed(client, "x: int = 1", FIRST, BAD, name="agreed.ipynb")
    with pytest.raises(Conflict, match="3 cells before the failed one would be executed again"):
        client.call(ops.RESUME_RUN, body=m.ResumeRequest(), run_id=run.id)
    write(client, "x: int = 1", FIRST, GOOD, name="agreed.ipynb")
    done = _resume(client, run)
    with pytest.raises(Conflict, match=r"is succeeded\. Only failed runs"):
        client.call(ops.RESUME_RUN, body=AGREED, run_id=done.run.id)


def test_from_the_start_means_as_it_was_submitted(client: Client) -> None:
    """A plain retry after that executes the snapshot of the submission, all of it anew."""
    run = _failed(client, "x: int = 1", FIRST, BAD, name="start.ipynb")
    write(client, "x: int = 1", FIRST, "raise KeyError('still')", name="start.ipynb")
    again = _resume(client, run)
    assert again.run.error == "KeyError: 'still'"
    earlier = _printed(client, again.run)[2]
    client.call(ops.RETRY_RUN, run_id=run.id)
    wait_for(client, run.sweep_id)
    detail = client.call(ops.GET_RUN, run_id=run.id)
    assert detail.run.error == "ValueError: bad lr"
    assert (detail.attempts[2].resumed_at, detail.attempts[2].notebook_hash) == (None, None)
    assert len(_printed(client, detail.run)[2]) == len(earlier)
    assert _printed(client, detail.run)[2] != earlier


def test_a_state_that_cannot_be_restored_is_told(client: Client, tmp_path: Path) -> None:
    """An earlier cell that fails the second time fails the attempt, with its new output."""
    mark = tmp_path / "mark"
    once = (
        f"import pathlib\nmark = pathlib.Path({str(mark)!r})\nprint('seen', mark.exists())\n"
        "if mark.exists(): raise RuntimeError('only once')\nmark.touch()"
    )
    run = _failed(client, "x: int = 1", once, "print('between')", "1 / 0", name="once.ipynb")
    assert run.cell == 5
    detail = _resume(client, run)
    assert (detail.run.status, detail.run.reason) == (Status.FAILED, Reason.ERROR)
    assert (detail.run.error, detail.attempts[1].failed_cell) == ("RuntimeError: only once", 3)
    assert _printed(client, detail.run)[2:] == ["", "", ""]
    nb = nbformat.read(client.project.root / str(detail.run.output), as_version=4)
    code = [c for c in nb.cells if c.cell_type == "code"]
    assert [c.metadata.papermill["status"] for c in code[2:]] == ["failed", "pending", "pending"]
    assert [o.ename for o in code[2].outputs if o.output_type == "error"] == ["RuntimeError"]


def test_spilled_output_of_kept_cells_stays(client: Client) -> None:
    """What was too large for the notebook is still beside it."""
    large = "print('y' * 11_000_000)"
    run = _failed(client, "x: int = 1", large, "1 / 0", name="large.ipynb")
    folder = (client.project.root / str(run.output)).parent
    (spilled,) = folder.glob(f"{run.id}.cell3.*")
    size = spilled.stat().st_size
    write(client, "x: int = 1", large, "print('fine')", name="large.ipynb")
    detail = _resume(client, run)
    assert detail.run.status is Status.SUCCEEDED
    assert spilled.stat().st_size == size
    assert spilled.name in _printed(client, detail.run)[2]
