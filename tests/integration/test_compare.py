"""Runs are compared: their values, their curves, their notebooks and their plots."""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import jupyter_mlops as mlops
from jupyter_mlops.app import messages as m
from jupyter_mlops.app import search_operations as ops
from jupyter_mlops.app.cell_diffs import compare_notebooks
from jupyter_mlops.app.client import Client
from jupyter_mlops.cli import main
from jupyter_mlops.core.exceptions import InvalidInput, NotebookUnreadable, NotFound
from jupyter_mlops.core.values import decode
from tests.support import workers
from tests.support.kernels import kernel
from tests.support.notebooks import tag, write_notebook

needs_nbdime = pytest.mark.skipif(
    importlib.util.find_spec("nbdime") is None, reason="nbdime is not installed (extra diff)"
)

#: A cell that puts out an image which depends on x, and a hostile SVG.
PLOT = """
import base64
from IPython.display import publish_display_data
pixel = bytes([x]) * 30
publish_display_data({'image/png': base64.b64encode(pixel).decode(), 'text/plain': 'a plot'})
publish_display_data({'image/svg+xml': f'<svg><script>alert({x})</script></svg>'})
"""
LOG = (
    "for step in range(5):\n    log('loss', 1 / (x + step), step)\nlog('nan', {'$float': 'nan'}, 0)"
)
FAIL = "if x == 3:\n    raise ValueError('no')"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker that has carried out a sweep of three runs, of which the last failed."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"))
    with workers.worker(folder) as made:
        path = workers.write(
            made, "x: int = 1", workers.LOG_METRIC, LOG, FAIL, PLOT, "print('x is', x)"
        )
        tag(path, 5, name="plot")
        yield made


@pytest.fixture(scope="module")
def sweep(client: Client) -> m.SweepView:
    """The sweep."""
    made = workers.submit(client, space={"x": "1,2,3"}, metric="loss", maximize=False)
    return workers.wait_for(client, made.id)


@pytest.fixture
def here(client: Client, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as the current folder."""
    monkeypatch.chdir(client.project.root)
    return client.project.root


def test_side_by_side(client: Client, sweep: m.SweepView) -> None:
    """A sweep stands for its runs, best first, then those that failed; what differs is first."""
    view = client.call(ops.COMPARE_RUNS, body=m.CompareRequest(ids=[sweep.id]))
    assert [run.index for run in view.runs] == [2, 1, 3]
    assert view.total == 3
    assert [(row.name, row.differs) for row in view.parameters] == [("x", True)]
    assert [(row.name, row.differs) for row in view.metrics] == [("loss", True), ("nan", False)]
    assert view.parameters[0].values == {run.id: run.index for run in view.runs}
    assert all(math.isnan(decode(each)) for each in view.metrics[1].values.values())
    facts = {row.name: row for row in view.facts}
    assert facts["status"].differs
    assert facts["status"].values[f"{sweep.id}-3"] == "failed"
    assert facts["error"].values == {f"{sweep.id}-3": "ValueError: no"}
    assert not facts["notebook_hash"].differs
    assert "python" in facts
    names = [row.name for row in view.facts]
    assert names.index("status") < names.index("notebook_hash")


def test_runs_and_sweeps_are_counted_once(client: Client, sweep: m.SweepView) -> None:
    """A run that is named twice, or with its sweep, is there once."""
    ids = [f"{sweep.id}-2", sweep.id, f"{sweep.id}-2"]
    view = client.call(ops.COMPARE_RUNS, body=m.CompareRequest(ids=ids))
    assert [run.index for run in view.runs] == [2, 1, 3]
    assert view.total == 3


@pytest.mark.parametrize("wrong", ["zzzzzzzz", "zzzzzzzz-1", "../x"])
def test_unknown_runs(client: Client, wrong: str) -> None:
    """What does not exist is not found."""
    for operation in (ops.COMPARE_RUNS, ops.COMPARE_CURVES):
        key = {"key": "loss"} if operation is ops.COMPARE_CURVES else {}
        assert operation.body is not None
        with pytest.raises(NotFound):
            client.call(operation, body=operation.body(ids=[wrong], **key))  # type: ignore[call-arg]


def test_curves(client: Client, sweep: m.SweepView) -> None:
    """A metric's values by step come for all runs together, thinned to what is asked for."""
    body = m.CurvesRequest(ids=[f"{sweep.id}-1", f"{sweep.id}-2"], key="loss", points=3)
    view = client.call(ops.COMPARE_CURVES, body=body)
    assert [line.run_id for line in view.series] == body.ids
    assert [line.steps for line in view.series] == [[0, 2, 4]] * 2
    assert view.series[0].values == [1.0, 1 / 3, 0.2]
    assert view.notes == []
    missing = client.call(ops.COMPARE_CURVES, body=m.CurvesRequest(ids=[sweep.id], key="none"))
    assert missing.series == []


def test_a_gallery(client: Client, sweep: m.SweepView) -> None:
    """The images of a cell come for all runs, best first; who has none says why."""
    view = client.call(ops.SWEEP_GALLERY, sweep_id=sweep.id, query=m.GalleryQuery())
    assert (view.total, view.cell) == (3, 6)
    assert [(cell.cell, cell.tags) for cell in view.cells] == [(6, ["plot"])]
    assert view.cells[0].title == "import base64"
    assert [item.run.index for item in view.items] == [2, 1, 3]
    second, _, failed = view.items
    assert failed.images == []
    assert failed.problem == "The cell put out no image; the run is failed."
    assert [image.mime for image in second.images] == ["image/png", "image/svg+xml"]
    assert second.images[0].size == 30
    assert second.images[1].data == "<svg><script>alert(2)</script></svg>"
    tagged = m.GalleryQuery(tag="plot", limit=1, offset=1)
    view = client.call(ops.SWEEP_GALLERY, sweep_id=sweep.id, query=tagged)
    assert [(item.run.index, len(item.images)) for item in view.items] == [(1, 2)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"cell": 99}, "There is no code cell 99: the notebook has 7."),
        ({"tag": "none"}, 'No code cell has the tag "none".'),
        ({"cell": 1, "tag": "plot"}, "not both"),
    ],
)
def test_no_such_cell(
    client: Client, sweep: m.SweepView, query: dict[str, int | str], message: str
) -> None:
    """A cell that does not exist is refused, with what there is."""
    asked = m.GalleryQuery(**query)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=message):
        client.call(ops.SWEEP_GALLERY, sweep_id=sweep.id, query=asked)


@needs_nbdime
def test_cells(client: Client, sweep: m.SweepView) -> None:
    """Output notebooks are compared cell by cell: sources, texts and images, not times and ids."""
    body = m.CellsRequest(left=f"{sweep.id}-1", right=f"{sweep.id}-2")
    view = client.call(ops.COMPARE_CELLS, body=body)
    changes = [(cell.change, cell.left, cell.right, cell.title) for cell in view.cells]
    assert changes == [
        ("same", 1, 1, "x: int = 1"),
        ("changed", 2, 2, "# Parameters"),
        ("same", 3, 3, "from IPython.display import publish_display_data"),
        ("same", 4, 4, "for step in range(5):"),
        ("same", 5, 5, "if x == 3:"),
        ("changed", 6, 6, "import base64"),
        ("changed", 7, 7, "print('x is', x)"),
    ]
    injected, plot, printed = view.cells[1], view.cells[5], view.cells[6]
    assert [(line.change, line.text) for line in injected.source] == [
        ("same", "# Parameters"),
        ("removed", "x = 1"),
        ("added", "x = 2"),
    ]
    first = plot.outputs[0]
    assert first.left is not None
    assert first.right is not None
    assert (first.left.mime, first.left.size) == ("image/png", 30)
    assert first.left.image != first.right.image
    assert [(line.change, line.text) for line in printed.outputs[0].lines] == [
        ("removed", "x is 1"),
        ("added", "x is 2"),
    ]


@needs_nbdime
async def test_cells_that_only_one_has(tmp_path: Path) -> None:
    """Cells that were added or removed are told as such, with what they put out."""
    left = write_notebook(tmp_path / "left.ipynb", "a = 1", "def f():\n    return 1", "f() + 2")
    right = write_notebook(tmp_path / "right.ipynb", "a = 1", "f() + 2", "print('new cell')")
    notebook = nbformat.read(right, as_version=4)
    for cell, name in zip(notebook.cells, ("c0", "c2", "new"), strict=True):
        cell.id = name
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="new cell\n")]
    nbformat.write(notebook, right)
    cells = await compare_notebooks(left, right)
    assert [(cell.change, cell.left, cell.right) for cell in cells] == [
        ("same", 1, 1),
        ("removed", 2, None),
        ("same", 3, 2),
        ("added", None, 3),
    ]
    assert [line.change for line in cells[1].source] == ["removed", "removed"]
    assert cells[3].outputs[0].change == "added"
    assert [line.text for line in cells[3].outputs[0].lines] == ["new cell"]


@needs_nbdime
async def test_a_long_text_is_cut_but_differs(tmp_path: Path) -> None:
    """Texts that are equal as far as they are compared still differ by what follows."""
    paths = []
    for name, end in (("left", "a"), ("right", "b")):
        path = write_notebook(tmp_path / f"{name}.ipynb", "print()")
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="x" * 200_000 + end)]
        nbformat.write(notebook, path)
        paths.append(path)
    (cell,) = await compare_notebooks(*paths)
    assert cell.change == "changed"
    removed, added = [line.text for line in cell.outputs[0].lines if line.change != "same"]
    assert removed.startswith("… 200,001 characters, sha256 ")
    assert added != removed


@needs_nbdime
async def test_a_damaged_notebook(tmp_path: Path) -> None:
    """It is named in one line."""
    left = write_notebook(tmp_path / "left.ipynb", "a = 1")
    with pytest.raises(NotebookUnreadable, match=r"gone\.ipynb: there is no such notebook"):
        await compare_notebooks(left, tmp_path / "gone.ipynb")


def test_without_nbdime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nbdime is missing, one line says how to get it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    coroutine = compare_notebooks(tmp_path / "a.ipynb", tmp_path / "b.ipynb")
    with pytest.raises(InvalidInput, match=r'pip install "jupyter-mlops\[diff\]"'):
        coroutine.send(None)


def test_commands(here: Path, sweep: m.SweepView, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in a shell, as tables and as JSON without NaN."""
    runs = [f"{sweep.id}-1", f"{sweep.id}-2"]
    assert main(["runs", "compare", *runs]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 runs · 1 of 1 parameter differs · 1 of 2 metrics differs"
    assert lines[2].split() == ["params.x", "≠", "1", "2"]
    assert main(["runs", "compare", sweep.id, "--json"]) == 0
    record = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [row["name"] for row in record["parameters"]] == ["x"]
    assert main(["runs", "compare", sweep.id, "--curve", "loss"]) == 0
    assert capsys.readouterr().out.startswith("loss of 3 runs by step\n")
    assert main(["runs", "compare", sweep.id, "--gallery", "plot"]) == 0
    assert "image/png 30 B, image/svg+xml 36 B" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{id}", "--cells"], "Two runs' notebooks are compared, not 3's. Name two runs."),
        (["{id}-1", "--gallery", "5"], "--gallery shows one sweep. Name it alone."),
        (["{id}", "--cells", "--curve", "loss"], "Choose one of --curve, --cells and --gallery."),
        ([], "Missing argument 'ID...'"),
    ],
)
def test_bad_usage(
    here: Path,
    sweep: m.SweepView,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    """What cannot be compared is refused in one line."""
    given = [each.format(id=sweep.id) for each in arguments]
    assert main(["runs", "compare", *given]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_in_python(here: Path, sweep: m.SweepView) -> None:
    """The API compares by ids and by what it has returned before."""
    found = mlops.get(sweep.id)
    assert isinstance(found, mlops.SweepResult)
    comparison = mlops.compare(found)
    assert list(comparison.frame.loc[("params", "x")])[1:] == [2, 1, 3]
    curves = comparison.curves("loss")
    assert curves.frame.loc[4, f"{sweep.id}-1"] == 0.2
    assert curves._repr_html_().count("<svg ") == 1
    parallel, loss = comparison._repr_html_().split("<svg ")[1:]
    assert 'aria-label="3 runs as lines through x, loss"' in parallel
    assert 'aria-label="loss of 3 runs by step"' in loss
    gallery = found.gallery("plot")
    assert gallery._repr_html_().count("<img ") == 4
    assert "alert" not in gallery._repr_html_()
    assert os.path.relpath(here) == "."


def test_in_a_cell(client: Client, sweep: m.SweepView) -> None:
    """``%mlops runs compare`` shows table, parallel coordinates and curves, and returns them."""
    with kernel(client.project.root) as cells:
        assert cells.run("%load_ext jupyter_mlops").error is None
        shown = cells.run(f"%mlops runs compare {sweep.id}").result
        assert shown["text/plain"].startswith("3 runs · 1 of 1 parameter differs")
        table, parallel, loss = shown["text/html"].split("<svg ")
        assert "params.x" in table
        assert 'aria-label="3 runs as lines through x, loss"' in parallel
        assert 'aria-label="loss of 3 runs by step"' in loss
        cells.run(f"curves = %mlops runs compare {sweep.id} --curve loss")
        assert cells.run("curves.frame.shape").result["text/plain"] == "(5, 3)"
        gallery = cells.run(f"%mlops runs compare {sweep.id} --gallery plot").result["text/html"]
        assert gallery.count("<img ") == 4
        assert "alert" not in gallery
        refused = cells.run("%mlops runs compare zzzzzzzz")
        assert refused.error is not None
        assert len(refused.error["traceback"]) == 1


@needs_nbdime
def test_notebooks_in_a_cell(client: Client, sweep: m.SweepView) -> None:
    """``%mlops runs compare --cells`` shows what differs between two output notebooks."""
    with kernel(client.project.root) as cells:
        assert cells.run("%load_ext jupyter_mlops").error is None
        shown = cells.run(f"%mlops runs compare {sweep.id}-1 {sweep.id}-2 --cells").result
        assert "x is 1" in shown["text/plain"]
        assert "x is 2" in shown["text/html"]


def test_plain_mlflow(client: Client) -> None:
    """Metrics of plain mlflow calls are searched and compared like our own, and have curves."""
    workers.write(
        client,
        "x: int = 1",
        "import mlflow\n"
        "for step in range(3):\n"
        "    mlflow.log_metric('plain', x * 10 + step, step=step)\n"
        "mlflow.log_metric('endless', float('inf'))\n"
        "mlflow.set_tags({'owner': 'team a', 'year': 2026 + x})",
        name="plain.ipynb",
    )
    made = workers.submit(client, notebook="plain.ipynb", space={"x": "1,2"})
    sweep = workers.wait_for(client, made.id)
    assert sweep.counts.succeeded == 2
    where = "metrics.plain > 20 and metrics.endless = inf"
    query = m.SearchQuery(where=where, sort="-metrics.plain")
    page = client.call(ops.SEARCH_RUNS, query=query)
    assert [(run.sweep_id, run.index, run.metrics["plain"]) for run in page.runs] == [
        (sweep.id, 2, 22.0)
    ]
    for where, index in (
        ("tags.owner = 'team a' and tags.year = '2027'", [1]),
        ("tags.owner like 'TEAM%'", [1, 2]),
        ("tags.owner = null", []),
    ):
        query = m.SearchQuery(where=where, sweep=sweep.id, sort="tags.year")
        assert [run.index for run in client.call(ops.SEARCH_RUNS, query=query).runs] == index
    curves = client.call(ops.COMPARE_CURVES, body=m.CurvesRequest(ids=[sweep.id], key="plain"))
    assert [line.values for line in curves.series] == [[10.0, 11.0, 12.0], [20.0, 21.0, 22.0]]
