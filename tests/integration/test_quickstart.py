"""The five-minute tour, as a run on one core: a notebook that sweeps, ranks and registers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.core.runs import Status, SweepKind
from tests.support import workers

EXAMPLE = Path(__file__).parents[2] / "example_notebooks"


@pytest.mark.slow
def test_the_tour_works_as_a_run_on_one_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It prepares, sweeps and registers from within a run that holds the only core."""
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "1")
    folder = tmp_path / "tour"
    shutil.copytree(
        EXAMPLE, folder, ignore=shutil.ignore_patterns("runs", ".mlops", "__pycache__", ".dvc")
    )
    with workers.worker(folder) as client:
        body = m.SubmitRequest(
            notebook="quickstart.ipynb",
            kind=SweepKind.RUN,
            space={"source": "sample", "max_iter": "10"},
        )
        sweep = workers.wait_for(client, client.call(ops.SUBMIT, body=body).id)
        (run,) = workers.runs(client, sweep.id)
        assert run.status is Status.SUCCEEDED, run.error
        done = client.call(ops.LIST_SWEEPS, query=m.ListQuery())
        assert {s.status for s in done} == {Status.SUCCEEDED}
        assert {s.notebook for s in done} == {
            "quickstart.ipynb",
            "01_prepare.ipynb",
            "02_train.ipynb",
        }
        (version, *_) = client.call(ops.LIST_MODELS)
        trained = next(s for s in done if s.notebook == "02_train.ipynb")
        assert trained.best is not None
        assert version.run_id == trained.best.run_id
