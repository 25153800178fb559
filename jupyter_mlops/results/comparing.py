"""Runs that are compared, as the Python API returns them."""

from __future__ import annotations

import base64
import contextlib
import html
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..app import messages as m
from ..app import search_operations as ops
from ..app.client import Client, connect
from ..app.projects import Project
from ..core import formats
from ..core.exceptions import InvalidInput, MlopsError
from ..core.values import decode
from ..reports import Report, as_html
from ..reports import comparing as reports
from ..reports.comparing import drawn_curves, drawn_parallel
from .base import Shown

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a notebook shows.
_HTML_ROWS = 100
#: Of a comparison in a notebook: metrics that are drawn, and looked at for whether they have
#: curves; lines of one drawing, and points of one line.
_MOST_CURVES = 4
_METRICS_LOOKED_AT = 12
_MOST_LINES = 50
_POINTS = 200
#: Seconds that the comparison of two notebooks may take, and some more.
_PATIENCE = 90.0


class Comparison(Shown):
    """Runs side by side: parameters, metrics and facts, what differs first."""

    def __init__(self, project: Project, view: m.CompareView) -> None:
        self._project = project
        self.view = view

    @classmethod
    def of(cls, project: Project, ids: Sequence[str]) -> Comparison:
        """Compare runs, and all runs of sweeps. Raises `NotFound`."""
        body = m.CompareRequest(ids=list(ids))
        return cls(project, connect(project).call(ops.COMPARE_RUNS, body=body))

    @property
    def ids(self) -> list[str]:
        """The ids of the runs."""
        return [run.id for run in self.view.runs]

    @property
    def frame(self) -> pd.DataFrame:
        """A DataFrame with a row for each parameter, metric and fact, and a column for each run.

        Its first column says whether the values differ.
        """
        import pandas as pd

        groups = (("params", "parameters"), ("metrics", "metrics"), ("facts", "facts"))
        rows = [(group, row) for group, name in groups for row in getattr(self.view, name)]
        data = [
            [row.differs, *(decode(row.values.get(run)) for run in self.ids)] for _, row in rows
        ]
        index = pd.MultiIndex.from_tuples(
            [(group, row.name) for group, row in rows], names=["group", "name"]
        )
        return pd.DataFrame(data, index=index, columns=["differs", *self.ids], dtype=object)

    def curves(self, metric: str, *, points: int = 500) -> Curves:
        """Return a metric by step, of each run at most so many points, evenly chosen."""
        body = m.CurvesRequest(ids=self.ids, key=metric, points=points)
        return Curves(connect(self._project).call(ops.COMPARE_CURVES, body=body))

    def cells(self) -> CellDiffs:
        """Compare the output notebooks of two runs cell by cell. Raises `InvalidInput`."""
        return compare_cells(self._project, self.ids)

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.comparison_report(self.view)

    def record(self) -> m.CompareView:
        """Return what to tell a program."""
        return self.view

    def _repr_html_(self) -> str:
        table = as_html(reports.comparison_report(self.view, rows=_HTML_ROWS))
        return "\n".join([table, drawn_parallel(self.view), *self._drawn_curves()])

    def _drawn_curves(self) -> Iterator[str]:
        """Yield the first metrics that have curves; only a living worker is asked for them."""
        left, client = _MOST_CURVES, Client(self._project)
        with contextlib.suppress(MlopsError):
            for row in self.view.metrics[:_METRICS_LOOKED_AT]:
                body = m.CurvesRequest(ids=self.ids[:_MOST_LINES], key=row.name, points=_POINTS)
                found = client.call(ops.COMPARE_CURVES, body=body)
                if left and any(len(line.steps) > 1 for line in found.series):
                    left -= 1
                    yield drawn_curves(found)


class Curves(Shown):
    """A metric of several runs by step."""

    def __init__(self, view: m.CurvesView) -> None:
        self.view = view

    @property
    def frame(self) -> pd.DataFrame:
        """A DataFrame with a row for each step and a column for each run, ready for ``.plot()``."""
        import pandas as pd

        columns = {}
        for line in self.view.series:
            values = pd.Series([decode(each) for each in line.values], line.steps, dtype=float)
            columns[line.run_id] = values[~values.index.duplicated(keep="last")]
        made = pd.DataFrame(columns)
        made.index.name = "step"
        return made

    def report(self) -> Report:
        """Return what to tell a person."""
        ids = " ".join(line.run_id for line in self.view.series)
        return reports.curves_report(self.view, ids)

    def record(self) -> m.CurvesView:
        """Return what to tell a program."""
        return self.view

    def _repr_html_(self) -> str:
        return f"{as_html(self.report())}\n{drawn_curves(self.view)}"


class CellDiffs(Shown):
    """Two output notebooks, cell by cell."""

    def __init__(self, view: m.CellsView) -> None:
        self.view = view

    @property
    def _differing(self) -> list[m.CellDiff]:
        return [cell for cell in self.view.cells if cell.change != "same"]

    def report(self) -> Report:
        """Return what to tell a person."""
        lines = [line for cell in self._differing for line in reports.cell_lines(cell)]
        return Report(headline=reports.cells_headline(self.view), details=tuple(lines))

    def record(self) -> m.CellsView:
        """Return what to tell a program."""
        return self.view

    def _repr_html_(self) -> str:
        texts = ("\n".join(reports.cell_lines(cell)) for cell in self._differing)
        parts = (f"<pre>{html.escape(text)}</pre>" for text in texts)
        headline = html.escape(reports.cells_headline(self.view))
        return "\n".join([f"<div><p><strong>{headline}</strong></p>", *parts, "</div>"])


class Gallery(Shown):
    """The images of one cell across the runs of a sweep."""

    def __init__(self, view: m.GalleryView) -> None:
        self.view = view

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.gallery_report(self.view)

    def record(self) -> m.GalleryView:
        """Return what to tell a program."""
        return self.view

    def _repr_html_(self) -> str:
        shown = [item for item in self.view.items if any(image.data for image in item.images)]
        rest = (
            replace(self.report(), table=None)
            if len(shown) == len(self.view.items)
            else self.report()
        )
        figures = "\n".join(map(_figure, shown))
        return f'{as_html(rest)}\n<div style="display: flex; flex-wrap: wrap">{figures}</div>'


def _figure(item: m.GalleryItem) -> str:
    """Write a run's images with its parameters; an image is never a document that could run."""
    run = item.run
    value = f"{run.metric} {formats.value(run.value)}" if run.value is not None else ""
    caption = " · ".join(filter(None, (run.id, formats.pairs(run.parameters), value)))
    text = html.escape(caption)
    images = "".join(
        f'<img alt="{text}" style="max-width: 20em" src="data:{html.escape(image.mime)};base64,'
        f'{html.escape(_base64(image))}">'
        for image in item.images
        if image.data
    )
    return f"<figure>{images}<figcaption>{text}</figcaption></figure>"


def _base64(image: m.ImageView) -> str:
    data = image.data or ""
    if image.mime.endswith("+xml"):
        return base64.b64encode(data.encode()).decode()
    return "".join(data.split())


def compare_cells(project: Project, ids: Sequence[str]) -> CellDiffs:
    """Compare the output notebooks of two runs. Raises `InvalidInput`."""
    if len(ids) != 2:
        raise InvalidInput(f"Two runs' notebooks are compared, not {len(ids)}'s. Name two runs.")
    body = m.CellsRequest(left=ids[0], right=ids[1])
    client: Client = connect(project)
    return CellDiffs(client.call(ops.COMPARE_CELLS, body=body, timeout=_PATIENCE))


def sweep_gallery(project: Project, sweep_id: str, query: m.GalleryQuery) -> Gallery:
    """Return the images of one cell across the runs of a sweep. Raises `InvalidInput`."""
    return Gallery(connect(project).call(ops.SWEEP_GALLERY, sweep_id=sweep_id, query=query))
