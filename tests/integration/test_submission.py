"""What is asked before a sweep runs, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import (
    InvalidInput,
    KernelMissing,
    MlopsError,
    NotAllowedPath,
    NotebookUnreadable,
    SpaceTooLarge,
    UnknownParameter,
)
from jupyter_mlops.core.runs import SweepKind
from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.support.workers import LOG_METRIC, submit, wait_for, write


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of the worker of an empty project."""
    with workers.worker(workers.make_project(tmp_path / "project")) as made:
        yield made


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ({"notebook": "gone.ipynb"}, NotebookUnreadable, "no such notebook"),
        ({"notebook": "broken.ipynb"}, NotebookUnreadable, "broken.ipynb"),
        ({"notebook": "../secret.ipynb"}, NotAllowedPath, "outside"),
        ({"space": {"y": "1"}}, UnknownParameter, "x"),
        ({"space": {"x": "log(1,2"}}, InvalidInput, "parenthesis"),
        ({"space": {"x": "1..1000000000"}}, SpaceTooLarge, "1,000,000,000"),
        ({"kernel": "julia-9"}, KernelMissing, "python3"),
        ({"executor": "slurm"}, InvalidInput, "local"),
        ({"cpus": 1000}, InvalidInput, "1000"),
        ({"gpus": 9}, InvalidInput, "gpus"),
        ({"memory": 10**15}, InvalidInput, "GB"),
        ({"kind": SweepKind.RUN, "space": {"x": "1,2"}}, InvalidInput, "sweep"),
        ({"values": {"x": [2**70]}}, InvalidInput, "64 bits"),
    ],
)
def test_what_cannot_run_is_refused_at_once(
    shared_client: Client, request_: dict[str, object], error: type[MlopsError], words: str
) -> None:
    """One line that says what is wrong, and nothing is queued."""
    with pytest.raises(error, match=words) as refused:
        submit(shared_client, **request_)
    assert "\n" not in refused.value.message
    assert shared_client.call(ops.LIST_SWEEPS, query=m.ListQuery()) == []


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker for tests that leave nothing behind."""
    folder = workers.make_project(tmp_path_factory.mktemp("shared") / "project")
    write_notebook(folder / "train.ipynb", "x: int = 1")
    write_notebook(folder.parent / "secret.ipynb", "x = 1")
    (folder / "broken.ipynb").write_text('{"cells": [', "utf-8")
    with workers.worker(folder) as made:
        yield made


def test_the_form_learns_from_earlier_sweeps(client: Client) -> None:
    """Types and defaults come from the cell; space, metric and durations from the last sweep."""
    write(client, "x: int = 1  # how deep\npassword = 'hunter2'", LOG_METRIC + "log('auc', x, 0)")
    fresh = client.call(ops.PARAMETERS, query=m.NotebookQuery(notebook="train.ipynb"))
    assert (fresh.parameters[0].name, fresh.parameters[0].default_text) == ("x", "1")
    assert "hunter2" not in str(fresh)
    assert (fresh.last_space, fresh.seconds_per_run, fresh.metrics) == (None, None, [])
    space = {"x": "1,2", "password": "'s3cret'"}
    sweep = wait_for(client, submit(client, space=space, metric="auc").id)
    assert "s3cret" not in str(workers.runs(client, sweep.id))
    learned = client.call(ops.PARAMETERS, query=m.NotebookQuery(notebook="train.ipynb"))
    assert learned.last_space is not None
    assert learned.last_space["x"] == "1,2"
    assert learned.metrics == ["auc"]
    assert learned.seconds_per_run is not None
    preview = client.call(
        ops.PREVIEW, body=m.SpaceRequest(notebook="train.ipynb", space={"x": "1..4"})
    )
    assert (preview.count, preview.errors) == (4, {})
    assert preview.seconds is not None
    wrong = client.call(
        ops.PREVIEW, body=m.SpaceRequest(notebook="train.ipynb", space={"x": "1,two"})
    )
    assert wrong.count is None
    assert list(wrong.errors) == ["x"]
