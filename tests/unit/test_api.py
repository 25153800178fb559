"""The Python API as far as it needs no worker."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jupyter_mlops as mlops
from jupyter_mlops import api
from jupyter_mlops.app.caller import caller_environment, locate
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import InvalidInput, RunFailed, SpaceTooLarge
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.results.runs import frame
from tests.support.notebooks import write_notebook
from tests.support.views import run_view


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook in a project of its own."""
    (tmp_path / "mlops.toml").touch()
    return write_notebook(tmp_path / "train.ipynb", "depth = 3")


def test_every_name_is_there_and_documented() -> None:
    """What the package offers can be had, and says what it does."""
    for name in mlops.__all__:
        value = getattr(mlops, name)
        assert inspect.getdoc(value), name
    assert set(mlops.__all__) <= set(dir(mlops))


def test_unknown_names() -> None:
    """A name that does not exist is an AttributeError, as in every module."""
    with pytest.raises(AttributeError, match="no attribute 'sweeep'"):
        mlops.sweeep  # noqa: B018


def test_functions_are_annotated() -> None:
    """Every parameter of the API has a type."""
    for name in (
        "sweep",
        "run",
        "explain",
        "runs",
        "log",
        "track",
        "models",
        "register",
        "get",
        "space",
    ):
        function = getattr(mlops, name)
        hints = inspect.signature(function).parameters.values()
        assert all(each.annotation is not inspect.Parameter.empty for each in hints), name


def test_import_is_light() -> None:
    """Importing the package imports the standard library at most."""
    code = (
        "import sys; before = set(sys.modules); import jupyter_mlops;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "sys.exit(', '.join(sorted(new - sys.stdlib_module_names - {'jupyter_mlops'})) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("space", "mode"),
    [
        ({"depth": range(10**9)}, "grid"),
        ({"depth": range(200), "rate": np.linspace(0, 1, 100)}, "grid"),
        ({"depth": range(20_000)}, "random"),
        ({"depth": range(20_000)}, "zip"),
    ],
)
def test_large_spaces_are_refused_at_once(
    notebook: Path, space: dict[str, object], mode: str
) -> None:
    """Too many points are counted and refused before any is made, and before a worker starts."""
    with pytest.raises(SpaceTooLarge, match="limit of 10,000"):
        api.sweep(notebook, space, mode=mode, samples=5)  # type: ignore[arg-type]
    assert not (notebook.parent / ".mlops").exists()


def test_spaces_for_a_sampler(notebook: Path) -> None:
    """It is given ranges as they are, however long, and what is written as in a shell."""
    space = {"x": range(0, 10**9, 2), "rate": mlops.space("log(1e-4,1,5)"), "kind": ["a", "b"]}
    made = api._space(space, find_project(notebook), "search")
    assert made["space"] == {"x": "0..999999998..2", "rate": "log(1e-4,1,5)"}
    assert made["values"] == {"x": [], "rate": [], "kind": ["a", "b"]}
    assert list(made["values"]) == list(space)


def test_unknown_sampler(notebook: Path) -> None:
    """There are two, and one rule of pruning."""
    with pytest.raises(InvalidInput, match="sampler: 'best' is none of tpe, random"):
        api.sweep(notebook, {}, sampler="best", trials=3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="prune: 'median' is none of asha"):
        api.sweep(notebook, {}, prune="median")  # type: ignore[arg-type]


def test_unknown_options(notebook: Path) -> None:
    """A misspelt option is no parameter."""
    with pytest.raises(InvalidInput, match="There is no option cpu"):
        api.sweep(notebook, {}, cpu=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", Path("x"), object()])
def test_values_that_no_notebook_could_receive(notebook: Path, value: object) -> None:
    """What would reach the notebook as text is refused with what to pass instead."""
    with pytest.raises(InvalidInput, match="would not reach the notebook as it is"):
        api.run(notebook, depth=value)


def test_unknown_status() -> None:
    """Runs are listed by one of five states."""
    with pytest.raises(InvalidInput, match="none of queued, running, succeeded"):
        api.runs(status="done")


def test_errors_are_one_line_in_a_cell() -> None:
    """IPython shows our errors without a traceback."""
    assert InvalidInput("Too small.")._render_traceback_() == ["Error: Too small."]


def test_failures_are_raised() -> None:
    """A failed run says where, why and where to look; one that goes on or is well says nothing."""
    api.raise_for_failure(run_view())
    api.raise_for_failure(run_view(status=Status.RUNNING))
    failed = run_view(status=Status.FAILED, reason=Reason.ERROR, error="ValueError: bad lr", cell=5)
    with pytest.raises(RunFailed, match=r"^train.ipynb failed at cell 5: ValueError: bad lr \(see"):
        api.raise_for_failure(failed)
    cancelled = run_view(status=Status.CANCELLED, reason=Reason.USER)
    with pytest.raises(RunFailed, match=r"^train.ipynb was cancelled \(see"):
        api.raise_for_failure(cancelled)


def test_frame() -> None:
    """Parameters, metrics, status and duration become columns; what a run lacks is missing."""
    made = frame(
        [
            run_view(1, parameters={"depth": 1, "status": "x"}, metrics={"depth": 0.5}),
            run_view(2, parameters={"depth": 2}, metrics={"loss": {"$float": "nan"}}),
        ]
    )
    assert isinstance(made, pd.DataFrame)
    assert list(made.columns) == [
        "depth",
        "parameters.status",
        "metrics.depth",
        "loss",
        "status",
        "duration",
    ]
    assert list(made.index) == ["k3m9x2ab-1", "k3m9x2ab-2"]
    assert made.loc["k3m9x2ab-1", "metrics.depth"] == 0.5
    assert math.isnan(made.loc["k3m9x2ab-2", "loss"])
    assert list(made["status"]) == ["succeeded", "succeeded"]


def test_no_runs_make_an_empty_frame() -> None:
    """No runs are no error."""
    assert frame([]).empty


def test_locating_notebooks(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook is found from the current folder, with or without its suffix."""
    (notebook.parent / "nested").mkdir()
    monkeypatch.chdir(notebook.parent / "nested")
    assert locate("../train.ipynb")[1] == "train.ipynb"
    assert locate("../train")[1] == "train.ipynb"
    assert locate(notebook)[0].root == notebook.parent.resolve()


def test_environment_of_the_caller() -> None:
    """Runs get the caller's variables, but not what belongs to its kernel, run or interpreter."""
    kept = {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "0", "PYTHONPATH": "/lib", "MPLBACKEND": "Agg"}
    own = {
        "JPY_PARENT_PID": "1",
        "JUPYTER_MLOPS_ATTEMPT": "a-1.1",
        "MLFLOW_RUN_ID": "0",
        "PYTHONHOME": "/usr",
        "COLUMNS": "80",
    }
    assert caller_environment(kept | own) == kept
    assert caller_environment({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}) == {}
