"""Space comes back, and nothing that a registered model version needs goes: real MLflow."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.core.exceptions import Conflict, NotFound
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.tracked import MLFLOW_WARNING
from tests.support.workers import FOREVER, started, submit, wait_for, write

pytestmark = [
    pytest.mark.filterwarnings(MLFLOW_WARNING),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

#: A cell that logs a model of some size, and prints into the kernel's log.
MODEL = (
    "import mlflow, os\n"
    "class Model(mlflow.pyfunc.PythonModel):\n"
    "    def predict(self, context, model_input: list[str], params=None) -> list[str]:\n"
    "        return model_input\n"
    "mlflow.pyfunc.log_model(name='model', python_model=Model(), pip_requirements=[])\n"
    "mlflow.log_text('x' * 100_000, 'notes.txt')\n"
    "os.write(2, b'into the log')\n"
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of an empty project."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        yield made


def _clean(client: Client, older_than: float | None = 0.0, *, dry: bool = False) -> m.CleanView:
    body = m.CleanRequest(older_than=older_than, dry=dry)
    return client.call(ops.CLEAN, body=body, timeout=120)


def _kinds(view: m.CleanView) -> dict[str, int]:
    return {each.kind: each.count for each in view.items}


def _files(client: Client, folder: str) -> set[str]:
    base = client.project.state / folder
    return {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()}


def _tracked(client: Client) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{client.project.state / 'mlflow.db'}")


def _runs(client: Client, space: str) -> list[m.RunView]:
    done = wait_for(client, submit(client, space={"x": space}).id)
    assert done.status is Status.SUCCEEDED, workers.runs(client, done.id)[0].error
    return workers.runs(client, done.id)


@pytest.mark.slow
def test_what_a_model_version_needs_stays(client: Client) -> None:
    """Its run, output notebook, snapshot, artifacts and model stay; all of the others goes."""
    write(client, "x = 1", MODEL)
    kept, gone = _runs(client, "1,2")
    write(client, "x = 1", "print('another notebook')")
    (other,) = _runs(client, "3")
    client.call(ops.REGISTER_MODEL, body=m.RegisterRequest(run=kept.id), name="needed")
    before = _files(client, "artifacts")
    for path in (client.project.state / "snapshots").iterdir():
        _make_old(path)

    plan = _clean(client, dry=True)
    assert plan.kept == {kept.id: "needed v1"}
    assert sorted(plan.runs) == sorted([other.id, gone.id])
    assert _files(client, "artifacts") == before
    assert len(workers.runs(client, kept.sweep_id)) == 2

    done = _clean(client)
    assert (sorted(done.runs), done.kept) == (sorted(plan.runs), plan.kept)
    assert _kinds(done) | {"store": 0} == _kinds(plan) | {"store": 0}
    assert done.size == pytest.approx(plan.size, rel=0.01)
    assert [run.id for run in workers.runs(client, kept.sweep_id)] == [kept.id]
    with pytest.raises(NotFound):
        client.call(ops.GET_SWEEP, sweep_id=other.sweep_id)
    root = client.project.root
    assert kept.output is not None
    assert (root / kept.output).is_file()
    assert not (root / str(gone.output)).exists()
    assert not (root / "runs" / "train" / other.sweep_id).exists()
    detail = client.call(ops.GET_RUN, run_id=kept.id)
    packages = f"{detail.context['environment']['packages_sha256']}.packages.json"
    assert _files(client, "snapshots") == {f"{detail.notebook_hash}.ipynb", packages}
    assert _files(client, "logs") >= {f"{kept.id}.1.log"}
    assert f"{gone.id}.1.log" not in _files(client, "logs")
    left = _files(client, "artifacts")
    assert left < before
    assert not [path for path in left if str(gone.mlflow_run_id) in path]
    assert [path for path in left if str(kept.mlflow_run_id) in path]
    assert {run.info.run_id for run in _all_tracked(client)} >= {kept.mlflow_run_id}
    assert str(gone.mlflow_run_id) not in {run.info.run_id for run in _all_tracked(client)}
    source = _tracked(client).get_model_version("needed", "1").source
    model = _tracked(client).get_logged_model(source.removeprefix("models:/"))
    assert mlflow.pyfunc.load_model(model.artifact_location).predict(["works"]) == ["works"]
    assert _clean(client).runs == []


def _make_old(path: Path) -> None:
    """Snapshots are left alone for an hour, so that none goes that is just being referred to."""
    os.utime(path, (time.time() - 7200,) * 2)


def _all_tracked(client: Client) -> list[mlflow.entities.Run]:
    tracked = _tracked(client)
    where = [each.experiment_id for each in tracked.search_experiments()]
    return list(tracked.search_runs(where, run_view_type=mlflow.entities.ViewType.ALL))


@pytest.mark.slow
def test_a_superseded_attempt_of_a_needed_run_stays(client: Client) -> None:
    """Every attempt of the run that a version was made from is part of its record."""
    gate = client.project.root / "gate"
    cell = f"import pathlib\nif not pathlib.Path({str(gate)!r}).exists(): raise ValueError('no')"
    write(client, "x = 1", cell, MODEL)
    sweep = wait_for(client, submit(client).id)
    (failed,) = workers.runs(client, sweep.id)
    gate.touch()
    client.call(ops.RETRY_RUN, run_id=failed.id)
    wait_for(client, sweep.id)
    client.call(ops.REGISTER_MODEL, body=m.RegisterRequest(run=failed.id), name="second")
    assert _clean(client).kept == {failed.id: "second v1"}
    known = {run.info.run_id for run in _all_tracked(client)}
    attempts = client.call(ops.GET_RUN, run_id=failed.id).attempts
    assert {each.mlflow_run_id for each in attempts} <= known


def test_only_what_is_old_and_finished_goes(client: Client) -> None:
    """Younger runs stay, and so does what waits or runs, however old."""
    write(client, "x = 1", "print(x)")
    (young,) = _runs(client, "1")
    write(client, "x = 1", FOREVER)
    going = submit(client, space={"x": "1..4"})
    started(client, going.id, 3)
    assert _clean(client, 3600).runs == []
    assert _clean(client, None).runs == []
    assert _clean(client).runs == [young.id]
    assert len(workers.runs(client, going.id)) == 4
    client.call(ops.CANCEL_SWEEP, sweep_id=going.id)
    wait_for(client, going.id)


def test_what_nothing_refers_to_is_collected(client: Client) -> None:
    """Snapshots, journals and logs of runs that are gone; not what is new, and nothing else."""
    write(client, "x = 1", "print(x)")
    (run,) = _runs(client, "1")
    state = client.project.state
    old, new = state / "snapshots" / f"{'a' * 64}.ipynb", state / "snapshots" / f"{'b' * 64}.ipynb"
    strays = [old, state / "journals" / "gone1234-1.1.jsonl", state / "logs" / "gone1234-1.2.log"]
    for path in (*strays, new):
        path.write_text("{}", "utf-8")
    _make_old(old)
    mine = state / "journals" / f"{run.id}.1.jsonl"
    mine.touch()
    assert _kinds(_clean(client, None)) == {"snapshots": 1, "journals": 1, "logs": 1}
    assert not [path for path in strays if path.exists()]
    assert new.exists()
    assert mine.exists()
    assert (state / "logs" / "worker.log").exists()
    assert _clean(client, None).items == []


def test_deleting_a_run_takes_its_files_along(client: Client) -> None:
    """Output notebook, spilled output, journals, log and the tracked run; others' files stay."""
    spill = "import os; os.write(1, b'log'); print('y' * 11_000_000)"
    write(client, "x = 1", spill)
    first, second = _runs(client, "1,2")
    state, folder = client.project.state, client.project.root / str(first.output)
    journal = state / "journals" / f"{first.id}.1.jsonl"
    journal.touch()
    assert list(folder.parent.glob(f"{first.id}.cell3.*"))
    assert f"{first.id}.1.log" in _files(client, "logs")
    client.call(ops.DELETE_RUN, run_id=first.id)
    assert not list(folder.parent.glob(f"{first.id}.*"))
    assert list(folder.parent.glob(f"{second.id}.*"))
    assert not journal.exists()
    assert f"{first.id}.1.log" not in _files(client, "logs")
    assert first.mlflow_run_id is not None
    stage = _tracked(client).get_run(first.mlflow_run_id).info.lifecycle_stage
    assert stage == "deleted"
    # The trash is emptied when it is cleaned, and of this run only.
    assert _clean(client, 0).runs == [second.id]
    assert _all_tracked(client) == []


def test_a_sweep_that_goes_on_cannot_be_deleted(client: Client) -> None:
    """Nothing of it is removed, not even what has finished."""
    write(client, "x = 1", f"if x > 1: {FOREVER}")
    sweep = submit(client, space={"x": "1,2"})
    started(client, sweep.id, 3)
    with pytest.raises(Conflict, match="Cancel it first"):
        client.call(ops.DELETE_SWEEP, sweep_id=sweep.id)
    client.call(ops.CANCEL_SWEEP, sweep_id=sweep.id)
    wait_for(client, sweep.id)
    assert len(workers.runs(client, sweep.id)) == 2


@pytest.mark.slow
def test_the_retention_is_applied_when_the_worker_starts(tmp_path: Path) -> None:
    """A new worker removes what has become too old, without being asked."""
    folder = workers.make_project(tmp_path / "project", "retention = 0.00001\n")
    with workers.worker(folder) as client:
        write(client, "x = 1", "print(x)")
        (run,) = _runs(client, "1")
    time.sleep(1)  # until the run is older than the setting, about a second
    with workers.worker(folder):
        client = connect(folder)
        for event in client.events(0, beat=5):
            if event and event.kind == "sweep" and event.data.get("deleted"):
                break
        assert client.call(ops.LIST_RUNS, query=m.RunsQuery()) == []
        assert not (folder / str(run.output)).exists()


def test_doctor_tells_what_takes_space(client: Client) -> None:
    """One line names every kind."""
    (found,) = [each for each in client.call(ops.DOCTOR, timeout=120) if each.name == "disk"]
    for kind in ("runs", "artifacts", "snapshots", "journals", "logs", "store"):
        assert f"{kind} " in found.message
