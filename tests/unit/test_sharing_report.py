"""What a person is told of shared cells."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.app import messages as m
from jupyter_mlops.reports import as_text
from jupyter_mlops.reports.sharing import sharing_report


def a_cell(number: int, state: Any, seconds: float | None = None, **changes: Any) -> m.SharingCell:
    """A cell of so many seconds."""
    known: dict[str, Any] = {"source": f"x{number} = load()", "tagged": False, "why": ""} | changes
    return m.SharingCell(cell=number, state=state, seconds=seconds, **known)


def a_view(*cells: m.SharingCell, **changes: Any) -> m.SharingView:
    """What 48 runs on two cores share."""
    known = dict[str, Any](runs=48, slots=2, cores=2, measured=3, seconds=1.7, saved=39.1)
    return m.SharingView(notebook="train.ipynb", cells=list(cells), **(known | changes))


def test_tells_what_sharing_saves() -> None:
    """The answer comes first, and the cells that take time follow with the reason for each."""
    view = a_view(
        a_cell(1, "shared", 0.01, why="is shared too, since cell 3 needs it", source="import a"),
        a_cell(2, "parameters", 0.5),
        a_cell(3, "shared", 3.0, tagged=True, source="%%time\n\n# Load\ndf = load()"),
        a_cell(4, "suggested", 1.5),
        a_cell(5, "suggested", 0.2),
        a_cell(6, "dependent", 9.0, why="depends on the parameter depth"),
        a_cell(7, "unfit", 0.3, why="begins with %%bash"),
        a_cell(8, "free", 0.01),
        a_cell(9, "dependent", 0.01, why="depends on the parameter depth"),
    )
    assert as_text(sharing_report(view)).splitlines() == [
        "48 runs of train.ipynb, 2 at a time",
        "Executed once for all runs: cells 1 and 3.",
        "Cells 4 and 5 do not depend on parameters and take 1.7 s of each run.",
        "The tag shared on them saves about 40 s in these 48 runs on 2 cores.",
        "cell  code         in each run  shared",
        "   1  import a           0.0 s  yes, it is shared too, since cell 3 needs it",
        "   3  df = load()        3.0 s  yes",
        "   4  x4 = load()        1.5 s  could be",
        "   5  x5 = load()        0.2 s  could be",
        "   6  x6 = load()        9.0 s  no, it depends on the parameter depth",
        "   7  x7 = load()        0.3 s  no, it begins with %%bash",
    ]


def test_without_earlier_runs() -> None:
    """Nothing is made up: cells that could be shared are named, without what that saves."""
    view = a_view(a_cell(1, "free"), a_cell(2, "dependent", why="x"), measured=0, saved=0.0)
    assert as_text(sharing_report(view)).splitlines() == [
        "48 runs of train.ipynb, 2 at a time",
        "No earlier run has measured the cells: what sharing saves is known after the first.",
        "cell  code         shared",
        "   1  x1 = load()  could be",
    ]


def test_refused_cells_come_first() -> None:
    """What would stop the sweep stands above all else, in full."""
    line = "Cell 2 is tagged shared but depends on the parameter x. Remove the tag."
    view = a_view(a_cell(2, "refused", 0.01, tagged=True, why=line), a_cell(3, "suggested", 1.7))
    lines = as_text(sharing_report(view)).splitlines()
    assert lines[1] == line
    assert lines[2].startswith("Cell 3 does not depend on parameters and takes 1.7 s")
    assert lines[5].endswith("no: see above")


def test_nothing_to_gain() -> None:
    """One run saves nothing, small cells are not worth a line, other languages cannot be read."""
    alone = a_view(a_cell(1, "suggested", 1.0), runs=1, slots=1, saved=0.0)
    assert "The tag shared on it saves nothing in this run on 2 cores." in repr(
        sharing_report(alone).details
    )
    small = a_view(a_cell(1, "free", 0.01), seconds=0.0, saved=0.0)
    assert sharing_report(small).details == ("No cell is worth sharing.",)
    done = a_view(a_cell(1, "shared", 1.0, tagged=True), seconds=0.0, saved=0.0)
    assert sharing_report(done).details[1] == "No other cell is worth sharing."
    other = a_view(seconds=0.0, saved=0.0)
    assert sharing_report(other).details == ("Only cells of Python notebooks can be shared.",)
