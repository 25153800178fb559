"""Runs side by side: what differs, and how it is told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.comparing import common_steps, flattened, side_by_side, thinned
from jupyter_mlops.core.values import encode
from jupyter_mlops.reports import as_text
from jupyter_mlops.reports import comparing as reports
from jupyter_mlops.results import CellDiffs, Comparison, Curves, Gallery
from tests.support.views import run_view


def a_comparison(number: int = 2, **changes: Any) -> m.CompareView:
    """A comparison of runs whose depth differs."""
    runs = [run_view(index) for index in range(1, number + 1)]
    depth = {run.id: run.index for run in runs}
    fields: dict[str, Any] = {
        "runs": runs,
        "total": number,
        "parameters": [
            m.CompareRow("depth", True, depth),
            m.CompareRow("seed", False, dict.fromkeys(depth, 0)),
        ],
        "metrics": [m.CompareRow("auc", True, {runs[0].id: {"$float": "nan"}})],
        "facts": [
            m.CompareRow("git.commit", True, dict.fromkeys(depth, "0123456789abcdef")),
            m.CompareRow("status", False, dict.fromkeys(depth, "succeeded")),
            m.CompareRow("peak_memory", True, dict.fromkeys(depth, 2_500_000)),
            m.CompareRow("kernel", False, dict.fromkeys(depth, "python3")),
        ],
    }
    return m.CompareView(**fields | changes)


def test_what_differs_comes_first() -> None:
    """A value of another type differs, and so does one that only some have; NaN equals itself."""
    rows = side_by_side(
        {
            "a": {"same": 1, "nan": math.nan, "type": 1, "some": 0},
            "b": {"same": 1, "nan": math.nan, "type": 1.0, "auc": 0.5},
        },
        first="auc",
    )
    assert [(row.name, row.differs) for row in rows] == [
        ("auc", True),
        ("type", True),
        ("some", True),
        ("same", False),
        ("nan", False),
    ]
    assert rows[0].values == {"b": 0.5}


def test_nested_facts() -> None:
    """Facts are named by their path; lists are no facts."""
    facts = {"git": {"commit": "a", "dirty": True}, "shared": [1], "python": "3.12", "none": None}
    assert flattened(facts) == {
        "git.commit": "a",
        "git.dirty": True,
        "python": "3.12",
        "none": None,
    }


@given(st.lists(st.integers()), st.integers(2, 50))
def test_thinned(points: list[int], most: int) -> None:
    """A curve keeps its ends, its order, and as many points as it may have."""
    found = thinned(points, most)
    assert len(found) == min(len(points), most)
    assert found[:1] == points[:1]
    assert found[-1:] == points[-1:]
    indexed = thinned(list(range(len(points))), most)
    assert indexed == sorted(set(indexed))


def test_common_steps() -> None:
    """Steps of several curves are joined."""
    assert common_steps([[1, 3], [2, 3, 9]], 10) == [1, 2, 3, 9]


def test_few_runs_are_columns() -> None:
    """Of a few runs each has a column, and what differs is above what is the same."""
    report = reports.comparison_report(a_comparison())
    assert report.headline == "2 runs · 1 of 2 parameters differs · 1 of 1 metric differs"
    assert report.table is not None
    assert [column.title for column in report.table.columns][2:] == ["k3m9x2ab-1", "k3m9x2ab-2"]
    assert report.table.rows == (
        ("params.depth", "≠", "1", "2"),
        ("metrics.auc", "≠", "nan", "·"),
        ("git.commit", "≠", "0123456789ab", "0123456789ab"),
        ("peak_memory", "≠", "2.5 MB", "2.5 MB"),
        ("params.seed", "=", "0", "0"),
        ("status", "=", "succeeded", "succeeded"),
    )
    cells = "mlops runs compare k3m9x2ab-1 k3m9x2ab-2 --cells"
    assert report.hints == (("Compare the notebooks", cells),)


def test_many_runs_are_rows() -> None:
    """Of many runs each has a row with what differs, and what is the same is told once."""
    report = reports.comparison_report(a_comparison(40, total=300))
    assert report.headline.startswith("The first 40 of 300 runs · ")
    assert report.details == ("The same in all: seed=0", "The first 30 of 40 runs:")
    assert report.table is not None
    assert [column.title for column in report.table.columns] == [
        "run",
        "status",
        "depth",
        "auc",
        "duration",
    ]
    assert len(report.table.rows) == 30


def test_curves() -> None:
    """Curves stand side by side by step, as a table and as a DataFrame; NaN is itself."""
    lines = [
        m.MetricSeries("a-1", "loss", [1, 2, 2], [0.5, 0.4, encode(math.nan)], [0.0, 0.0, 0.0]),
        m.MetricSeries("a-2", "loss", [2, 3], [0.25, encode(math.inf)], [0.0, 0.0]),
    ]
    curves = Curves(m.CurvesView(key="loss", series=lines, notes=["A note."]))
    report = curves.report()
    assert report.headline == "loss of 2 runs by step"
    assert report.details == ("A note.",)
    assert report.table is not None
    assert report.table.rows == (("1", "0.5", ""), ("2", "nan", "0.25"), ("3", "", "inf"))
    frame = curves.frame
    assert list(frame.index) == [1, 2, 3]
    assert frame.loc[3, "a-2"] == math.inf
    assert math.isnan(frame.loc[2, "a-1"])
    none = Curves(m.CurvesView(key="loss", series=[], notes=[]))
    assert none.report().headline == "No run has a metric loss."


def test_a_frame(tmp_path: Path) -> None:
    """A comparison as a DataFrame has a row for each value and a column for each run."""
    (tmp_path / "mlops.toml").touch()
    frame = Comparison(find_project(tmp_path), a_comparison()).frame
    assert list(frame.columns) == ["differs", "k3m9x2ab-1", "k3m9x2ab-2"]
    assert list(frame.loc[("params", "depth")]) == [True, 1, 2]
    assert math.isnan(frame.loc[("metrics", "auc"), "k3m9x2ab-1"])


HOSTILE = "<script>alert(1)</script>"


def a_cell(**changes: Any) -> m.CellDiff:
    """A cell whose source and output changed."""
    left = m.OutputSide(mime="stream/stdout", size=4, text="one\n")
    right = m.OutputSide(mime="stream/stdout", size=4, text=HOSTILE)
    lines = [m.DiffLine("removed", "one"), m.DiffLine("added", HOSTILE)]
    fields: dict[str, Any] = {
        "change": "changed",
        "cell_type": "code",
        "left": 2,
        "right": 3,
        "title": HOSTILE,
        "source": [m.DiffLine("same", "x = 1"), m.DiffLine("added", HOSTILE)],
        "outputs": [m.OutputDiff(change="changed", left=left, right=right, lines=lines)],
    }
    return m.CellDiff(**fields | changes)


def test_cells() -> None:
    """Cells that differ are told line by line; in HTML every text is escaped."""
    same = a_cell(change="same", left=1, right=1, source=[], outputs=[])
    diff = CellDiffs(m.CellsView(left="a-1", right="a-2", cells=[same, a_cell()]))
    assert as_text(diff.report()).splitlines() == [
        "a-1 and a-2: 1 of 2 cells differs",
        f"Cell 2 → 3 (code) changed: {HOSTILE}",
        "    x = 1",
        f"  + {HOSTILE}",
        "  output changed: stream/stdout",
        "    - one",
        f"    + {HOSTILE}",
    ]
    shown = diff._repr_html_()
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown


def a_gallery(*images: m.ImageView, problem: str | None = None) -> Gallery:
    """A gallery of one run."""
    run = run_view(1, parameters={"name": HOSTILE})
    item = m.GalleryItem(run=run, images=list(images), problem=problem)
    cells = [m.GalleryCell(cell=number, tags=[], title="") for number in (2, 3)]
    return Gallery(m.GalleryView(sweep_id="s", cell=3, items=[item], total=9, cells=cells))


def test_a_gallery_is_images_only() -> None:
    """An SVG is an image, so that no script in it runs; captions are escaped."""
    svg = m.ImageView(mime="image/svg+xml", size=9, data=f"<svg>{HOSTILE}</svg>")
    png = m.ImageView(mime="image/png", size=9, data='iVBO"\n><script>')
    shown = a_gallery(svg, png)._repr_html_()
    assert "<script>" not in shown
    assert "<svg" not in shown
    assert shown.count("<img ") == 2
    assert 'src="data:image/svg+xml;base64,PHN2Zz4' in shown


@pytest.mark.parametrize("size", [10_000_000, 20])
def test_a_gallery_tells_what_is_missing(size: int) -> None:
    """A run without an image says why; one that is too large is told by its size."""
    report = a_gallery(m.ImageView(mime="image/png", size=size, data=None)).report()
    assert report.headline == "Cell 3 of 9 runs"
    assert report.details == ("Cells with images besides: 2",)
    assert report.table is not None
    assert report.table.rows[0][-1].startswith("image/png ")
    problem = a_gallery(problem="The cell put out no image.").report()
    assert problem.table is not None
    assert problem.table.rows[0][-1] == "The cell put out no image."
