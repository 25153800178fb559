"""What cells usually take, what sharing them saves, and which ones an attempt shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.sharing import by_cell, saved, usual_times
from jupyter_mlops.app.tasks import make_task
from jupyter_mlops.core.runs import Resume
from jupyter_mlops.notebooks.sharing import CodeCell
from tests.support.records import a_sweep
from tests.support.tracked import a_run, an_attempt

CELLS = [
    CodeCell(source="import this"),
    CodeCell(source="x = 1", tags=frozenset({"parameters"})),
    CodeCell(source="load()"),
]


def test_the_injected_cell_is_left_out() -> None:
    """It stands behind the parameters cell, or first; without parameters there is none."""
    assert by_cell(CELLS, [1.0, 2.0, 99.0, 3.0]) == [1.0, 2.0, 3.0]
    assert by_cell(CELLS, [1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]
    assert by_cell(CELLS[2:], [99.0, 3.0]) == [3.0]


@pytest.mark.parametrize("times", [[], [1.0, 2.0], [1.0] * 5])
def test_runs_with_other_cells_tell_nothing(times: list[float]) -> None:
    """A run that stopped early, or of another notebook, is not measured by."""
    assert by_cell(CELLS, times) is None


def test_the_median_counts() -> None:
    """Cells are known by their text, whatever else in the notebook has changed since."""
    measured = [{"load()": 1.0}, {"load()": 50.0, "x = 1": 0.5}, {"load()": 2.0}, {}]
    assert usual_times(CELLS, measured) == [None, 0.5, 2.0]


def test_what_is_saved() -> None:
    """Runs in turn save a cell's time each but once; those that go side by side save nothing."""
    assert saved(1.0, runs=48, slots=2) == 23.0
    assert saved(1.0, runs=5, slots=1) == 4.0
    assert saved(1.0, runs=2, slots=2) == 0.0
    assert saved(0.0, runs=100, slots=1) == 0.0


@pytest.mark.parametrize(("digest", "shared"), [(None, (1, 2)), ("0" * 64, (1, 2)), ("f" * 64, ())])
def test_an_attempt_shares_cells_of_the_notebook_that_was_submitted(
    tmp_path: Path, digest: str | None, shared: tuple[int, ...]
) -> None:
    """In a notebook that has changed since, there may be other cells at their positions."""
    (tmp_path / "mlops.toml").touch()
    project = find_project(tmp_path)
    (project.state / "logs").mkdir(parents=True)
    sweep = a_sweep(context={"shared": [1, 2]})
    resume = Resume(cell=3, attempt="a", notebook_hash=digest) if digest is not None else None
    run = a_run(sweep, resume=resume)
    assert make_task(project, sweep, run, an_attempt(run), {}).shared == shared
